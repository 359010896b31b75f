import { checkOptions } from '@drawbridge/core'
import { readSession } from '../session.ts'
import type { RegisteredSession } from './sessions.ts'

/**
 * Judges a session before it is kept.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing: a session
 *   without `began` could never be told from one that began after a signal
 */
export function checkSession(session: RegisteredSession): void {
  const { check, done } = checkOptions('sessions')
  if (typeof session !== 'object' || session === null) {
    check(false, '"session" must be an object')
    return done()
  }
  const { id, expires } = session
  check(typeof id === 'string' && id !== '', '"session.id" must be a text that is not empty')
  for (const mistake of mistakesOfWho(session)) check(false, mistake)
  check(expires === undefined || isDate(expires), '"session.expires" must be a valid Date')
  done()
}

/** By the judge of every request. It says "who"; whoever registers wrote "session". */
function mistakesOfWho(session: RegisteredSession): readonly string[] {
  try {
    readSession(session, 0)
    return []
  } catch (error) {
    const { mistakes } = error as { readonly mistakes?: readonly string[] }
    if (!mistakes) throw error
    return mistakes.map((mistake) => mistake.replaceAll('"who.', '"session.'))
  }
}

const isDate = (value: Date): boolean =>
  typeof value?.getTime === 'function' && Number.isFinite(value.getTime())
