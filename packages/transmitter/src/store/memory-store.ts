import { StorageError } from '@drawbridge/schema'
import { createMemorySubjects, type MemorySubjects } from './memory-subjects.ts'
import type {
  DeadLetter,
  DeliveredEntry,
  IssuerStore,
  OutboxEntry,
  OutboxRow,
  StoredKey,
  StreamRecord,
  TransmitterStore,
} from './transmitter-store.ts'

/**
 * Makes a store that lives as long as the process: for tests, and for trying things out. An event
 * that was transmitted is lost when the process ends.
 */
export function memoryStore(): TransmitterStore {
  const issuers = new Map<string, Kept>()
  const keptOf = (issuer: string): Kept => {
    const kept = issuers.get(issuer) ?? emptyKept()
    issuers.set(issuer, kept)
    return kept
  }
  return { open: async (issuer) => openIssuer(keptOf(issuer)) }
}

interface KeptStream {
  record: StreamRecord
  /** By `jti`, in the order of `seq`. */
  readonly rows: Map<string, OutboxRow>
  readonly deadLetters: Map<string, DeadLetter>
  readonly delivered: Map<string, { readonly entry: DeliveredEntry; readonly seq: number }>
}

/** What an issuer has. */
interface Kept {
  readonly keys: Map<string, StoredKey>
  readonly streams: Map<string, KeptStream>
  readonly subjects: MemorySubjects
  seq: number
}

const emptyKept = (): Kept => ({
  keys: new Map(),
  streams: new Map(),
  subjects: createMemorySubjects(),
  seq: 0,
})

function openIssuer(kept: Kept): IssuerStore {
  let isOpen = true
  const opened = (): Kept => {
    if (!isOpen) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the store is not open')
    return kept
  }
  const streamOf = (streamId: string): KeptStream | undefined => opened().streams.get(streamId)
  return {
    close: async () => void (isOpen = false),
    readKeys: async () =>
      [...opened().keys.values()].toSorted((one, other) => one.active_from - other.active_from),
    writeKeys: async (keys, dropped) => {
      for (const key of keys) opened().keys.set(key.kid, key)
      for (const kid of dropped) kept.keys.delete(kid)
    },
    ...streamMethods(opened, streamOf),
    ...subjectMethods(opened, streamOf),
    ...rowMethods(opened, streamOf),
    ...historyMethods(opened, streamOf),
  }
}

type StreamOf = (streamId: string) => KeptStream | undefined

function streamMethods(
  opened: () => Kept,
  streamOf: StreamOf,
): Pick<
  IssuerStore,
  'readStreams' | 'createStream' | 'updateStream' | 'changeStatus' | 'noteActivity' | 'deleteStream'
> {
  return {
    readStreams: async () => Array.from(opened().streams.values(), ({ record }) => record),
    createStream: async (record, onlyOne) => {
      const { streams } = opened()
      const isOwn = (other: KeptStream): boolean => other.record.receiver === record.receiver
      if (onlyOne && [...streams.values()].some(isOwn)) return false
      const empty = { rows: new Map(), deadLetters: new Map(), delivered: new Map() }
      streams.set(record.stream_id, { record, ...empty })
      return true
    },
    updateStream: async (record) => {
      const found = streamOf(record.stream_id)
      if (!found) return false
      const { receiver, ...kept } = found.record
      const { reason: _, status_set_by: __, active_at: ___, ...changed } = record
      found.record = { ...changed, receiver, ...statusOf(kept), ...activityOf(kept) }
      return true
    },
    changeStatus: async (streamId, change, announcement) => {
      const found = streamOf(streamId)
      if (!found) return false
      const { reason: _, ...rest } = found.record
      found.record = { ...rest, ...change }
      for (const { jti, kind } of found.rows.values()) {
        if (change.status === 'disabled' || kind === 'announcement') found.rows.delete(jti)
      }
      if (announcement) place(found, announcement, opened())
      return true
    },
    noteActivity: async (activeAt) => {
      for (const [streamId, active_at] of activeAt) {
        const found = streamOf(streamId)
        if (found) found.record = { ...found.record, active_at }
      }
    },
    deleteStream: async (streamId) => {
      opened().subjects.forget(streamId)
      return opened().streams.delete(streamId)
    },
  }
}

const statusOf = ({
  status,
  reason,
  status_set_by: by,
}: Pick<StreamRecord, 'status' | 'reason' | 'status_set_by'>): Pick<
  StreamRecord,
  'status' | 'reason' | 'status_set_by'
> => ({
  status,
  ...(reason === undefined ? {} : { reason }),
  ...(by === undefined ? {} : { status_set_by: by }),
})

const activityOf = ({
  active_at,
}: Pick<StreamRecord, 'active_at'>): Pick<StreamRecord, 'active_at'> =>
  active_at === undefined ? {} : { active_at }

/** Puts an entry at the end, also where one with the same `jti` waits. */
function place({ rows }: KeptStream, entry: OutboxEntry, kept: Kept): void {
  rows.delete(entry.jti)
  rows.set(entry.jti, { seq: ++kept.seq, ...entry })
}

function subjectMethods(
  opened: () => Kept,
  streamOf: StreamOf,
): Pick<
  IssuerStore,
  'readSubjectShapes' | 'changeSubjects' | 'applySubjectChanges' | 'findSubjects'
