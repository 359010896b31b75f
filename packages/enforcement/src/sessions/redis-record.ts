import { StorageError } from '@drawbridge/schema'
import { createHash } from 'node:crypto'
import { damaged, readSessionText, sessionText } from './session-record.ts'
import type { RegisteredSession } from './sessions.ts'

/** The layout of a record: a line with this number and the places where its id is filed, then JSON. */
const version = '1'

/**
 * A text of fixed length without meaning. Ids and identifiers come in any length and with any
 * character, and a session's id may be a secret: none of it stands in a key of Redis.
 */
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** The name of an id in Redis. By its JSON, in which every text is different. */
export const nameOfId = (id: string): string => hash(JSON.stringify(id))

/** The name of a place in Redis where the ids of sessions are filed. */
export const nameOfPlace = (key: string): string => hash(key)

/** Writes a record. */
export const recordOf = (session: RegisteredSession, places: readonly string[]): string =>
  `${[version, ...places].join(' ')}\n${sessionText(session)}`

/**
 * Reads the places in a record, or in its first line.
 *
 * @throws StorageError `ERR_STORAGE_VERSION` for a record of a newer release,
 *   `ERR_STORAGE_UNAVAILABLE` for what is no record
 */
export function placesIn(record: string): readonly string[] {
  const [written, ...places] = (record.split('\n', 1)[0] ?? '').split(' ')
  if (written === version) return places
  if (!/^\d+$/.test(written ?? '')) throw damaged()
  throw new StorageError(
    'ERR_STORAGE_VERSION',
    'the session store holds a record that this release cannot read: use the release that wrote it, or a newer one',
  )
}

/**
 * Reads the session in a record.
 *
 * @throws StorageError as {@link placesIn}
 */
export function sessionIn(record: string): RegisteredSession {
  placesIn(record)
  return readSessionText(record.slice(record.indexOf('\n') + 1))
}
