import { openDatabase, type Database, type DriverName } from '@drawbridge/core/sqlite'
import { StorageError } from '@drawbridge/schema'
import { historyMethods } from './sqlite-history.ts'
import type { SqliteIssuer } from './sqlite-issuer.ts'
import { createStreamPlaces, type StreamPlaces } from './sqlite-places.ts'
import { rowMethods } from './sqlite-rows.ts'
import { migrations } from './sqlite-schema.ts'
import { statements, type Statements } from './sqlite-statements.ts'
import { keyMethods, streamMethods } from './sqlite-streams.ts'
import { subjectMethods } from './sqlite-subjects.ts'
import type { IssuerStore, TransmitterStore } from './transmitter-store.ts'

/** What can be chosen about the embedded store. */
export interface SqliteStoreOptions {
  /** The driver. Default: `node:sqlite` where Node has it (22.13 and later), else `libsql`. */
  readonly driver?: DriverName
}

/** 'DbTx': marks a file as a Transmitter's. */
const applicationId = 0x44625478

/** A file that is open, whoever of its issuers opened it. */
interface OpenFile {
  readonly database: Database
  readonly sql: Statements
  /** By id of the issuer: who opens the store of an issuer again shares them. */
  readonly places: Map<number, StreamPlaces>
  nextSeq(): number
}

/**
 * Makes the embedded store: one file, no server, any number of issuers. It survives a SIGKILL at
 * any moment; concurrent calls share a commit. One process has the file open at a time, from the
 * first issuer that opens it to the last that closes.
 *
 * @param file Its folder must exist. `:memory:` is not durable and meant for tests
 */
export function sqliteStore(file: string, options: SqliteStoreOptions = {}): TransmitterStore {
  let opening: Promise<OpenFile> | undefined
  let users = 0

  const openShared = (): Promise<OpenFile> => {
    opening ??= openFile(file, options).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  const leave = async ({ database }: OpenFile): Promise<void> => {
    users--
    // What this one waits for is done before, also where the file stays open for others.
    if (users > 0) return database.commit(() => undefined)
    opening = undefined
    return database.close()
  }

  return {
    open: async (issuer) => {
      users++
      const open = await openShared().catch((error: unknown) => {
        users--
        throw error
      })
      try {
        return await openIssuer(open, { file, issuer, leave: () => leave(open) })
      } catch (error) {
        await leave(open).catch(() => undefined)
        throw error
      }
    },
  }
}

async function openFile(file: string, { driver }: SqliteStoreOptions): Promise<OpenFile> {
  try {
    const database = await openDatabase({
      file,
      applicationId,
      migrations,
      ...(driver === undefined ? {} : { driver }),
    })
    const sql = statements(database)
    const [last] = sql.lastSeq.all() as { seq: number }[]
    let seq = last?.seq ?? 0
    return { database, sql, places: new Map(), nextSeq: () => ++seq }
  } catch (cause) {
    const { failure, message } = cause as { failure?: string; message: string }
    const code = failure === 'newer-version' ? 'ERR_STORAGE_VERSION' : 'ERR_STORAGE_UNAVAILABLE'
    throw new StorageError(code, message, { cause })
  }
}

interface Opening {
  readonly file: string
  readonly issuer: string
  leave(): Promise<void>
}

async function openIssuer(open: OpenFile, opening: Opening): Promise<IssuerStore> {
  const { database, sql, nextSeq } = open
  const { file, leave } = opening
  const failed = (cause: unknown): never => {
    const message = `"${file}" cannot be read or written`
    throw new StorageError('ERR_STORAGE_UNAVAILABLE', message, { cause })
  }
  const issuer = await database.commit(() => issuerId(sql, opening.issuer)).catch(failed)
  const places = open.places.get(issuer) ?? createStreamPlaces(sql, issuer)
  open.places.set(issuer, places)

  let isOpen = true
  const ifOpen = <Result>(run: () => Promise<Result>): Promise<Result> =>
    isOpen
      ? run().catch(failed)
      : Promise.reject(new StorageError('ERR_STORAGE_UNAVAILABLE', `"${file}" is not open`))
  const shared: SqliteIssuer = {
    issuer,
    sql,
    places,
    nextSeq,
    read: (work) => ifOpen(async () => work()),
    commit: (work) => ifOpen(() => database.commit(work)),
  }
  return {
    close: async () => {
      if (!isOpen) return
      isOpen = false
      await leave().catch(failed)
    },
    ...keyMethods(shared),
    ...streamMethods(shared),
    ...subjectMethods(shared),
    ...rowMethods(shared),
    ...historyMethods(shared),
  }
}

function issuerId(sql: Statements, issuer: string): number {
  const find = (): { id: number } | undefined => sql.findIssuer.all(issuer)[0] as { id: number }
  if (!find()) sql.addIssuer.run(issuer)
  return find()?.id ?? 0
}
