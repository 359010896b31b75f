import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { accessMeanings } from '@drawbridge/schema'
import {
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
} from '@drawbridge/schema/caep'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { keepsOrder } from '../src/delivery/keeps-order.ts'
import type { OutboxEntry } from '../src/index.ts'
import type { Stream } from '../src/streams/stream.ts'
import { addStream, deliveryAtWork, rowOf, type DeliveryAtWork } from './delivery-support.ts'

let work: DeliveryAtWork
let stream: Stream
const condition = (jti: string, lane: string): OutboxEntry =>
  rowOf('a', jti, { lane, type: DeviceComplianceChange.uri })
const cut = (jti: string, lane: string): OutboxEntry =>
  rowOf('a', jti, { lane, type: SessionRevoked.uri })
const answer = (body: object = {}): ReturnType<DeliveryAtWork['delivery']['poll']> =>
  work.delivery.poll(stream, { returnImmediately: true, ...body }, new AbortController().signal)
const poll = async (body: object = {}): Promise<string[]> => Object.keys((await answer(body)).sets)
const start = async (...more: Parameters<typeof deliveryAtWork>): Promise<void> => {
  work = await deliveryAtWork(...more)
  stream = await addStream(work.store, 'a')
  work.delivery.update(stream)
}

beforeEach(() => start())
afterEach(() => work.delivery.stop())

describe('keeps order', () => {
  const claimsOf = (type: string): string =>
    JSON.stringify({ iss: 'https://idp.example', sub_id: {}, events: { [type]: {} } })

  it.each([SessionRevoked.uri, Verification.uri])('not: %s', (type) => {
    expect(keepsOrder(claimsOf(type))).toBe(false)
  })
  it.each([
    DeviceComplianceChange.uri,
    RiskLevelChange.uri,
    // What it means depends on its payload.
    CredentialChange.uri,
    StreamUpdated.uri,
    'https://type.example/unknown',
  ])('%s', (type) => expect(keepsOrder(claimsOf(type))).toBe(true))

  it('of every type that is no plain cut, and of claims it cannot find the type of', () => {
    for (const [type, { decision }] of accessMeanings) {
      const isFree = decision === 'cut' || type === Verification.uri
      expect([type, keepsOrder(claimsOf(type))]).toEqual([type, !isFree])
    }
    expect(keepsOrder('{}')).toBe(true)
  })

  it('whatever the text of a member looks like', () => {
    const txn = `"events":{"${SessionRevoked.uri}":`
    const claims = JSON.stringify({ txn, events: { [DeviceComplianceChange.uri]: {} } })
    expect(keepsOrder(claims)).toBe(true)
  })
})

