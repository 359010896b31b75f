import { checkOptions } from '@drawbridge/core'
import { isComplex, type Subject } from '@drawbridge/schema'
import { checkRule } from './check-rule.ts'
import { grantsIn, isForAllSessions, memberOf, type Rule } from './rule.ts'

/** An event as far as a policy looks at it. */
export interface EventToRule {
  /** The event type URI. */
  readonly type: string
  readonly payload: object
  readonly iss: string
  /** Whether a name is one of its Transmitter's. Default: its `iss` alone is. */
  isOf?(iss: string): boolean
  readonly subject: Subject
}

/** A checked list of rules. An event without a rule takes nothing. */
export interface Policy {
  readonly rules: readonly Rule[]
  /**
   * The rules that an event fits, in their order: of those, the first that fits a session counts.
   * Ends with the first that fits every session.
   */
  rulesFor(event: EventToRule): readonly Rule[]
  /** Whether an event type URI has a rule, whatever its events say. */
  knows(type: string): boolean
  /**
   * Whether an event says a degree that no rule is for, of something that another degree has a rule
   * for: MEDIUM where HIGH has one. An event that misses a rule for another reason says no such
   * thing.
   */
  isOtherDegree(event: EventToRule): boolean
}

/**
 * Makes a policy of rules. Of several for one type, the first that fits the event and the session
 * counts.
 *
 * @example
 *   createPolicy([
 *     {
 *       on: RiskLevelChange,
 *       claims: { current_level: 'HIGH' },
 *       kind: 'agent',
 *       effect: 'suspend',
 *     },
 *     { on: CredentialChange, claims: { change_type: 'revoke' }, effect: 'terminate' },
 *     ...recommendedPolicy().rules,
 *   ])
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in every rule
 */
export function createPolicy(rules: readonly Rule[]): Policy {
  const checks = checkOptions('createPolicy')
  checks.check(Array.isArray(rules), '"rules" must be an array of rules')
  const byType = new Map<string, Rule[]>()
  for (const [place, rule] of (Array.isArray(rules) ? (rules as Rule[]) : []).entries()) {
    const name = `rules[${place}]`
    const uri: string | undefined = rule?.on?.uri
    checkRule(rule, name, checks)
    if (uri === undefined) continue
    const earlier = byType.get(uri) ?? []
    checks.check(
      !earlier.some((one) => isForAllEvents(one) && isForAllSessions(one)),
      `"${name}.on" has a rule for all its events already: this one would never count`,
    )
    byType.set(uri, [...earlier, rule])
  }
  checks.done()
  return {
    rules: [...byType.values()].flat(),
    rulesFor: (event) => {
      const fitting = byType.get(event.type)?.filter((rule) => fits(event, rule)) ?? []
      const last = fitting.findIndex(isForAllSessions)
      return last < 0 ? fitting : fitting.slice(0, last + 1)
    },
    knows: (type) => byType.has(type),
    isOtherDegree: (event) => {
      const degrees = (byType.get(event.type) ?? [])
        .filter((rule) => fits(event, { ...rule, claims: {} }))
        .flatMap(degreesOf)
      return (
        degrees.length > 0 &&
        degrees.every(([name, value]) => memberOf(event.payload, name) !== value)
      )
    },
  }
}

const isForAllEvents = ({ iss, subject, claims, terms }: Rule): boolean =>
  [iss, subject, claims].every((condition) => condition === undefined) &&
  !(terms && 'leaveClaim' in terms)

/** The members that say what holds now: `current_level`, `current_status`. */
const degreesOf = ({ claims = {} }: Rule): [string, unknown][] =>
  Object.entries(claims).filter(([name]) => name.startsWith('current_'))

function fits(event: EventToRule, rule: Rule): boolean {
  const { payload, iss, subject, isOf = (name) => name === iss } = event
  const { claims = {}, terms } = rule
  return (
    (rule.iss === undefined || isOf(rule.iss)) &&
    (rule.subject ?? []).every((name) => isComplex(subject) && Object.hasOwn(subject, name)) &&
    Object.entries(claims).every(([name, value]) => memberOf(payload, name) === value) &&
    (!terms || !('leaveClaim' in terms) || grantsIn(payload, terms.leaveClaim) !== undefined)
  )
}
