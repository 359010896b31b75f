import { checkOptions } from '@drawbridge/core'
import type { Subject } from '@drawbridge/schema'
import type { Identify } from '../../bindings/identify.ts'
import type { Hook, HookCall } from '../hooks.ts'
import { forEach } from './for-each.ts'
import { allSessions, destroySession } from './session-store.ts'
import type { ExpressSessionStore, StoredSession } from './session-store.ts'

/** The options of {@link destroyExpressSessions}. */
export interface DestroyExpressSessionsOptions<Session> {
  /** The store that `express-session` was given. */
  readonly store: ExpressSessionStore<Session>
  /**
   * Says whose a session is, as the guard is told: `undefined` for one without a login, which is
   * never destroyed.
   */
  readonly identify: Identify<Session>
  /**
   * Gives the sessions that a subject may mean, and perhaps others: `identify` decides. For a store
   * without `all`, or with so many sessions that nobody wants to read them all. Default: all
   * sessions of the store.
   */
  readonly find?: (
    subject: Subject,
    call: HookCall,
  ) => Iterable<StoredSession<Session>> | Promise<Iterable<StoredSession<Session>>>
}

const optionNames = ['store', 'identify', 'find']

/**
 * Makes a hook that destroys the sessions of `express-session` that a signal reaches, by the
 * judgement of the guard: a cut destroys nothing that began later. To destroy a session twice does
 * no harm. A request that is under way may store its session once more when it ends; the guard
 * refuses that one as well.
 *
 * @example
 *   const whoOf = ({ login }: SessionData) =>
 *     login && {
 *       subject: { user: issSub(idp, login.sub), session: opaque(login.sid) },
 *       began: new Date(login.authTime * 1000),
 *     }
 *   const terminate = destroyExpressSessions({ store, identify: whoOf })
 *   app.use(guard(enforcement, ({ session }) => whoOf(session)))
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 */
export function destroyExpressSessions<Session>(
  options: DestroyExpressSessionsOptions<Session>,
): Hook {
  checkDestroyExpressSessions(options ?? {})
  const { store, identify, find = () => allSessions(store) } = options
  return async (call) => {
    const sessions = await find(call.subject, call)
    const context = { signal: call.signal, failed: 'sessions could not be judged or destroyed' }
    await forEach(sessions, context, async ({ sid, session }) => {
      const who = await identify(session)
      if (!who || !call.takesFrom(who)) return
      await destroySession(store, sid)
    })
  }
}

function checkDestroyExpressSessions<Session>(
  options: Partial<DestroyExpressSessionsOptions<Session>>,
): void {
  const { check, known, done } = checkOptions('destroyExpressSessions')
  const { store, identify, find } = options
  known(options, optionNames)
  check(
    typeof store?.destroy === 'function',
    '"store" must be a store of express-session, which has "destroy"',
  )
  check(
    typeof identify === 'function',
    '"identify" must be a function that says whose a session is',
  )
  check(
    find === undefined ? typeof store?.all === 'function' : typeof find === 'function',
    '"find" must be a function where "store" has no "all"',
  )
  done()
}
