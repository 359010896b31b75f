import type { Subject } from '@drawbridge/schema'
import type { SessionKeys } from './session-keys.ts'
import { hasExpired } from './session-record.ts'
import type { RegisteredSession } from './sessions.ts'

/** Sessions in memory, by id and by key. No key outlives its last session. */
export interface SessionFiles {
  /** Files a session in the place of the one with its id. A few that have expired make room. */
  put(session: RegisteredSession): void
  read(id: string): RegisteredSession | undefined
  find(subject: Subject): readonly RegisteredSession[]
  remove(id: string): void
  /** Removes what has expired by a moment, in milliseconds since 1970. */
  purge(nowMs: number): void
  /** How many there are, the expired ones included, and under how many keys. */
  count(): { readonly sessions: number; readonly keys: number }
}

/** What a session is known as is worked out once: it costs more than all the rest of a look. */
interface Filed {
  readonly session: RegisteredSession
  readonly subjects: readonly Subject[]
  readonly keys: readonly string[]
}

/** How many sessions each `put` looks at: more than one, so that it gains on those that come. */
const sweptPerPut = 2

/**
 * Makes files without sessions.
 *
 * @param now Milliseconds since 1970
 */
export function createSessionFiles(sessionKeys: SessionKeys, now: () => number): SessionFiles {
  const byId = new Map<string, Filed>()
  const byKey = new Map<string, Set<Filed>>()
  let round = byId.values()

  const remove = (id: string): void => {
    const filed = byId.get(id)
    if (!filed) return
    byId.delete(id)
    for (const key of filed.keys) {
      const file = byKey.get(key)
      file?.delete(filed)
      if (file?.size === 0) byKey.delete(key)
    }
  }

  /** The session, or nothing where it has expired: then it goes. */
  const living = ({ session }: Filed, nowMs: number): RegisteredSession | undefined => {
    if (!hasExpired(session, nowMs)) return session
    remove(session.id)
    return undefined
  }

  const sweep = (): void => {
    for (let looks = 0; looks < sweptPerPut; looks++) {
      const { value, done } = round.next()
      if (done === true) round = byId.values()
      else living(value, now())
    }
  }

  return {
    put: (session) => {
      const subjects = sessionKeys.subjects(session)
      const filed: Filed = { session, subjects, keys: sessionKeys.filing(subjects) }
      sweep()
      remove(session.id)
      byId.set(session.id, filed)
      for (const key of filed.keys) byKey.set(key, (byKey.get(key) ?? new Set()).add(filed))
    },
    read: (id) => {
      const filed = byId.get(id)
      return filed && living(filed, now())
    },
    find: (subject) => {
      const { keys, reaches } = sessionKeys.lookup(subject)
      return filedUnder(keys, byKey)
        .filter(({ subjects }) => reaches(subjects))
        .map((filed) => living(filed, now()))
        .filter((session) => session !== undefined)
    },
    remove,
    purge: (nowMs) => {
      for (const filed of byId.values()) living(filed, nowMs)
    },
    count: () => ({ sessions: byId.size, keys: byKey.size }),
  }
}

/** Those under the keys of the member that has the fewest. */
function filedUnder(
  members: readonly (readonly string[])[],
  byKey: ReadonlyMap<string, ReadonlySet<Filed>>,
): readonly Filed[] {
  const candidates = members.map((keys) => keys.map((key) => byKey.get(key) ?? none))
  const [fewest] = candidates.toSorted((one, other) => sizeOf(one) - sizeOf(other))
  return [...new Set(fewest?.flatMap((file) => [...file]))]
}

const none: ReadonlySet<Filed> = new Set()

const sizeOf = (files: readonly ReadonlySet<Filed>[]): number =>
  files.reduce((size, file) => size + file.size, 0)
