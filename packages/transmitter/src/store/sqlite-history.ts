import type { SqliteIssuer } from './sqlite-issuer.ts'
import { changes, kinds } from './sqlite-rows.ts'
import type { DeadLetter, DeliveredEntry, IssuerStore } from './transmitter-store.ts'

type HistoryMethods = Pick<
  IssuerStore,
  'deadLetters' | 'reviveDeadLetters' | 'purgeDeadLetters' | 'readDelivered' | 'forget'
>

/** How many are forgotten in one commit: others wait for it. */
const forgottenAtOnce = 2000

/** Dead letters, and what was delivered, in the embedded store. */
export function historyMethods(shared: SqliteIssuer): HistoryMethods {
  const { issuer, sql, places, read, commit } = shared
  return {
    deadLetters: (streamId, skip, limit) =>
      read(() => {
        const place = places.find(streamId)
        const rows = place ? sql.deadLetters.all(place.id, limit, skip) : []
        return (rows as Stored<DeadLetter>[]).map((row) => entryOf(streamId, row))
      }),
    reviveDeadLetters: (streamId, jtis, at) =>
      commit(() => {
        const place = places.find(streamId)
        return place ? revive(shared, place.id, { jtis, at }) : []
      }),
    purgeDeadLetters: (streamId, jtis) =>
      commit(() => {
        const place = places.find(streamId)
        if (!place) return 0
        return jtis.filter((jti) => changes(sql.purge.run(place.id, jti)) > 0).length
      }),
    readDelivered: (streamId, { from, to, skip, limit }) =>
      read(() => {
        const place = places.find(streamId)
        const rows = place ? sql.readDelivered.all(place.id, from, to, limit, skip) : []
        return (rows as Stored<DeliveredEntry>[]).map((row) => entryOf(streamId, row))
      }),
    forget: async ({ delivered, buried }) => {
      const limit = forgottenAtOnce
      const some = (): boolean => {
        const one = changes(sql.forgetDelivered.run(issuer, delivered, delivered, limit))
        const other = changes(sql.forgetBuried.run(issuer, buried, limit))
        return one === limit || other === limit
      }
      let mayBeMore = true
      while (mayBeMore) mayBeMore = await commit(some)
    },
  }
}

type Stored<Entry> = Omit<Entry, 'stream_id' | 'kind'> & { readonly kind: number }

function entryOf<Entry extends DeadLetter | DeliveredEntry>(
  stream_id: string,
  { kind, ...row }: Stored<Entry>,
): Entry {
  return { stream_id, kind: kinds[kind], ...row } as unknown as Entry
}

interface Letter {
  readonly id: number
  readonly buried_at: number
  readonly jti: string
}

function revive(
  { sql, nextSeq }: SqliteIssuer,
  stream: number,
  { jtis, at }: { readonly jtis: readonly string[]; readonly at: number },
): readonly string[] {
  const letters = [...new Set(jtis)].flatMap(
    (jti) => sql.findDeadLetter.all(stream, jti) as Letter[],
  )
  const ordered = letters.toSorted(
    (one, other) => one.buried_at - other.buried_at || one.id - other.id,
  )
  for (const { id, jti } of ordered) {
    sql.revive.run(nextSeq(), at, id)
    sql.purge.run(stream, jti)
  }
  return ordered.map(({ jti }) => jti)
}
