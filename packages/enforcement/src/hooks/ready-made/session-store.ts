/**
 * A store of `express-session`, as far as it is needed: its own `MemoryStore`, `connect-redis` and
 * all others.
 */
export interface ExpressSessionStore<Session> {
  /** Gives all sessions: by id, or as a list of sessions that have an `id`. */
  all?(callback: (error?: unknown, sessions?: StoredSessions<Session> | null) => void): unknown
  /** Removes a session. One that is not there is no error. */
  destroy(sid: string, callback: (error?: unknown) => void): unknown
}

/** What stores give for `all`. */
export type StoredSessions<Session> = readonly Session[] | { readonly [sid: string]: Session }

/** A session and the id it is stored under. */
export interface StoredSession<Session> {
  readonly sid: string
  readonly session: Session
}

/**
 * All sessions of a store.
 *
 * @throws TypeError for a store that gives sessions without their ids
 */
export async function allSessions<Session>(
  store: ExpressSessionStore<Session>,
): Promise<readonly StoredSession<Session>[]> {
  const sessions = await called<StoredSessions<Session> | null>((done) => store.all?.(done))
  if (!Array.isArray(sessions)) {
    return Object.entries<Session>(sessions ?? {}).map(([sid, session]) => ({ sid, session }))
  }
  return sessions.map((session: Session) => {
    const { id } = (session ?? {}) as { readonly id?: unknown }
    if (typeof id === 'string' && id !== '') return { sid: id, session }
    throw new TypeError('"store.all" gives sessions without an "id": give "find" instead')
  })
}

/** Removes a session from a store. */
export async function destroySession(
  store: ExpressSessionStore<unknown>,
  sid: string,
): Promise<void> {
  await called((done) => store.destroy(sid, done))
}

/** Calls a function that reports by a callback, or rejects instead where it is asynchronous. */
function called<Result>(
  call: (done: (error?: unknown, result?: Result) => void) => unknown,
): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown, result?: Result): void => {
      if (error) reject(error)
      else resolve(result)
    }
    Promise.resolve(call(done)).catch(reject)
  })
}
