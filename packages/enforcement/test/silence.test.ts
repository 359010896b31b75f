import { describe, expect, it } from '@jest/globals'
import {
  issuerWide,
  memoryLedger,
  type EnforcementEvents,
  type EnforcementOptions,
  type Ledger,
} from '@drawbridge/enforcement'
import { StorageError } from '@drawbridge/schema'
import { alice, aliceSince, idp, noon, revoked, startedNode, type TestNode } from './signals.ts'

const other = 'https://other.example'
const takes = { effect: 'restrict', terms: { leave: ['files:read'] } } as const
const silence = { [idp]: { afterMs: 60_000, takes } }

type Told = readonly EnforcementEvents['transmitter:silent' | 'transmitter:returned'][]

const quietNode = async (
  options: Partial<EnforcementOptions> = {},
): Promise<TestNode & { readonly log: Told }> => {
  const node = await startedNode({ silence, ...options })
  const log: Told[number][] = []
  node.enforcement.events.on('transmitter:silent', (event) => log.push(event))
  node.enforcement.events.on('transmitter:returned', (event) => log.push(event))
  return { ...node, log }
}

const outcomes = ({ enforcement }: TestNode): readonly string[] => [
  enforcement.check(aliceSince(0), { requires: ['files:write'] }).outcome,
  enforcement.check(aliceSince(0), { requires: ['files:read'] }).outcome,
  enforcement.check(aliceSince(0, { issuer: other }), { requires: ['files:write'] }).outcome,
]

describe('a Transmitter that is silent', () => {
  it('is told of once, and takes what its rule says from sessions of its issuer alone', async () => {
    const node = await quietNode()
    await node.clock.advance(60_000)
    expect(node.log).toEqual([])
    for (let waits = 0; waits < 3; waits++) await node.clock.advance(60_000)
    expect(node.log).toMatchObject([{ iss: idp, heardAt: (noon + 60) * 1000 }])
    expect(outcomes(node)).toEqual(['refuse', 'allow', 'allow'])
    await node.enforcement.stop()
  })
  it('gives back when it is heard of again, and says how long it was', async () => {
    const node = await quietNode()
    await node.clock.advance(60_001)
    node.enforcement.heard(idp)
    await node.clock.advance(0)
    expect(node.log[1]).toMatchObject({ iss: idp, silentMs: 60_001 })
    expect(outcomes(node)).toEqual(['allow', 'allow', 'allow'])
    await node.clock.advance(60_001)
    expect(outcomes(node)).toEqual(['refuse', 'allow', 'allow'])
    await node.enforcement.stop()
  })
  it('is none as long as signals or verification events arrive', async () => {
    const node = await quietNode()
    for (let minutes = 0; minutes < 4; minutes++) {
      await node.clock.advance(50_000)
      if (minutes % 2 === 0) node.enforcement.heard(idp)
      else await node.enforcement.apply(revoked({ user: alice }))
    }
    node.enforcement.heard(other)
    expect(node.log).toEqual([])
    await node.enforcement.stop()
  })
  it('is an alarm and nothing else by default', async () => {
    const node = await quietNode({ silence: { [idp]: { afterMs: 60_000 } } })
    await node.clock.advance(60_001)
    expect(node.log).toHaveLength(1)
    expect(outcomes(node)).toEqual(['allow', 'allow', 'allow'])
    await node.enforcement.stop()
  })
  it('is about the issuers of its mandate', async () => {
    const mandates = { [idp]: { issuers: [other] } }
    const node = await quietNode({ mandates })
    await node.clock.advance(60_001)
    expect(outcomes(node)).toEqual(['allow', 'allow', 'refuse'])
    await node.enforcement.stop()
  })
  it('gives back after a restart as well', async () => {
    const kept = memoryLedger()
    const ledger: Ledger = { ...kept }
    const first = await quietNode({ ledger })
    await first.clock.advance(60_001)
    await first.enforcement.stop()
    const second = await quietNode({ ledger })
    expect(outcomes(second)).toEqual(['refuse', 'allow', 'allow'])
    second.enforcement.heard(idp)
    await second.clock.advance(0)
    expect(outcomes(second)).toEqual(['allow', 'allow', 'allow'])
    await second.enforcement.stop()
  })
  it('gives back although the ledger could not be written at that moment', async () => {
    const memory = memoryLedger()
    let isDown = false
    const broken = new StorageError('ERR_STORAGE_UNAVAILABLE', 'away')
    const ledger: Ledger = {
      ...memory,
      write: (entry) => (isDown ? Promise.reject(broken) : memory.write(entry)),
    }
    const node = await quietNode({ ledger })
    await node.clock.advance(60_001)
    isDown = true
    node.enforcement.heard(idp)
    await node.clock.advance(1000)
    expect(outcomes(node)[0]).toBe('refuse')
    isDown = false
    await node.clock.advance(10_000)
    expect(outcomes(node)[0]).toBe('allow')
    await node.enforcement.stop()
  })
  it('names every mistake of its rule', async () => {
    const wrong = { [idp]: { afterMs: 0, takes: { effect: 'restrict' }, more: 1 } } as never
    await expect(startedNode({ silence: wrong })).rejects.toThrow(
      /more" is not an option.*afterMs" must be 1 or more.*must have either "take" or "leave"/,
    )
  })
})

describe('what the application says of a login issuer', () => {
  it('holds for all its sessions, aborts them, and no Transmitter can say it', async () => {
    const node = await startedNode()
    const signal = node.enforcement.signal(aliceSince(0))
    await node.enforcement.apply(revoked(issuerWide(idp)))
    expect(node.enforcement.check(aliceSince(0)).outcome).toBe('allow')
    await node.enforcement.take({
      on: issuerWide(idp),
      cause: 'incident',
      by: 'olga',
      effect: 'suspend',
    })
    expect(node.enforcement.check(aliceSince(0))).toMatchObject({ causes: [{ by: 'olga' }] })
    expect(signal.aborted).toBe(true)
    expect(node.enforcement.check(aliceSince(0, { issuer: other })).outcome).toBe('allow')
  })
})
