import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { judgeReports } from '../src/delivery/poll-reports.ts'
import type { OutboxEntry, TransmitterOptions } from '../src/index.ts'
import type { Stream } from '../src/streams/stream.ts'
import { addStream, deliveryAtWork, rowOf, type DeliveryAtWork } from './delivery-support.ts'

const first = { inARow: 0, acknowledged: 0 }

describe('the judgement of reports', () => {
  it.each([
    ['invalid_request', 'refused'],
    ['invalid_state', 'refused'],
    ['invalid_key', 'retry'],
    ['invalid_issuer', 'stream-at-fault'],
    ['invalid_audience', 'stream-at-fault'],
    ['authentication_failed', 'stream-at-fault'],
    ['access_denied', 'stream-at-fault'],
    ['something_new', 'stream-at-fault'],
    ['Invalid_Request', 'stream-at-fault'],
    ['', 'stream-at-fault'],
  ] as const)('PUSH-2.4-7: of %j is that of a push: %s', (err, outcome) => {
    expect(judgeReports([err], first).outcomes).toEqual([outcome])
  })

  it('keeps several that are refused in a row: the stream is at fault', () => {
    const two = judgeReports(['invalid_request', 'invalid_state'], first)
    expect(two).toEqual({ outcomes: ['refused', 'refused'], inARow: 2 })
    const third = judgeReports(['invalid_request', 'invalid_key'], { ...first, inARow: 2 })
    expect(third).toEqual({ outcomes: ['stream-at-fault', 'retry'], inARow: 3 })
    const all = judgeReports(['invalid_request', 'invalid_state', 'invalid_request'], first)
    expect(new Set(all.outcomes)).toEqual(new Set(['stream-at-fault']))
  })

  it('buries any number where others are acknowledged', () => {
    const errs = Array.from({ length: 9 }, () => 'invalid_request')
    const judged = judgeReports(errs, { inARow: 9, acknowledged: 1 })
    expect(judged).toEqual({ outcomes: errs.map(() => 'refused'), inARow: 0 })
  })
})

describe('a poll that reports errors', () => {
  let work: DeliveryAtWork
  let stream: Stream
  const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
    work = await deliveryAtWork({}, options)
    stream = await addStream(work.store, 'a')
    work.delivery.update(stream)
  }
  const poll = async (body: object): Promise<string[]> =>
    Object.keys((await work.delivery.poll(stream, body, new AbortController().signal)).sets)
  const reports = (err: string, ...jtis: string[]): object =>
    Object.fromEntries(jtis.map((jti) => [jti, { err, description: 'why' }]))
  const rows = (...jtis: string[]): OutboxEntry[] =>
    jtis.map((jti) => rowOf('a', jti, { type: SessionRevoked.uri }))
  const buried = async (): Promise<string[]> =>
    (await work.store.deadLetters('a', 0, 99)).map(({ jti }) => jti)

  beforeEach(() => start())
  afterEach(() => work.delivery.stop())

  it('about everything buries nothing: all is offered again, and the fault can be seen', async () => {
    await work.append(...rows('one', 'two', 'three', 'four'))
    const jtis = await poll({})
    expect(jtis).toHaveLength(4)
    const none = { maxEvents: 0, returnImmediately: true }
    await poll({ ...none, setErrs: reports('invalid_request', ...jtis) })
    expect(await buried()).toEqual([])
    expect(work.delivery.healthOf('a')).toEqual({
      fault: 'reported: invalid_request: why',
      faultSince: expect.any(Number),
      inFlight: 0,
    })
    const again = new Set<string>()
    while (again.size < 4) for (const jti of await poll({})) again.add(jti)
    await poll({ ...none, ack: ['one'] })
    expect(work.delivery.faultOf('a')).toBeUndefined()
    expect(work.delivery.healthOf('a').lastDeliveredAt).toBeGreaterThan(0)
  })

  it.each(['invalid_key', 'invalid_issuer', 'access_denied', 'something_new'])(
    'POLL-2.3-3: offers again, later, a SET that is reported with %s',
    async (err) => {
      await work.append(...rows('one'))
      await poll({})
      await work.append(...rows('two'))
      expect(await poll({ setErrs: reports(err, 'one') })).toEqual(['two'])
      expect(work.told).toMatchObject([
        { name: 'delivery:failed', jti: 'one', attempt: 1, retryInMs: expect.any(Number) },
      ])
      expect(await poll({ ack: ['two'] })).toEqual(['one'])
      expect(work.delivery.faultOf('a')).toBeUndefined()
    },
  )

  it('tells of a fault where the error is about the stream, not where it is about a key', async () => {
    await work.append(...rows('one', 'two'))
    await poll({})
    const none = { maxEvents: 0, returnImmediately: true }
    await poll({ ...none, setErrs: reports('invalid_key', 'one') })
    expect(work.delivery.faultOf('a')).toBeUndefined()
    await poll({ ...none, setErrs: reports('access_denied', 'two') })
    expect(work.delivery.faultOf('a')).toBe('reported: access_denied: why')
  })

  it('again and again about one SET while others are taken buries it in the end', async () => {
    await work.delivery.stop()
    await start({ push: { maxAttempts: 3, maxAgeSeconds: 0 } })
    await work.append(...rows('bad'))
    await poll({})
    for (let n = 0; (await buried()).length === 0; n++) {
      await work.append(...rows(`good ${n}`))
      const setErrs = reports('access_denied', 'bad')
      const jtis = await poll({ setErrs, returnImmediately: true })
      await poll({ ack: jtis.filter((jti) => jti !== 'bad'), maxEvents: 0 })
    }
    expect(await buried()).toEqual(['bad'])
    expect(work.told.filter(({ jti }) => jti === 'bad').map(({ name }) => name)).toEqual([
      'delivery:failed',
      'delivery:failed',
      'set:refused',
    ])
  })

  it('does not bury it where nothing is taken', async () => {
    await work.delivery.stop()
    await start({ push: { maxAttempts: 3, maxAgeSeconds: 0 } })
    await work.append(...rows('bad'))
    for (let n = 0; n < 6; n++) {
      await poll({})
      await poll({ setErrs: reports('access_denied', 'bad'), maxEvents: 0 })
    }
    expect(await buried()).toEqual([])
  })

  it('POLL-2.2-10: ignores what it does not know', async () => {
    await work.append(...rows('one'))
    const setErrs = reports('invalid_request', 'unknown')
    expect(await poll({ ack: ['never'], setErrs })).toEqual(['one'])
    expect(work.told).toEqual([])
  })
})

describe('an acknowledgement that cannot be stored', () => {
  it.each([true, false])('is an error, and the SET is offered again: at once %p', async (at) => {
    let now = 1_000_000
    const clock = { now: () => now, sleep: () => new Promise<void>(() => undefined) }
    const work = await deliveryAtWork({ clock })
    const stream = await addStream(work.store, 'a')
    const { signal } = new AbortController()
    await work.append(rowOf('a', 'one', { type: SessionRevoked.uri }))
    await work.delivery.poll(stream, {}, signal)
    const { settle } = work.store
    Object.assign(work.store, { settle: () => Promise.reject(new Error('the disk is full')) })
    const poll = work.delivery.poll(stream, { ack: ['one'], returnImmediately: at }, signal)
    await expect(poll).rejects.toThrow('the disk is full')
    expect(work.told).toEqual([])
    Object.assign(work.store, { settle })
    now += 30_000
    const { sets } = await work.delivery.poll(stream, {}, signal)
    expect(Object.keys(sets)).toEqual(['one'])
    await work.delivery.stop()
  })
})
