import type { SqliteIssuer } from './sqlite-issuer.ts'
import type { EntryKind, IssuerStore, OutboxEntry, OutboxRow } from './transmitter-store.ts'

type RowMethods = Pick<
  IssuerStore,
  'append' | 'readRows' | 'settle' | 'bury' | 'dropRows' | 'backlog'
>

/** How the kinds of entries are written. */
export const kinds: readonly EntryKind[] = ['event', 'announcement']

/** Puts an entry at the end of the outbox. Only inside a commit. */
export function addRow({ sql, nextSeq }: SqliteIssuer, stream: number, entry: OutboxEntry): void {
  const { jti, lane, claims, kind, recorded_at } = entry
  sql.append.run(nextSeq(), stream, kinds.indexOf(kind), recorded_at, jti, lane, claims)
}

/** The outbox in the embedded store. */
export function rowMethods(shared: SqliteIssuer): RowMethods {
  const { sql, places, read, commit } = shared
  return {
    append: (entries) => commit(() => entries.filter((entry) => append(shared, entry))),
    readRows: (streamId, { kind, after, limit }) =>
      read(() => {
        const place = places.find(streamId)
        if (!place) return []
        const rows = sql.readRows.all(place.id, kinds.indexOf(kind), after, limit)
        return (rows as Row[]).map((row) => ({ stream_id: streamId, kind, ...row }))
      }),
    settle: (streamId, jtis, keptAt) =>
      commit(() => {
        const place = places.find(streamId)
        if (place) for (const jti of jtis) settle(shared, place.id, { jti, keptAt })
      }),
    bury: (streamId, jti, { reason, at }) =>
      commit(() => {
        const place = places.find(streamId)
        if (!place) return false
        sql.bury.run(reason, at, jti, place.id)
        return changes(sql.dropRow.run(jti, place.id)) > 0
      }),
    dropRows: (streamId, { recordedBefore = 0, maxRows = Infinity }) =>
      commit(() => {
        const place = places.find(streamId)
        if (!place) return 0
        const old = sql.firstSince.all(place.id, recordedBefore)
        const beyond = maxRows === Infinity ? [] : sql.firstBeyond.all(place.id, maxRows)
        const since = seqOf(old) ?? Number.MAX_SAFE_INTEGER
        const first = Math.max(since, (seqOf(beyond) ?? -1) + 1)
        return changes(sql.dropEvents.run(place.id, first))
      }),
    backlog: (streamId) =>
      read(() => {
        const place = places.find(streamId)
        if (!place) return { rows: 0, dead_letters: 0 }
        const first = kinds.flatMap((_, kind) => sql.readRows.all(place.id, kind, 0, 1) as Row[])
        const [oldest] = first.toSorted((one, other) => one.seq - other.seq)
        return {
          rows: countOf(sql.countRows.all(place.id)),
          ...(oldest ? { oldest_at: oldest.recorded_at } : {}),
          dead_letters: countOf(sql.countDeadLetters.all(place.id)),
        }
      }),
  }
}

type Row = Omit<OutboxRow, 'stream_id' | 'kind'>

function append(shared: SqliteIssuer, entry: OutboxEntry): boolean {
  const place = shared.places.find(entry.stream_id)
  if (!place || place.isDisabled) return false
  addRow(shared, place.id, entry)
  return true
}

interface Settled {
  readonly jti: string
  readonly keptAt: number | undefined
}

function settle({ sql }: SqliteIssuer, stream: number, { jti, keptAt }: Settled): void {
  if (keptAt !== undefined) sql.keepDelivered.run(keptAt, jti, stream)
  sql.dropRow.run(jti, stream)
}

const seqOf = ([row]: unknown[]): number | undefined => (row as { seq: number } | undefined)?.seq

const countOf = ([row]: unknown[]): number => (row as { count: number }).count

/** Both drivers say how many rows a statement touched. */
export const changes = (result: unknown): number => (result as { changes: number }).changes
