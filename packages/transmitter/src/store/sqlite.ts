import { openDatabase, type Database, type DriverName } from '@drawbridge/core/sqlite'
import { StorageError } from '@drawbridge/schema'
import { migrations, statements, type Statements } from './sqlite-schema.ts'
import type {
  DeadLetter,
  OutboxRow,
  StoredKey,
  StreamRecord,
  TransmitterStore,
} from './transmitter-store.ts'

/** What can be chosen about the embedded store. */
export interface SqliteStoreOptions {
  /** The driver. Default: `node:sqlite` where Node has it (22.13 and later), else `libsql`. */
  readonly driver?: DriverName
}

/** 'DbTx': marks a file as a Transmitter's. */
const applicationId = 0x44625478

interface Open {
  readonly database: Database
  readonly sql: Statements
  seq: number
}

/**
 * Makes the embedded store: one file, no server. It survives a SIGKILL at any moment; concurrent
 * calls share a commit. One process has the file open at a time.
 *
 * @param file Its folder must exist. `:memory:` is not durable and meant for tests
 */
export function sqliteStore(file: string, options: SqliteStoreOptions = {}): TransmitterStore {
  let opening: Promise<Open> | undefined
  let open: Open | undefined

  const opened = (): Open => {
    if (!open) throw new StorageError('ERR_STORAGE_UNAVAILABLE', `"${file}" is not open`)
    return open
  }
  const commit = async <Result>(work: (open: Open) => Result): Promise<Result> => {
    const target = opened()
    try {
      return await target.database.commit(() => work(target))
    } catch (cause) {
      throw new StorageError('ERR_STORAGE_UNAVAILABLE', `"${file}" cannot be written`, { cause })
    }
  }

  return {
    open: async () => {
      opening ??= openFile(file, options)
      try {
        open = await opening
      } catch (error) {
        opening = undefined
        throw error
      }
    },
    close: async () => {
      const closing = opening
      opening = open = undefined
      await (await closing)?.database.close()
    },
    readKeys: async () => opened().sql.readKeys.all() as StoredKey[],
    addKey: ({ kid, alg, public_jwk, sealed_private_jwk }) =>
      commit(({ sql }) => void sql.addKey.run(kid, alg, public_jwk, sealed_private_jwk)),
    readStreams: async () => (opened().sql.readStreams.all() as StreamRow[]).map(streamOf),
    createStream: (stream, onlyOne) =>
      commit(({ sql }) => {
        if (onlyOne && sql.streamsOf.all(stream.receiver).length > 0) return false
        const { stream_id, receiver, status, reason, ...rest } = stream
        sql.createStream.run(stream_id, receiver, status, reason ?? null, JSON.stringify(rest))
        return true
      }),
    updateStream: ({ stream_id, receiver: _owner, status: _status, reason: _reason, ...rest }) =>
      commit(({ sql }) => changed(sql.updateStream.run(JSON.stringify(rest), stream_id))),
    changeStatus: (streamId, { status, reason }) =>
      commit(({ sql }) => {
        if (status === 'disabled') sql.dropRows.run(streamId)
        return changed(sql.changeStatus.run(status, reason ?? null, streamId))
      }),
    deleteStream: (streamId) =>
      commit(({ sql }) => {
        sql.dropRows.run(streamId)
        sql.dropDeadLetters.run(streamId)
        return changed(sql.deleteStream.run(streamId))
      }),
    append: (entries) =>
      commit((target) =>
        entries.filter(({ stream_id, jti, lane, claims }) =>
          changed(target.sql.append.run(++target.seq, stream_id, jti, lane, claims, stream_id)),
        ),
      ),
    readRows: async (streamId, afterSeq, limit) =>
      opened().sql.readRows.all(streamId, afterSeq, limit) as OutboxRow[],
    settle: (streamId, jtis) =>
      commit(({ sql }) => {
        for (const jti of jtis) sql.dropRow.run(jti, streamId)
      }),
    bury: (streamId, jti, { reason, at }) =>
      commit(({ sql }) => {
        const buried = changed(sql.bury.run(reason, at, jti, streamId))
        sql.dropRow.run(jti, streamId)
        return buried
      }),
    deadLetters: async (streamId) => opened().sql.deadLetters.all(streamId) as DeadLetter[],
  }
}

async function openFile(file: string, { driver }: SqliteStoreOptions): Promise<Open> {
  try {
    const database = await openDatabase({
      file,
      applicationId,
      migrations,
      ...(driver === undefined ? {} : { driver }),
    })
    const sql = statements(database)
    const [last] = sql.lastSeq.all() as { seq: number | null }[]
    return { database, sql, seq: last?.seq ?? 0 }
  } catch (cause) {
    const { failure, message } = cause as { failure?: string; message: string }
    const code = failure === 'newer-version' ? 'ERR_STORAGE_VERSION' : 'ERR_STORAGE_UNAVAILABLE'
    throw new StorageError(code, message, { cause })
  }
}

interface StreamRow extends Pick<StreamRecord, 'stream_id' | 'receiver' | 'status'> {
  readonly reason: string | null
  /** All other members, JSON. */
  readonly configuration: string
}

function streamOf({ configuration, reason, ...row }: StreamRow): StreamRecord {
  const rest = JSON.parse(configuration) as Omit<StreamRecord, keyof StreamRow>
  return { ...row, ...(reason === null ? {} : { reason }), ...rest }
}

/** Both drivers say how many rows a statement touched. */
const changed = (result: unknown): boolean => (result as { changes: number }).changes > 0
