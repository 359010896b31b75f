import type { ComplexSubjectInput, SecurityEvent, SubjectIdentifier } from '@drawbridge/schema'
import type { Who } from '@drawbridge/enforcement'

// Written from the promises alone: it shares no line with what it judges.

/** What an event does, in the policy of the test. */
export interface Doing {
  readonly cause: string
  readonly effect: string
  /** Ends what began before, and holds for nothing else. */
  readonly isCut?: boolean
  readonly endsGrants?: boolean
  readonly isLift?: boolean
}

const effects = ['none', 'reauthenticate', 'suspend', 'terminate']
const ofSessions = ['session', 'device', 'token']
const textOf = (value: unknown): string => JSON.stringify(value)
type Names = Readonly<Record<string, SubjectIdentifier | undefined>>
const namesIn = (one: object): Names => one as Names

/** The hardest effect on a session after some events, by a look at every event and every pair. */
export function naiveEffect(
  who: Who,
  events: readonly SecurityEvent[],
  doingOf: (event: SecurityEvent) => Doing | undefined,
): string {
  const chain: Who[] = [who]
  for (let one = who.delegator; one; one = one.delegator) chain.push(one)
  const isBehindGrant = (place: number): boolean =>
    chain.slice(0, place).some(({ endsWith }) => endsWith === 'grant')
  const namesAt = (place: number): Names => {
    const names = Object.entries(chain[place]?.subject as ComplexSubjectInput)
    return Object.fromEntries(
      names.filter(([name]) => !isBehindGrant(place) || !ofSessions.includes(name)),
    )
  }
  const isSame = (one: unknown, other: unknown): boolean =>
    one !== undefined && textOf(one) === textOf(other)

  /** Whether an event means the one at a place, alone or with one below who acts for it. */
  const means = (on: Names, place: number): boolean => {
    const above = namesAt(place)
    const below = place === 0 ? [{} as Names] : chain.slice(0, place).map((_, at) => namesAt(at))
    return below.some((names) =>
      Object.entries(on).every(([name, wanted]) => {
        if (name === 'format') return true
        if (name === 'actor') return isSame(names['user'], wanted)
        return isSame(above[name], wanted) || (name !== 'user' && isSame(names[name], wanted))
      }),
    )
  }
  const does = (event: SecurityEvent, doing: Doing, place: number): boolean => {
    const on = namesIn(event.subject)
    if (!means(on, place)) return false
    const namesIt = on['session'] !== undefined || on['token'] !== undefined
    if (doing.isCut && !doing.endsGrants && !namesIt && isBehindGrant(place)) return false
    const began = Math.floor((chain[place]?.began.getTime() ?? 0) / 1000)
    if (doing.isCut && doing.effect === 'reauthenticate') return began <= event.time
    return !doing.isCut || namesIt || began <= event.time
  }
  const latest = new Map<string, SecurityEvent>()
  for (const event of events) {
    const doing = doingOf(event)
    const key = textOf([doing?.cause, event.subject])
    const before = latest.get(key)
    if (doing && (!before || event.time > before.time)) latest.set(key, event)
  }
  const taken = [...latest.values()].flatMap((event) => {
    const doing = doingOf(event)
    if (!doing || doing.isLift) return []
    return chain.some((_, place) => does(event, doing, place)) ? effects.indexOf(doing.effect) : []
  })
  return effects[Math.max(0, ...taken)] ?? 'none'
}