> {
  return {
    readSubjectShapes: async () => opened().subjects.shapes(),
    changeSubjects: async (streamId, changes) => {
      if (!streamOf(streamId)) return false
      for (const change of changes) opened().subjects.change(streamId, change)
      return true
    },
    applySubjectChanges: async (now) => opened().subjects.applyDue(now),
    findSubjects: async (keys) => opened().subjects.find(keys),
  }
}

function rowMethods(
  opened: () => Kept,
  streamOf: StreamOf,
): Pick<IssuerStore, 'append' | 'readRows' | 'settle' | 'bury' | 'dropRows' | 'backlog'> {
  return {
    append: async (entries) =>
      entries.filter((entry) => {
        const found = streamOf(entry.stream_id)
        if (!found || found.record.status === 'disabled') return false
        place(found, entry, opened())
        return true
      }),
    readRows: async (streamId, { kind, after, limit }) => {
      const rows: OutboxRow[] = []
      for (const row of streamOf(streamId)?.rows.values() ?? []) {
        if (rows.length >= limit) break
        if (row.seq > after && row.kind === kind) rows.push(row)
      }
      return rows
    },
    settle: async (streamId, jtis, keptAt) => {
      const found = streamOf(streamId)
      for (const jti of jtis) {
        const row = found?.rows.get(jti)
        if (row && keptAt !== undefined) {
          const entry = { ...entryOf(row), delivered_at: keptAt }
          found?.delivered.set(jti, { entry, seq: row.seq })
        }
        found?.rows.delete(jti)
      }
    },
    bury: async (streamId, jti, { reason, at }) => {
      const found = streamOf(streamId)
      const row = found?.rows.get(jti)
      if (!found || !row) return false
      found.rows.delete(jti)
      found.deadLetters.set(jti, { ...entryOf(row), reason, buried_at: at })
      return true
    },
    dropRows: async (streamId, { recordedBefore = 0, maxRows = Infinity }) => {
      const rows = streamOf(streamId)?.rows ?? new Map<string, OutboxRow>()
      const events = [...rows.values()].filter(({ kind }) => kind === 'event')
      const firstSince = events.findIndex(({ recorded_at: at }) => at >= recordedBefore)
      const old = firstSince === -1 ? events.length : firstSince
      const dropped = events.slice(0, Math.max(old, events.length - maxRows))
      for (const { jti } of dropped) rows.delete(jti)
      return dropped.length
    },
    backlog: async (streamId) => {
      const { rows, deadLetters } = streamOf(streamId) ?? {
        rows: new Map(),
        deadLetters: new Map(),
      }
      const [oldest] = rows.values() as Iterable<OutboxRow>
      return {
        rows: rows.size,
        ...(oldest ? { oldest_at: oldest.recorded_at } : {}),
        dead_letters: deadLetters.size,
      }
    },
  }
}

function historyMethods(
  opened: () => Kept,
  streamOf: StreamOf,
): Pick<
  IssuerStore,
  'deadLetters' | 'reviveDeadLetters' | 'purgeDeadLetters' | 'readDelivered' | 'forget'
> {
  return {
    deadLetters: async (streamId, skip, limit) =>
      lettersOf(streamOf(streamId)).slice(skip, skip + limit),
    reviveDeadLetters: async (streamId, jtis, at) => {
      const found = streamOf(streamId)
      const wanted = new Set(jtis)
      const revived = lettersOf(found).filter(({ jti }) => wanted.has(jti))
      for (const letter of revived) {
        found?.deadLetters.delete(letter.jti)
        if (found) place(found, { ...entryOf(letter), recorded_at: at }, opened())
      }
      return revived.map(({ jti }) => jti)
    },
    purgeDeadLetters: async (streamId, jtis) =>
      jtis.filter((jti) => streamOf(streamId)?.deadLetters.delete(jti)).length,
    readDelivered: async (streamId, { from, to, skip, limit }) =>
      [...(streamOf(streamId)?.delivered.values() ?? [])]
        .filter(({ entry: { recorded_at: at } }) => at >= from && at < to)
        .toSorted(
          (one, other) => one.entry.recorded_at - other.entry.recorded_at || one.seq - other.seq,
        )
        .slice(skip, skip + limit)
        .map(({ entry }) => entry),
    forget: async ({ delivered, buried }) => {
      for (const stream of opened().streams.values()) {
        for (const [jti, { entry }] of stream.delivered) {
          if (entry.delivered_at < delivered) stream.delivered.delete(jti)
        }
        for (const { jti, buried_at: at } of stream.deadLetters.values()) {
          if (at < buried) stream.deadLetters.delete(jti)
        }
      }
    },
  }
}

/** The dead letters of a stream, oldest first. */
const lettersOf = (stream: KeptStream | undefined): readonly DeadLetter[] =>
  [...(stream?.deadLetters.values() ?? [])].toSorted(
    (one, other) => one.buried_at - other.buried_at,
  )

/** An entry without what a table adds. */
function entryOf({ stream_id, jti, kind, lane, claims, recorded_at }: OutboxEntry): OutboxEntry {
  return { stream_id, jti, kind, lane, claims, recorded_at }
}
