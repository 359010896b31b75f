import type { Enforcement, Hook, Who } from '@drawbridge/enforcement'

/** An agent at work for a person, by the names in its token. */
export interface Agent {
  readonly name: string
  readonly person: string
  readonly who: Who
}

/** What people are told of the agents that act for them. */
export interface Notices {
  /** Notes whom an agent acts for. */
  seen(agent: Agent): void
  /** The hook that tells the people whose agents lost something, or have it back. */
  readonly tell: Hook
  /** What a person has to know. */
  of(person: string): string
}

/** Makes the notices, in memory. A real application sends a message as well. */
export function createNotices(explain: Enforcement['explain']): Notices {
  const agents = new Map<string, Agent>()
  const texts = new Map<string, string>()
  return {
    // One that comes with a fresh token is the same one.
    seen: (agent) => void agents.set(JSON.stringify([agent.person, agent.name]), agent),
    tell: ({ takesFrom }) => {
      for (const agent of agents.values()) {
        if (takesFrom(agent.who)) texts.set(agent.person, noticeOf(agent, explain(agent.who)))
      }
    },
    of: (person) => texts.get(person) ?? '',
  }
}

/** Says what is so now, and not what a signal did: another one may still hold. */
function noticeOf({ name, who }: Agent, { grants }: ReturnType<Enforcement['explain']>): string {
  const { taken = [], left } = grants ?? {}
  const lost = (who.grants ?? []).filter(
    (grant) => taken.includes(grant) || left?.includes(grant) === false,
  )
  return lost.length > 0
    ? `Your agent ${name} lost ${lost.join(', ')}.`
    : `Your agent ${name} has back what it lost.`
}
