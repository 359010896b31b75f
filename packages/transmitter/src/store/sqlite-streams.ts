import type { SqliteIssuer } from './sqlite-issuer.ts'
import { addRow } from './sqlite-rows.ts'
import type { IssuerStore, StoredKey, StreamRecord } from './transmitter-store.ts'

type KeyMethods = Pick<IssuerStore, 'readKeys' | 'writeKeys'>

/** Keys in the embedded store. */
export function keyMethods({ issuer, sql, read, commit }: SqliteIssuer): KeyMethods {
  return {
    readKeys: () => read(() => (sql.readKeys.all(issuer) as KeyRow[]).map(keyOf)),
    writeKeys: (keys, dropped) =>
      commit(() => {
        for (const key of keys) {
          const { kid, alg, public_jwk, sealed_private_jwk, active_from, published_until } = key
          const until = published_until ?? null
          const jwks = [public_jwk, sealed_private_jwk] as const
          sql.writeKey.run(issuer, kid, alg, ...jwks, active_from, until)
        }
        for (const kid of dropped) sql.dropKey.run(issuer, kid)
      }),
  }
}

interface KeyRow extends Omit<StoredKey, 'published_until'> {
  readonly published_until: number | null
}

function keyOf({ published_until, ...key }: KeyRow): StoredKey {
  return { ...key, ...(published_until === null ? {} : { published_until }) }
}

type StreamMethods = Pick<
  IssuerStore,
  'readStreams' | 'createStream' | 'updateStream' | 'changeStatus' | 'noteActivity' | 'deleteStream'
>

/** Streams in the embedded store. */
export function streamMethods(shared: SqliteIssuer): StreamMethods {
  const { issuer, sql, places, read, commit } = shared
  return {
    readStreams: () => read(() => (sql.readStreams.all(issuer) as StreamRow[]).map(streamOf)),
    createStream: (stream, onlyOne) =>
      places.whileChanging(stream.stream_id, () =>
        commit(() => {
          if (onlyOne && sql.streamsOf.all(issuer, stream.receiver).length > 0) return false
          insertStream(shared, stream)
          return true
        }),
      ),
    updateStream: (stream) =>
      commit(() => {
        const place = places.find(stream.stream_id)
        if (place) sql.updateStream.run(configurationOf(stream), place.id)
        return place !== undefined
      }),
    changeStatus: (streamId, { status, reason, status_set_by: by }, announcement) =>
      places.whileChanging(streamId, () =>
        commit(() => {
          const place = places.find(streamId)
          if (!place) return false
          sql.changeStatus.run(status, reason ?? null, by, place.id)
          if (status === 'disabled') sql.deleteRows.run(place.id)
          else sql.dropAnnouncements.run(place.id)
          if (announcement) addRow(shared, place.id, announcement)
          return true
        }),
      ),
    noteActivity: (activeAt) =>
      commit(() => {
        for (const [streamId, at] of activeAt) {
          const place = places.find(streamId)
          if (place) sql.noteActivity.run(at, place.id)
        }
      }),
    deleteStream: (streamId) =>
      places.whileChanging(streamId, () =>
        commit(() => {
          const place = places.find(streamId)
          if (place) deleteStream(shared, place.id)
          return place !== undefined
        }),
      ),
  }
}

function insertStream({ issuer, sql }: SqliteIssuer, stream: StreamRecord): void {
  const { stream_id, receiver, status, reason, status_set_by, active_at } = stream
  sql.createStream.run(
    issuer,
    stream_id,
    receiver,
    status,
    reason ?? null,
    status_set_by ?? null,
    active_at ?? null,
    configurationOf(stream),
  )
}

function deleteStream({ sql }: SqliteIssuer, id: number): void {
  sql.deleteStream.run(id)
  sql.deleteShapes.run(id)
  sql.deleteSubjects.run(id)
  sql.deleteLaterSubjects.run(id)
  sql.deleteRows.run(id)
  sql.deleteDeadLetters.run(id)
  sql.deleteDelivered.run(id)
}

interface StreamRow extends Pick<StreamRecord, 'stream_id' | 'receiver' | 'status'> {
  readonly reason: string | null
  readonly status_set_by: 'receiver' | 'transmitter' | null
  readonly active_at: number | null
  /** All other members, JSON. */
  readonly configuration: string
}

function configurationOf(stream: StreamRecord): string {
  const { stream_id: _id, receiver: _receiver, status: _status, reason: _reason, ...more } = stream
  const { status_set_by: _by, active_at: _at, ...configuration } = more
  return JSON.stringify(configuration)
}

function streamOf(row: StreamRow): StreamRecord {
  const { configuration, reason, status_set_by, active_at, ...columns } = row
  return {
    ...columns,
    ...(reason === null ? {} : { reason }),
    ...(status_set_by === null ? {} : { status_set_by }),
    ...(active_at === null ? {} : { active_at }),
    ...(JSON.parse(configuration) as Omit<StreamRecord, keyof StreamRow>),
  }
}
