import { checkSession } from './check-session.ts'
import { readStoreOptions, type SessionStoreOptions } from './options.ts'
import { registerIn } from './register.ts'
import { createSessionFiles } from './session-files.ts'
import { readSessionText, sessionText } from './session-record.ts'
import type { SessionStore } from './sessions.ts'

/**
 * Makes a store of sessions in this process: for one node, and for tests. Sessions are found by
 * each of their names without a look at the others, and expired ones make room by themselves as
 * others come.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 */
export function memorySessions(options: SessionStoreOptions = {}): SessionStore {
  const { keys, now } = readStoreOptions('memorySessions', options)
  const files = createSessionFiles(keys, now)

  const store: SessionStore = {
    put: async (session) => {
      checkSession(session)
      // A copy by way of the text: what the caller changes later changes nothing here.
      files.put(readSessionText(sessionText(session)))
    },
    register: (session, enforcement) => registerIn(store, session, enforcement),
    read: async (id) => files.read(id),
    find: async (subject) => files.find(subject),
    each: async function* each(subject) {
      yield* files.find(subject)
    },
    remove: async (id) => files.remove(id),
    purge: async (seconds) => files.purge(seconds * 1000),
  }
  return store
}
