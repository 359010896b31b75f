import type { Subject } from '@drawbridge/schema'
import type { Enforcement } from '../enforcement.ts'
import type { AccessDecision } from '../guard/access-decision.ts'
import type { Who } from '../who.ts'

/**
 * A session that the application has registered. Whatever names it is a member of `subject`:
 * `user`, `device`, `session`, `tenant`, `application`, `group`, `org_unit`, and members of one's
 * own such as `token`, `credential` or `key`. Other members of the object are kept as JSON.
 */
export interface RegisteredSession extends Who {
  /** What the application calls it. Registering the same `id` again replaces what was there. */
  readonly id: string
  /** When it ends by itself. Default: it is kept until it is removed. */
  readonly expires?: Date
}

/**
 * The port behind which an application's sessions are kept. Enforcement does not wait for it: it
 * answers who is affected, while `check` alone decides.
 */
export interface SessionStore {
  /**
   * Keeps a session, in the place of the one with the same `id`, atomically.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, or `ERR_STORAGE_VERSION` when a newer release
   *   wrote what would be replaced
   */
  put(session: RegisteredSession): Promise<void>
  /**
   * Keeps a session, and only then asks the enforcement about it: a signal that came before, or
   * meanwhile, is not missed. Answer the login by the decision that comes back. A session that is
   * terminated is removed again, for nothing gives it back; one that is suspended or has to
   * authenticate again is kept, for a counter-signal or the same user does, and so is one that is
   * refused while the ledger has not been read.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE`, and StorageError, as {@link SessionStore.put}
   */
  register(
    session: RegisteredSession,
    enforcement: Pick<Enforcement, 'check'>,
  ): Promise<AccessDecision>
  /**
   * The session with this id, unless it has expired.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, or `ERR_STORAGE_VERSION` for a record of a
   *   newer release
   */
  read(id: string): Promise<RegisteredSession | undefined>
  /**
   * All sessions that a signal about this subject names, by the rule `session` of `matches`, and
   * those that act on behalf of one that it names; in no order. Bound, so that it can be passed:
   * `createEnforcement({ sessions: store.find })`.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, or `ERR_STORAGE_VERSION` for a record of a
   *   newer release: to skip it would be to spare it
   */
  readonly find: (subject: Subject) => Promise<readonly RegisteredSession[]>
  /**
   * The sessions of {@link SessionStore.find} one by one, for a subject with very many of them: read
   * in batches, each at most once. One that is put or removed meanwhile may be among them or not.
   *
   * @throws StorageError as {@link SessionStore.find}
   */
  readonly each: (subject: Subject) => AsyncIterable<RegisteredSession>
  /**
   * Removes a session; nothing happens where there is none.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, or `ERR_STORAGE_VERSION` for a record of a
   *   newer release
   */
  remove(id: string): Promise<void>
  /**
   * Removes what has expired by now. Expired sessions are never found in any case: this gives back
   * their memory.
   *
   * @param now NumericDate, seconds
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
   */
  purge(now: number): Promise<void>
}
