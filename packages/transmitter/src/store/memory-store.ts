import { StorageError } from '@drawbridge/schema'
import type {
  DeadLetter,
  OutboxRow,
  StoredKey,
  StreamRecord,
  TransmitterStore,
} from './transmitter-store.ts'

interface Kept {
  stream: StreamRecord
  /** By `jti`, in the order of `seq`. */
  readonly rows: Map<string, OutboxRow>
  readonly deadLetters: DeadLetter[]
}

/**
 * Makes a store that lives as long as the process: for tests, and for trying things out. An event
 * that was transmitted is lost when the process ends.
 */
export function memoryStore(): TransmitterStore {
  const keys = new Map<string, StoredKey>()
  const streams = new Map<string, Kept>()
  let seq = 0
  let isOpen = false

  const kept = (streamId: string): Kept | undefined => {
    if (!isOpen) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the store is not open')
    return streams.get(streamId)
  }

  return {
    open: async () => void (isOpen = true),
    close: async () => void (isOpen = false),
    readKeys: async () => [...keys.values()],
    addKey: async (key) => void (keys.has(key.kid) || keys.set(key.kid, key)),
    readStreams: async () => Array.from(streams.values(), ({ stream }) => stream),
    createStream: async (stream, onlyOne) => {
      kept(stream.stream_id)
      const others = [...streams.values()].filter((one) => one.stream.receiver === stream.receiver)
      if (onlyOne && others.length > 0) return false
      streams.set(stream.stream_id, { stream, rows: new Map(), deadLetters: [] })
      return true
    },
    updateStream: async (stream) => {
      const found = kept(stream.stream_id)
      if (!found) return false
      const { receiver, status, reason } = found.stream
      const { reason: _, ...rest } = stream
      found.stream = { ...rest, receiver, status, ...(reason === undefined ? {} : { reason }) }
      return true
    },
    changeStatus: async (streamId, { status, reason }) => {
      const found = kept(streamId)
      if (!found) return false
      const { reason: _, ...rest } = found.stream
      found.stream = { ...rest, status, ...(reason === undefined ? {} : { reason }) }
      if (status === 'disabled') found.rows.clear()
      return true
    },
    deleteStream: async (streamId) => kept(streamId) !== undefined && streams.delete(streamId),
    append: async (entries) =>
      entries.filter((entry) => {
        const found = kept(entry.stream_id)
        if (!found || found.stream.status === 'disabled') return false
        found.rows.set(entry.jti, { ...entry, seq: ++seq })
        return true
      }),
    readRows: async (streamId, afterSeq, limit) => {
      const rows: OutboxRow[] = []
      for (const row of kept(streamId)?.rows.values() ?? []) {
        if (rows.length >= limit) break
        if (row.seq > afterSeq) rows.push(row)
      }
      return rows
    },
    settle: async (streamId, jtis) => {
      const found = kept(streamId)
      for (const jti of jtis) found?.rows.delete(jti)
    },
    bury: async (streamId, jti, { reason, at }) => {
      const found = kept(streamId)
      const row = found?.rows.get(jti)
      if (!found || !row) return false
      found.rows.delete(jti)
      const { claims } = row
      found.deadLetters.push({ stream_id: streamId, jti, claims, reason, buried_at: at })
      return true
    },
    deadLetters: async (streamId) => [...(kept(streamId)?.deadLetters ?? [])],
  }
}
