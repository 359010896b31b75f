/**
 * Calls `act` when `ready` has resolved and every earlier call under the same key has had its turn.
 * A call whose `ready` rejects is rejected when its turn comes, and holds up nobody after it.
 */
export type InTurn = <Ready, Result>(
  key: string,
  ready: Promise<Ready>,
  act: (ready: Ready) => Result,
) => Promise<Result>

/** Makes a set of queues by key. A key costs memory only while somebody waits. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>()
  return async (key, ready, act) => {
    const turn = takeTurn(last.get(key), ready, act)
    last.set(key, turn)
    try {
      return await turn
    } finally {
      if (last.get(key) === turn) last.delete(key)
    }
  }
}

async function takeTurn<Ready, Result>(
  before: Promise<unknown> | undefined,
  ready: Promise<Ready>,
  act: (ready: Ready) => Result,
): Promise<Result> {
  // Both are waited for whatever becomes of them: a rejection must not open the way for the next.
  const [outcome] = await Promise.allSettled([ready, before])
  if (outcome.status === 'rejected') throw outcome.reason
  return act(outcome.value)
}
