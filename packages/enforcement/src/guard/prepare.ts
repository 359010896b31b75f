import type { SubjectInput } from '@drawbridge/schema'
import { checkWho } from '../check-who.ts'
import type { Who } from '../who.ts'

/** Of which version of the entries it is known that none of them is about a session. */
const untouchedAt: unique symbol = Symbol('untouchedAt')

interface Prepared extends Who {
  // In the object itself: to look into another one would cost more than the comparison.
  [untouchedAt]?: object | undefined
}

/**
 * Makes a `who` that is cheap to ask about again: for a connection, a task or a session in memory,
 * which is checked many times. While no signal has arrived since the last check, and nothing was
 * known of it then, the next one is a comparison. The answer is the same as for the `who` it was
 * made from, at every moment.
 *
 * It is a copy that cannot be changed, and can be given to every enforcement. What is spread into
 * another object is not prepared any more.
 *
 * @example
 *   const who = prepare(fromClaims(payload))
 *   socket.on('message', () => enforcement.check(who))
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing
 */
export function prepare(who: Who): Who {
  checkWho(who)
  return copyOf(who)
}

function copyOf(who: Who): Who {
  const members = {
    ...who,
    subject: frozen(who.subject) as SubjectInput,
    began: new Date(who.began.getTime()),
    ...(who.grants && { grants: Object.freeze([...who.grants]) }),
    ...(who.delegator && { delegator: copyOf(who.delegator) }),
  }
  const prepared: object = {}
  // First, so that it is in the object itself; not enumerable, as a copy has another subject.
  Object.defineProperty(prepared, untouchedAt, { value: undefined, writable: true })
  // To take the right to write away later would make every look into the object slow.
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(prepared, name, { value, enumerable: true })
  }
  return Object.preventExtensions(prepared) as Who
}

/** Tells whether it is known of a prepared session that none of these entries is about it. */
export const isKnownUntouched = (who: Prepared | null | undefined, version: object): boolean =>
  who?.[untouchedAt] === version && isItself(who)

/**
 * Remembers that no entry is about a prepared session: the only state that time alone cannot
 * change.
 */
export function rememberUntouched(who: Prepared, version: object): void {
  if (untouchedAt in who && isItself(who)) who[untouchedAt] = version
}

/** What inherits from a prepared session is another one. */
const isItself = (who: Prepared): boolean => Object.getPrototypeOf(who) === Object.prototype

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozen(member)])),
  )
}