describe('two conditions of one principal', () => {
  it('SSF-8.1.2.1-9: are offered one after the other', async () => {
    await work.append(condition('one', 'alice'), condition('two', 'alice'))
    await work.append(condition('three', 'alice'))
    const first = await answer()
    // The others cannot be had before this one is acknowledged: there is no more now.
    expect(first).toEqual({ sets: { one: expect.any(String) } })
    expect(await poll()).toEqual([])
    expect(await poll({ ack: ['one'] })).toEqual(['two'])
    expect(await poll({ setErrs: { two: { err: 'invalid_request', description: '' } } })).toEqual([
      'three',
    ])
  })

  it('keep neither cuts waiting nor other principals', async () => {
    await work.append(condition('one', 'alice'), condition('two', 'alice'), cut('cut', 'alice'))
    await work.append(condition('bob', 'bob'), cut('first', 'carol'), cut('second', 'carol'))
    expect(await poll()).toEqual(['one', 'cut', 'bob', 'first', 'second'])
  })

  it('keep their order when the first is not acknowledged in time', async () => {
    await work.delivery.stop()
    let now = 1_000_000
    await start({ clock: { now: () => now, sleep: () => new Promise(() => undefined) } })
    await work.append(condition('one', 'alice'), condition('two', 'alice'))
    expect(await poll()).toEqual(['one'])
    now += 30_000
    expect(await poll()).toEqual(['one'])
    expect(await poll({ ack: ['one'] })).toEqual(['two'])
  })

  it('go on when the first was dropped from the store', async () => {
    await work.append(...[1, 2, 3].map((n) => condition(`${n}.`, 'alice')))
    expect(await poll()).toEqual(['1.'])
    await work.store.settle('a', ['2.'], undefined)
    expect(await poll({ ack: ['1.'] })).toEqual(['3.'])
  })

  it('wake a poll that waits for the second', async () => {
    await work.append(condition('one', 'alice'), condition('two', 'alice'))
    await poll()
    const waiting = work.delivery.poll(stream, {}, new AbortController().signal)
    expect(await poll({ ack: ['one'], maxEvents: 0 })).toEqual([])
    expect(Object.keys((await waiting).sets)).toEqual(['two'])
  })

  it('of one lane with thousands let the others through', async () => {
    const many = Array.from({ length: 3_000 }, (_, n) => condition(`alice ${n}`, 'alice'))
    await work.append(...many, condition('bob', 'bob'))
    expect(await poll()).toEqual(['alice 0', 'bob'])
    const order: string[] = []
    let ack = ['alice 0', 'bob']
    for (let n = 0; n < 500; n++) {
      ack = await poll({ ack })
      order.push(...ack)
    }
    expect(order).toEqual(many.slice(1, 501).map(({ jti }) => jti))
  })

  it('beyond what is kept in memory wait in the store', async () => {
    const many = Array.from({ length: 10_050 }, (_, n) => condition(`alice ${n}`, 'alice'))
    await work.append(...many, cut('cut', 'bob'))
    let ack = await poll()
    expect(ack).toEqual(['alice 0'])
    for (let n = 1; n < 60; n++) ack = await poll({ ack })
    expect(ack).toContain('alice 59')
    expect(await poll({ ack: ack.filter((jti) => jti !== 'cut') })).toEqual(['alice 60'])
  })
})

describe('the second look at what is polled', () => {
  it('SSF-9.2-3: takes rows off that may not leave any more; their lane goes on', async () => {
    await work.delivery.stop()
    const gone = new Set(['two', 'four', 'six'])
    await start({
      mayLeave: async (_, claims) => !gone.has((JSON.parse(claims) as { jti: string }).jti),
    })
    await work.append(cut('one', 'a'), cut('two', 'b'), cut('three', 'c'), condition('four', 'd'))
    await work.append(condition('five', 'd'), cut('six', 'e'))
    expect(await answer({ maxEvents: 1 })).toMatchObject({ moreAvailable: true })
    // Nothing that may leave is left after these: "more" would tell that there is something else.
    const rest = await answer({ maxEvents: 2 })
    expect(rest).toEqual({ sets: { three: expect.any(String), five: expect.any(String) } })
    const withheld = work.told.filter(({ name }) => name === 'set:withheld')
    expect(withheld.map(({ jti }) => jti)).toEqual(['two', 'four', 'six'])
    const left = await work.store.readRows('a', { kind: 'event', after: 0, limit: 9 })
    expect(left.map(({ jti }) => jti)).toEqual(['one', 'three', 'five'])
  })

  it('is taken at each offer', async () => {
    await work.delivery.stop()
    let now = 1_000_000
    let may = true
    const clock = { now: () => now, sleep: () => new Promise<void>(() => undefined) }
    await start({ clock, mayLeave: async () => may })
    await work.append(cut('one', 'a'))
    expect(await poll()).toEqual(['one'])
    now += 30_000
    may = false
    expect(await poll()).toEqual([])
    expect(work.told).toMatchObject([{ name: 'set:withheld', jti: 'one' }])
  })

  it('that fails offers nothing of that row, and is taken again', async () => {
    await work.delivery.stop()
    let isBroken = true
    const mayLeave = async (_: string, claims: string): Promise<boolean> => {
      if (isBroken && claims.includes('"one"')) throw new Error('the directory is down')
      return true
    }
    await start({ mayLeave })
    await work.append(cut('one', 'a'), cut('two', 'b'))
    expect(await poll()).toEqual(['two'])
    expect(work.told).toMatchObject([{ name: 'delivery:failed', jti: 'one' }])
    isBroken = false
    const later = await work.delivery.poll(stream, {}, new AbortController().signal)
    expect(Object.keys(later.sets)).toEqual(['one'])
  })
})
