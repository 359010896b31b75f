import type { Inbox, InboxEntry, InboxRow, InboxState, SetName } from './inbox.ts'

type Known =
  | { readonly state: 'handled' }
  | { readonly state: 'waiting'; readonly row: InboxRow }
  | { readonly state: 'dead'; readonly row: InboxRow; readonly reason: string; readonly at: number }

/**
 * Makes an inbox in memory: it forgets at the end of the process, and the oldest handled SETs where
 * it is full. What comes again after that is handled again, which handlers allow for by their
 * idempotency key.
 *
 * @param capacity How many handled SETs it remembers. Default 100,000 (about 20 MB).
 */
export function memoryInbox(capacity = 100_000): Inbox {
  const known = new Map<string, Known>()
  let handled = 0
  let seq = 0

  const set = (name: SetName, state: Known): void => {
    const key = keyOf(name)
    if (known.get(key)?.state === 'handled') handled--
    // Deleted first: what is set anew is the youngest.
    known.delete(key)
    known.set(key, state)
    if (state.state === 'handled' && ++handled > capacity) forgetOldest()
  }
  const forgetOldest = (): void => {
    for (const [key, { state }] of known) {
      if (state !== 'handled') continue
      known.delete(key)
      handled--
      return
    }
  }
  const dead = (name: SetName): (Known & { readonly state: 'dead' }) | undefined => {
    const found = known.get(keyOf(name))
    return found?.state === 'dead' ? found : undefined
  }
  const waitingRow = (name: SetName): InboxRow | undefined => {
    const found = known.get(keyOf(name))
    return found?.state === 'waiting' ? found.row : undefined
  }

  return {
    open: async () => undefined,
    close: async () => undefined,
    read: async (name): Promise<InboxState> => known.get(keyOf(name))?.state ?? 'unknown',
    markHandled: async (name) => set(name, { state: 'handled' }),
    store: async (entry) => {
      if (known.has(keyOf(entry))) return false
      set(entry, { state: 'waiting', row: { ...entry, seq: ++seq, attempts: 0 } })
      return true
    },
    waiting: async (after, limit) =>
      Array.from(known.values())
        .flatMap((one) => (one.state === 'waiting' && one.row.seq > after ? [one.row] : []))
        .toSorted((one, other) => one.seq - other.seq)
        .slice(0, limit),
    noteAttempts: async (name, attempts) => {
      const row = waitingRow(name)
      if (row) known.set(keyOf(name), { state: 'waiting', row: { ...row, attempts } })
    },
    bury: async (name, { reason, at }) => {
      const row = waitingRow(name)
      if (row) set(name, { state: 'dead', row, reason, at })
    },
    deadLetters: async (skip, limit) =>
      Array.from(known.values())
        .flatMap((one) =>
          one.state === 'dead'
            ? [
                {
                  ...entryOf(one.row),
                  attempts: one.row.attempts,
                  reason: one.reason,
                  buried_at: one.at,
                },
              ]
            : [],
        )
        .slice(skip, skip + limit),
    revive: async (names) => {
      const found = names.flatMap((name) => dead(name) ?? [])
      for (const { row } of found) {
        set(row, { state: 'waiting', row: { ...entryOf(row), seq: ++seq, attempts: 0 } })
      }
      return found.length
    },
    purge: async (names) => {
      const found = names.filter(dead)
      for (const name of found) set(name, { state: 'handled' })
      return found.length
    },
  }
}

const keyOf = ({ iss, jti }: SetName): string => JSON.stringify([iss, jti])

const entryOf = ({ iss, jti, transmitter, lane, claims, received_at }: InboxEntry): InboxEntry => ({
  iss,
  jti,
  transmitter,
  lane,
  claims,
  received_at,
})
