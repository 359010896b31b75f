import { createEmitter, systemClock, type Clock } from '@drawbridge/core'
import type { DeliveryContext } from '../src/delivery/delivery-context.ts'
import { createDelivery, type Delivery } from '../src/delivery/delivery.ts'
import { createTimetable, type Timetable } from '../src/delivery/timetable.ts'
import {
  memoryStore,
  permitAll,
  staticTokens,
  type IssuerStore,
  type OutboxEntry,
  type StreamRecord,
  type TransmitterEvents,
  type TransmitterOptions,
} from '../src/index.ts'
import { readOptions } from '../src/settings.ts'
import type { Stream } from '../src/streams/stream.ts'
import { entry, streamRecord } from './store-records.ts'
import { issuer, secret } from './support.ts'

/** The delivery of a Transmitter without the rest of it, over a real store. */
export interface DeliveryAtWork {
  readonly store: IssuerStore
  readonly delivery: Delivery
  readonly timetable: Timetable
  readonly context: DeliveryContext
  /** What was told, oldest first. */
  readonly told: { readonly name: string; readonly jti: string; readonly reason?: string }[]
  /** Resolves when an event of a name was told so many times in all. */
  count(name: keyof TransmitterEvents, times: number): Promise<void>
  /** Appends entries and tells the delivery. */
  append(...entries: OutboxEntry[]): Promise<void>
}

const names = ['set:delivered', 'set:refused', 'set:withheld', 'delivery:failed'] as const

export async function deliveryAtWork(
  more: Partial<DeliveryContext> = {},
  options: Partial<TransmitterOptions> = {},
  moreSettings: object = {},
): Promise<DeliveryAtWork> {
  const store = await memoryStore().open(issuer)
  const emitter = createEmitter<TransmitterEvents>()
  const clock: Clock = more.clock ?? systemClock
  const settings = readOptions({
    issuer,
    secret,
    store: memoryStore(),
    authenticate: staticTokens([]),
    permitEvent: permitAll,
    allowInsecureHttp: true,
    ...options,
    push: { backoff: { firstMs: 2, longestMs: 10 }, ...options.push },
  })
  const context: DeliveryContext = {
    store,
    settings: { ...settings, ...moreSettings },
    clock,
    emitter,
    // What is delivered is read by these tests, and signed by others.
    mint: (_, claims) => Promise.resolve(claims),
    mintAhead: () => undefined,
    mayLeave: () => Promise.resolve(true),
    ...more,
  }
  const told: { name: string; jti: string }[] = []
  for (const name of names) emitter.watchable.on(name, (event) => told.push({ ...event, name }))
  const delivery = createDelivery(context)
  return {
    store,
    delivery,
    timetable: createTimetable(clock),
    context,
    told,
    count: (name, times) =>
      new Promise((resolve) => {
        let seen = told.filter((event) => event.name === name).length
        if (seen >= times) return resolve()
        emitter.watchable.on(name, () => ++seen === times && resolve())
      }),
    append: async (...entries) => {
      await context.store.append(entries)
      for (const id of new Set(entries.map(({ stream_id }) => stream_id))) delivery.wake(id)
    },
  }
}

/** Adds a stream to a store, and gives it as the delivery takes it. */
export async function addStream(
  store: IssuerStore,
  id: string,
  more: Partial<StreamRecord> = {},
): Promise<Stream> {
  const record = streamRecord(id, more)
  await store.createStream(record, false)
  return record
}

/** An entry of a lane whose claims say which it is. */
export const rowOf = (
  stream_id: string,
  jti: string,
  more: Partial<OutboxEntry> & { readonly type?: string } = {},
): OutboxEntry => {
  const { type = 'https://type.example', ...rest } = more
  const lane = rest.lane ?? jti
  const claims = JSON.stringify({ jti, lane, events: { [type]: {} } })
  return entry(stream_id, jti, { lane, claims, ...rest })
}
