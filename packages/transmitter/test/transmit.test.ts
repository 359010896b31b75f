import { copyFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '@drawbridge/core'
import { email, type SubjectInput } from '@drawbridge/schema'
import { CredentialChange, RiskLevelChange, SessionRevoked } from '@drawbridge/schema/caep'
import { IdentifierChanged } from '@drawbridge/schema/risc'
import {
  permitAll,
  type EventToPermit,
  type Transmitter,
  type TransmitterOptions,
} from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import {
  call,
  claimsOf,
  createStream,
  makeTransmitter,
  poll,
  temporaryFile,
  user,
} from './support.ts'

let transmitter: Transmitter
const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
  transmitter = makeTransmitter(options)
  await transmitter.start()
}
beforeEach(() => start())
afterEach(() => transmitter.stop())

describe('transmit', () => {
  it('refuses a payload or a subject that does not hold, and records nothing', async () => {
    const id = await createStream(transmitter)
    const wrong = { event_timestamp: 'now' } as unknown as { event_timestamp: number }
    await expect(transmitter.transmit(SessionRevoked, user('a'), wrong)).rejects.toMatchObject({
      code: 'ERR_SET_PAYLOAD',
    })
    const nobody = {} as SubjectInput
    await expect(transmitter.transmit(SessionRevoked, nobody, {})).rejects.toMatchObject({
      code: 'ERR_SET_SUBJECT',
    })
    // RISC-2.5-2, SUBID-3-3: strict in what it emits, where a Receiver lets it pass.
    await expect(transmitter.transmit(IdentifierChanged, user('a'), {})).rejects.toMatchObject({
      code: 'ERR_SET_SUBJECT',
    })
    const extra = { ...user('a'), display: 'Alice' } as unknown as SubjectInput
    await expect(transmitter.transmit(SessionRevoked, extra, {})).rejects.toMatchObject({
      code: 'ERR_SET_SUBJECT',
    })
    expect(await poll(transmitter, id)).toEqual({ sets: {} })
  })

  it('refuses a type that no Receiver can ask for, instead of telling nobody', async () => {
    const payload = { principal: 'USER', current_level: 'HIGH' } as const
    await expect(transmitter.transmit(RiskLevelChange, user('a'), payload)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      mistakes: [expect.stringContaining('"eventsSupported"')],
    })
  })

  it('SSF-8.1.1-12: records for the streams that deliver the type, each with its own jti and aud', async () => {
    const one = await createStream(transmitter)
    await createStream(transmitter, { events_requested: [CredentialChange.uri] })
    const answer = await call(transmitter, 'POST /streams', {
      token: 'token-two',
      body: { events_requested: [SessionRevoked.uri] },
    })
    const { stream_id: two } = (await answer.json()) as { stream_id: string }
    const { txn, deliveries } = await transmitter.transmit(SessionRevoked, email('a@b.example'), {})
    expect(deliveries.map(({ stream_id }) => stream_id)).toEqual([one, two])
    expect(new Set([txn, ...deliveries.map(({ jti }) => jti)]).size).toBe(3)
    const [set] = Object.values((await poll(transmitter, one)).sets)
    expect(claimsOf(set ?? '')).toMatchObject({ aud: 'https://one.example', txn })
  })

  it('SSF-4.1.9-3: takes the txn of the cause', async () => {
    const { txn } = await transmitter.transmit(SessionRevoked, user('a'), {}, { txn: 'cause' })
    expect(txn).toBe('cause')
  })

  it('JOSE-7519.4.1.6-1: has an iat that is never in the future', async () => {
    await transmitter.stop()
    await start({ clock: { ...systemClock, now: () => 1_999 } })
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('a'), {})
    const [set] = Object.values((await poll(transmitter, id)).sets)
    expect(claimsOf(set ?? '').iat).toBe(1)
  })

  it('SSF-9.2-3: asks permitEvent for each stream, and only true permits', async () => {
    await transmitter.stop()
    const asked: unknown[] = []
    const answers: unknown[] = [false, undefined, 'yes', Promise.resolve(true)]
    const permitEvent = (event: EventToPermit, receiver: object): boolean => {
      asked.push([event, receiver])
      return answers[asked.length - 1] as boolean
    }
    await start({ permitEvent })
    const ids: string[] = []
    for (const _ of answers) ids.push(await createStream(transmitter))
    const { deliveries } = await transmitter.transmit(SessionRevoked, email('a@b.example'), {})
    expect(deliveries.map(({ stream_id }) => stream_id)).toEqual([ids[3]])
    expect(asked[0]).toEqual([
      { type: SessionRevoked.uri, payload: {}, subject: email('a@b.example') },
      { id: 'one', audience: 'https://one.example' },
    ])
  })

  it('rejects and records nothing when permitEvent throws; later events are not held up', async () => {
    await transmitter.stop()
    let isBroken = true
    await start({
      permitEvent: () => {
        if (isBroken) throw new Error('no policy')
        return true
      },
    })
    const id = await createStream(transmitter)
    await expect(transmitter.transmit(SessionRevoked, user('a'), {})).rejects.toThrow('no policy')
    isBroken = false
    await transmitter.transmit(SessionRevoked, user('a'), {})
    expect(Object.keys((await poll(transmitter, id)).sets)).toHaveLength(1)
  })

  it('keeps the order of the calls of one principal when permitEvent takes its time, or fails in between', async () => {
    await transmitter.stop()
    const waiting: { allow: () => void; refuse: (error: Error) => void }[] = []
    await start({
      permitEvent: () =>
        // The fourth time and later it is asked before a delivery.
        waiting.length === 3 ||
        new Promise((resolve, refuse) => waiting.push({ allow: () => resolve(true), refuse })),
    })
    const id = await createStream(transmitter)
    const calls = [1, 2, 3].map((event_timestamp) =>
      transmitter.transmit(SessionRevoked, user('a'), { event_timestamp }),
    )
    while (waiting.length < 3) await call(transmitter, 'GET /streams')
    const [first, fail, third] = waiting
    third?.allow()
    fail?.refuse(new Error('no policy'))
    first?.allow()
    await Promise.all([calls[0], expect(calls[1]).rejects.toThrow('no policy'), calls[2]])
    const sets = Object.values((await poll(transmitter, id)).sets)
    expect(sets.map((set) => Object.values(claimsOf(set).events))).toEqual([
      [{ event_timestamp: 1 }],
      [{ event_timestamp: 3 }],
    ])
  })

  it('is durable when it resolves, also for concurrent callers', async () => {
    const file = await temporaryFile()
    await transmitter.stop()
    await start({ store: sqliteStore(file), permitEvent: permitAll })
    const id = await createStream(transmitter)
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) => transmitter.transmit(SessionRevoked, user(`${n}`), {})),
    )
    await transmitter.stop()
    await start({ store: sqliteStore(file) })
    const { sets } = await poll(transmitter, id)
    expect(Object.keys(sets)).toEqual(all.map(({ deliveries }) => deliveries[0]?.jti))
  })

  it('is on disk when it resolves: what a crash leaves behind has it', async () => {
    const file = await temporaryFile()
    await transmitter.stop()
    await start({ store: sqliteStore(file) })
    const id = await createStream(transmitter)
    const { deliveries } = await transmitter.transmit(SessionRevoked, user('a'), {})
    // The files as they are now, the Transmitter never told: what SIGKILL leaves.
    const left = await temporaryFile()
    await Promise.all(['', '-wal'].map((suffix) => copyFile(file + suffix, left + suffix)))
    await transmitter.stop()
    await start({ store: sqliteStore(left) })
    const { sets } = await poll(transmitter, id)
    expect(Object.keys(sets)).toEqual([deliveries[0]?.jti])
  })

  it('rejects while the Transmitter is not started; start and stop are idempotent', async () => {
    await Promise.all([transmitter.stop(), transmitter.stop()])
    await expect(transmitter.transmit(SessionRevoked, user('a'), {})).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
    await Promise.all([transmitter.start(), transmitter.start(), transmitter.stop()])
    await transmitter.start()
    await transmitter.transmit(SessionRevoked, user('a'), {})
  })

  it('announces streams and events', async () => {
    const seen: string[] = []
    for (const name of [
      'stream:created',
      'stream:updated',
      'stream:deleted',
      'event:recorded',
    ] as const) {
      transmitter.events.on(name, ({ at }) => seen.push(`${name} ${typeof at}`))
    }
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('a'), {})
    await call(transmitter, 'POST /status', { body: { stream_id: id, status: 'paused' } })
    await call(transmitter, `DELETE /streams?stream_id=${id}`)
    expect(seen).toEqual(
      ['stream:created', 'event:recorded', 'stream:updated', 'stream:deleted'].map(
        (n) => `${n} number`,
      ),
    )
  })
})
