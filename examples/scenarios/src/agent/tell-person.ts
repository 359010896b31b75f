import type { Hook } from '@drawbridge/enforcement'
import { personBehind, subIn, taskOf } from './who.ts'

/** What a person is told of an agent that acts for them. */
export interface Message {
  /** The same for every attempt at the same message. */
  readonly key: string
  readonly to: string
  readonly agent: string
  /** What for; undefined where it was sent for nothing in particular. */
  readonly task: string | undefined
  /** What it cannot use any more. */
  readonly lost: readonly string[]
  /** Why, in a word of ours: what a peer has written does not get in here. */
  readonly cause: string
}

/**
 * Makes the hook that tells those who have sent an agent what was taken from it. It finds them by
 * the sessions that the signal takes from, so that it does not matter whom the signal named.
 */
export const tellPerson =
  (send: (message: Message) => void): Hook =>
  async ({ key, terms, cause, sessions }) => {
    const messages = new Map<string, Message>()
    for (const who of await sessions()) {
      if (!who.delegator) continue
      const [agent, to] = [subIn(who.subject), subIn(personBehind(who).subject)]
      // However many tokens the agent has: one message.
      const task = taskOf(who)
      const message = { key, to, agent, task, lost: terms.take ?? [], cause: cause.name }
      messages.set(JSON.stringify([to, agent, task]), message)
    }
    for (const message of messages.values()) send(message)
  }
