import { issSub, jwtId, opaque, type ComplexSubjectInput } from '@drawbridge/schema'
import type { Enforcement, EndsWith, Who } from '@drawbridge/enforcement'
import { alice, idp, laptop, noon } from './signals.ts'

/** A second after noon, or before it. */
export const at = (seconds: number): Date => new Date((noon + seconds) * 1000)

export const acme = opaque('acme')
export const phone = opaque('phone-3')
export const webApp = opaque('web-app')
export const gateway = opaque('gateway')
export const robot = issSub(idp, 'robot')
export const helper = issSub(idp, 'helper')

/** Alice in her browser, an hour before noon. */
export const human = (more: Partial<Who> = {}): Who => ({
  subject: { user: alice, session: opaque('s-1'), device: laptop, application: webApp },
  began: at(-3600),
  ...more,
})

/** What acts for somebody, since a minute before noon; for Alice's session, unless said otherwise. */
export const agentOf = (delegator: Who = human(), more: Partial<Who> = {}): Who => ({
  subject: { user: robot, application: gateway, token: jwtId(idp, 'at-1'), task: opaque('t-1') },
  began: at(-60),
  kind: 'agent',
  delegator,
  ...more,
})

/** What the agent has called in. */
export const helperOf = (delegator: Who = agentOf(), more: Partial<Who> = {}): Who =>
  agentOf(delegator, { subject: { user: helper, session: opaque('h-1') }, ...more })

/** Human, agent and helper, each link of a kind. */
export const chainOf = (first: EndsWith, second: EndsWith, person: Who = human()): Who =>
  helperOf(agentOf(person, { endsWith: first }), { endsWith: second })

/** With other members of a subject. */
export const named = (who: Who, members: ComplexSubjectInput): Who => ({
  ...who,
  subject: { ...(who.subject as ComplexSubjectInput), ...members },
})

/** The hardest effect on each; `none` where it goes on. */
export const effectsOf = (
  { check }: Pick<Enforcement, 'check'>,
  ...all: readonly Who[]
): readonly string[] => all.map((who) => check(who).effect ?? 'none')
