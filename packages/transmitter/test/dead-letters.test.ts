import { afterEach, describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import type { DeadLetterReport, Transmitter } from '../src/index.ts'
import {
  claimsOf,
  countEvents,
  createStream,
  makeTransmitter,
  poll,
  pushEndpoint,
  pushTo,
  subOf,
  user,
} from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function started(): Promise<Transmitter> {
  const transmitter = makeTransmitter()
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return transmitter
}

/**
 * Has the Receiver of a poll stream refuse what is said about some users, one after the other.
 * Something between is good: a Receiver that refuses everything is broken, and nothing is buried.
 */
async function refuse(transmitter: Transmitter, id: string, ...subs: string[]): Promise<string[]> {
  const jtis: string[] = []
  for (const sub of subs) {
    const jti = await offered(transmitter, id, sub)
    const err = { err: 'invalid_request', description: `no ${sub} here` }
    await poll(transmitter, id, { setErrs: { [jti]: err }, maxEvents: 0 })
    await poll(transmitter, id, { ack: [await offered(transmitter, id, 'somebody')], maxEvents: 0 })
    jtis.push(jti)
  }
  return jtis
}

async function offered(transmitter: Transmitter, id: string, sub: string): Promise<string> {
  await transmitter.transmit(SessionRevoked, user(sub), {})
  return Object.keys((await poll(transmitter, id)).sets)[0] ?? ''
}

const subsOf = (letters: readonly DeadLetterReport[]): unknown[] =>
  letters.map(({ claims: { sub_id } }) => (sub_id as { user?: { sub: string } }).user?.sub)

const subsOn = async (transmitter: Transmitter, id: string): Promise<string[]> =>
  Object.values((await poll(transmitter, id)).sets).map(subOf)

describe('dead letters', () => {
  it('are listed oldest first, with what they say, why they are there, and since when', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    const before = Date.now()
    const [jti] = await refuse(transmitter, id, 'alice', 'bob', 'carol')
    const letters = await transmitter.deadLetters.list(id)
    expect(subsOf(letters)).toEqual(['alice', 'bob', 'carol'])
    expect(letters[0]).toEqual({
      jti,
      claims: expect.objectContaining({ jti, events: { [SessionRevoked.uri]: expect.anything() } }),
      reason: expect.stringContaining('no alice here'),
      recordedAt: expect.any(Number),
      buriedAt: expect.any(Number),
    })
    expect(letters[0]?.recordedAt).toBeGreaterThanOrEqual(before)
    expect(letters[0]?.buriedAt).toBeGreaterThanOrEqual(letters[0]?.recordedAt ?? Infinity)
    expect(subsOf(await transmitter.deadLetters.list(id, { skip: 1, limit: 1 }))).toEqual(['bob'])
    expect((await transmitter.streams.read(id)).deadLetters).toBe(3)
  })

  it('are read one by one, each on its own stream', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    const [, jti = ''] = await refuse(transmitter, id, 'alice', 'bob')
    const other = await createStream(transmitter)
    const letter = await transmitter.deadLetters.read(id, jti)
    expect(subsOf(letter ? [letter] : [])).toEqual(['bob'])
    expect(await transmitter.deadLetters.read(other, jti)).toBeUndefined()
  })

  it('are sent again with the same claims, in their order', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    const [alice = '', , carol = ''] = await refuse(transmitter, id, 'alice', 'bob', 'carol')
    expect(await transmitter.deadLetters.sendAgain(id, [carol, 'of nobody', alice])).toBe(2)
    const { sets } = await poll(transmitter, id)
    expect(Object.keys(sets)).toEqual([alice, carol])
    expect(Object.values(sets).map((set) => claimsOf(set).jti)).toEqual([alice, carol])
    expect(subsOf(await transmitter.deadLetters.list(id))).toEqual(['bob'])
  })

  it('are all sent again where none is named, and a push stream takes them at once', async () => {
    let isBroken = true
    const refusal = { status: 400, body: '{"err":"invalid_request"}' }
    const { url, received, close } = await pushEndpoint(({ set }) =>
      isBroken && subOf(set) !== 'bob' ? refusal : { status: 202 },
    )
    ends.push(close)
    const transmitter = await started()
    const id = await createStream(transmitter, pushTo(url))
    const refused = countEvents(transmitter, 'set:refused', 1)
    for (const sub of ['alice', 'bob']) {
      await transmitter.transmit(SessionRevoked, user(sub), {})
    }
    await refused
    isBroken = false
    received.splice(0)
    const delivered = countEvents(transmitter, 'set:delivered', 1)
    expect(await transmitter.deadLetters.sendAgain(id)).toBe(1)
    await delivered
    expect(received.map(({ set }) => subOf(set))).toEqual(['alice'])
    expect(await transmitter.deadLetters.list(id)).toEqual([])
  })

  it('wait on a paused stream, and stay where they are on a disabled one', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    await refuse(transmitter, id, 'alice')
    await transmitter.streams.updateStatus(id, { status: 'disabled' })
    await expect(transmitter.deadLetters.sendAgain(id)).rejects.toMatchObject({
      code: 'ERR_STREAM_CONFLICT',
    })
    expect(await transmitter.deadLetters.list(id)).toHaveLength(1)
    await transmitter.streams.updateStatus(id, { status: 'paused' })
    expect(await transmitter.deadLetters.sendAgain(id)).toBe(1)
    expect(await subsOn(transmitter, id)).not.toContain('alice')
    await transmitter.streams.updateStatus(id, { status: 'enabled' })
    expect(await subsOn(transmitter, id)).toContain('alice')
  })

  it('are forgotten, those that are named or all', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    const [alice = ''] = await refuse(transmitter, id, 'alice', 'bob', 'carol')
    expect(await transmitter.deadLetters.purge(id, [alice, 'of nobody'])).toBe(1)
    expect(subsOf(await transmitter.deadLetters.list(id))).toEqual(['bob', 'carol'])
    expect(await transmitter.deadLetters.purge(id)).toBe(2)
    expect(await transmitter.deadLetters.list(id)).toEqual([])
  })
})
