import { StorageError } from '@drawbridge/schema'
import type { RegisteredSession } from './sessions.ts'

/** A session as JSON: times are milliseconds since 1970. */
type SessionRecord = Omit<RegisteredSession, 'began' | 'expires'> & {
  readonly began: number
  readonly expires?: number
}

/** Writes a session as JSON text. */
export const sessionText = (session: RegisteredSession): string =>
  JSON.stringify({
    ...session,
    began: session.began.getTime(),
    expires: session.expires?.getTime(),
  })

/**
 * Reads a session that a store kept as JSON text.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` for what is no session
 */
export function readSessionText(text: string): RegisteredSession {
  const record = parse(text)
  if (typeof record?.id !== 'string' || !record.subject || typeof record.began !== 'number') {
    throw damaged()
  }
  const { expires, ...rest } = record
  const began = new Date(record.began)
  return expires === undefined ? { ...rest, began } : { ...rest, began, expires: new Date(expires) }
}

/** The error about a record that is none. */
export const damaged = (): StorageError =>
  new StorageError('ERR_STORAGE_UNAVAILABLE', 'the session store holds a record that is damaged')

function parse(text: string): SessionRecord | undefined {
  try {
    return (JSON.parse(text) as SessionRecord | null) ?? undefined
  } catch {
    return undefined
  }
}

/**
 * Tells whether a session has ended by itself.
 *
 * @param nowMs Milliseconds since 1970
 */
export const hasExpired = ({ expires }: RegisteredSession, nowMs: number): boolean =>
  expires !== undefined && expires.getTime() <= nowMs
