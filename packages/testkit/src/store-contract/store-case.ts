import { deepStrictEqual, fail, strictEqual } from 'node:assert/strict'
import { poll } from '@drawbridge/schema'
import type {
  IssuerStore,
  OutboxEntry,
  OutboxRow,
  StreamRecord,
  TransmitterStore,
} from '@drawbridge/transmitter'

/** One promise of a store, and the program that shows it. */
export interface StoreCase {
  /** What holds, as a sentence. */
  readonly name: string
  /**
   * Tries it. It uses issuers of its own, so that one store serves all cases, at the same time too.
   *
   * @throws AssertionError that says what was expected
   */
  run(store: TransmitterStore): Promise<void>
}

/** What a case gets besides the opened store. */
export interface CaseContext {
  readonly store: TransmitterStore
  readonly issuer: string
}

/** Makes a case that runs on the store of one new issuer, opened before and closed after. */
export function openedCase(
  name: string,
  run: (opened: IssuerStore, context: CaseContext) => Promise<void>,
): StoreCase {
  return {
    name,
    run: async (store) => {
      const issuer = newIssuer()
      const opened = await store.open(issuer)
      try {
        await run(opened, { store, issuer })
      } finally {
        await opened.close()
      }
    },
  }
}

/** An issuer that nobody had before. */
export const newIssuer = (): string => `https://${crypto.randomUUID()}.example`

/** A stream as stores keep it. */
export function streamRecord(stream_id: string, more: Partial<StreamRecord> = {}): StreamRecord {
  return {
    stream_id,
    receiver: 'receiver',
    aud: 'https://app.example',
    delivery: { method: poll },
    events_delivered: ['https://type.example'],
    status: 'enabled',
    ...more,
  }
}

/** An entry of the outbox of a stream. */
export function outboxEntry(
  stream_id: string,
  jti: string,
  more: Partial<OutboxEntry> = {},
): OutboxEntry {
  return {
    stream_id,
    jti,
    kind: 'event',
    lane: `lane of ${jti}`,
    claims: JSON.stringify({ jti, text: 'ünïcode "quoted"' }),
    recorded_at: 1_700_000_000_000,
    ...more,
  }
}

/** The `jti`s of the events that wait on a stream, oldest first. */
export async function jtisOf(
  opened: IssuerStore,
  streamId: string,
  { kind = 'event', after = 0, limit = 1000 }: Partial<Parameters<IssuerStore['readRows']>[1]> = {},
): Promise<readonly string[]> {
  return (await opened.readRows(streamId, { kind, after, limit })).map(({ jti }) => jti)
}

/** The entries of rows, without their places. */
export const entriesOf = (rows: readonly OutboxRow[]): readonly OutboxEntry[] =>
  rows.map(({ stream_id, jti, kind, lane, claims, recorded_at }) => ({
    stream_id,
    jti,
    kind,
    lane,
    claims,
    recorded_at,
  }))

/**
 * Compares as JSON, so that rows without a prototype, and those of another realm, are equal to
 * others.
 */
export function same(actual: unknown, wanted: unknown, what: string): void {
  deepStrictEqual(plain(actual), plain(wanted), explain(what, wanted, actual))
}

/** Compares without regard to the order. */
export function sameSet(
  actual: readonly unknown[],
  wanted: readonly unknown[],
  what: string,
): void {
  const sorted = (values: readonly unknown[]): string[] =>
    // Of this realm's arrays: a driver may give those of another, which count as different.
    Array.from(values, (value) => JSON.stringify(value)).toSorted()
  deepStrictEqual(sorted(actual), sorted(wanted), explain(what, wanted, actual))
}

/** Expects a call to be refused with a code. */
export async function refuses(call: Promise<unknown>, code: string, what: string): Promise<void> {
  const found = await call.then(
    () => fail(`${what} should have been refused with ${code}`),
    (error: unknown) => (error as { code?: unknown }).code,
  )
  strictEqual(found, code, explain(`the code with which ${what} is refused`, code, found))
}

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value))

const explain = (what: string, wanted: unknown, actual: unknown): string =>
  `${what}: ${JSON.stringify(wanted)} was expected, found ${JSON.stringify(actual)}`
