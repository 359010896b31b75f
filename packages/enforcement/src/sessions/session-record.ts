import { StorageError } from '@drawbridge/schema'
import type { Who } from '../who.ts'
import type { RegisteredSession } from './sessions.ts'

/** Who a session is of, as JSON: times are milliseconds since 1970. */
type WhoRecord = Omit<Who, 'began' | 'delegator'> & {
  readonly began: number
  readonly delegator?: WhoRecord
}

/** A session as JSON. */
type SessionRecord = Omit<RegisteredSession, keyof Who | 'expires'> &
  WhoRecord & { readonly expires?: number }

/** Writes a session as JSON text. */
export const sessionText = (session: RegisteredSession): string =>
  JSON.stringify({ ...recordOf(session), expires: session.expires?.getTime() })

const recordOf = ({ began, delegator, ...rest }: Who): WhoRecord => ({
  ...rest,
  began: began.getTime(),
  ...(delegator && { delegator: recordOf(delegator) }),
})

const whoIn = ({ began, delegator, ...rest }: WhoRecord): Who => ({
  ...rest,
  began: new Date(began),
  ...(delegator && { delegator: whoIn(delegator) }),
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
  const { expires, id, ...rest } = record
  const session = { id, ...whoIn(rest) }
  return expires === undefined ? session : { ...session, expires: new Date(expires) }
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
