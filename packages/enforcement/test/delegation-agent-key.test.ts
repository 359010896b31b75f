import { describe, expect, it } from '@jest/globals'
import { issSub, jwtId, opaque, type SubjectInput } from '@drawbridge/schema'
import { AccountDisabled } from '@drawbridge/schema/risc'
import { agentKey, type Who } from '@drawbridge/enforcement'
import {
  agentOf,
  at,
  effectsOf,
  gateway,
  helperOf,
  human,
  named,
  phone,
  robot,
  webApp,
} from './delegation-chain.ts'
import { alice, idp, signal, startedNode } from './signals.ts'

const bob = issSub(idp, 'bob')
const none = 'none'

async function afterDisabling(
  on: SubjectInput,
  ...all: readonly Who[]
): Promise<readonly string[]> {
  const { enforcement } = await startedNode()
  await enforcement.apply(signal(AccountDisabled, on))
  return effectsOf(enforcement, ...all)
}

describe('agentKey', () => {
  const granted = agentOf(human(), { endsWith: 'grant' })
  it.each<[string, Who]>([
    ['a user and more', agentOf()],
    ['a grant', granted],
    ['a simple delegator', agentOf(human({ subject: alice }))],
    ['a simple agent', agentOf(human(), { subject: robot })],
    ['a token alone', agentOf(human(), { subject: { token: opaque('up-1') }, issuer: idp })],
    [
      'a token, and the application that she uses herself',
      agentOf(human(), {
        subject: { application: webApp, token: opaque('up-1') },
        issuer: idp,
      }),
    ],
    ['a helper', helperOf()],
    [
      'a helper with a token alone',
      agentOf(agentOf(), { subject: { token: opaque('up-1') }, issuer: idp }),
    ],
    [
      'a delegator with a session alone',
      agentOf(human({ subject: { session: opaque('s') }, issuer: idp })),
    ],
  ])('names the session, and nobody above it: %s', async (_, who) => {
    const above = [who.delegator, who.delegator?.delegator].filter((one) => one !== undefined)
    const left = above.map(() => none)
    expect(await afterDisabling(agentKey(who), who, ...above)).toEqual(['suspend', ...left])
  })
  it.each<[string, Who]>([
    ['her user', human()],
    ['her session alone', human({ subject: { session: opaque('s-1') }, issuer: idp })],
    ['a simple name of her', human({ subject: alice })],
  ])('leaves what the same agent does for others: %s', async (_, person) => {
    const others = agentOf(human({ subject: { user: bob, session: opaque('s-bob') } }))
    const key = agentKey(agentOf(person))
    const unnamed = agentOf(human({ subject: { session: opaque('s-9') }, issuer: idp }))
    const all = [agentOf(person), others, unnamed]
    expect(await afterDisabling(key, ...all)).toEqual(['suspend', none, none])
  })
  it('stays the same with a fresh token, and when she logs in anew', () => {
    const key = agentKey(agentOf())
    const again = human({
      subject: {
        user: alice,
        session: opaque('s-2'),
        device: phone,
        application: opaque('mobile'),
      },
      began: at(60),
    })
    expect(key).toEqual({
      format: 'complex',
      user: alice,
      actor: robot,
      task: opaque('t-1'),
    })
    const elsewhere = named(agentOf(), { application: opaque('another client of it') })
    const fresh = named(agentOf(), { token: jwtId(idp, 'at-2') })
    for (const who of [fresh, elsewhere, agentOf(again), granted]) {
      expect(agentKey(who)).toEqual(key)
    }
  })
  it('tells a client that acts for her from her own session in that client', async () => {
    const client = agentOf(human(), { subject: { application: gateway }, issuer: idp })
    const hers = human({ subject: { user: alice, application: gateway } })
    expect(await afterDisabling(agentKey(client), client, hers)).toEqual(['suspend', none])
  })
  it('is what a session is called without its token, where it acts for itself', () => {
    expect(agentKey(named(human(), { token: opaque('t') }))).toEqual({
      format: 'complex',
      user: alice,
      application: webApp,
    })
    expect(agentKey(human({ subject: alice }))).toEqual(alice)
    expect(agentKey(human({ subject: { session: opaque('s') }, issuer: idp }))).toMatchObject({
      session: opaque('s'),
    })
  })
})
