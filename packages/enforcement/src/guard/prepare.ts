import type { SubjectInput } from '@drawbridge/schema'
import { checkWho, type Who } from '../session.ts'

/** Of which version of the entries it is known that none of them is about a session. */
const untouchedAt: unique symbol = Symbol('untouchedAt')

interface Memory {
  /** An object that inherits from a prepared one is another session. */
  owner: Who | undefined
  version: object | undefined
}

interface Prepared extends Who {
  readonly [untouchedAt]?: Memory
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
  const memory: Memory = { owner: undefined, version: undefined }
  const prepared = Object.freeze(
    Object.defineProperty(
      {
        ...who,
        subject: frozen(who.subject) as SubjectInput,
        began: new Date(who.began.getTime()),
        ...(who.grants && { grants: Object.freeze([...who.grants]) }),
      },
      // Not enumerable: a copy has another subject, perhaps.
      untouchedAt,
      { value: memory },
    ),
  )
  memory.owner = prepared
  return prepared
}

/** Tells whether it is known of a prepared session that none of these entries is about it. */
export function isKnownUntouched(who: Prepared, version: object): boolean {
  const memory = who[untouchedAt]
  return memory !== undefined && memory.version === version && memory.owner === who
}

/**
 * Remembers that no entry is about a prepared session: the only state that time alone cannot
 * change.
 */
export function rememberUntouched(who: Prepared, version: object): void {
  const memory = who[untouchedAt]
  if (memory?.owner === who) memory.version = version
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozen(member)])),
  )
}
