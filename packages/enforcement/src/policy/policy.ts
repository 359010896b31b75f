import { checkOptions, type OptionChecks } from '@drawbridge/core'
import { accessMeanings, type EventType } from '@drawbridge/schema'
import { effects, isEffect, type Effect } from '../effect.ts'

/** What one type of signal does. */
export interface Rule {
  /** The event type: `SessionRevoked`. */
  readonly on: EventType
  /**
   * Only for events whose members have these values: `{ current_level: 'HIGH' }`. Default: for
   * every event of the type.
   */
  readonly claims?: Readonly<Record<string, string | number | boolean>>
  /**
   * What happens to the sessions it reaches. Which those are, and whether it can be lifted, is the
   * event type's meaning and not the rule's: see `accessMeanings`.
   */
  readonly effect: Effect
  /** Why, in a sentence for those who read the policy. */
  readonly reason?: string
}

/** An event as far as a policy looks at it. */
export interface EventToRule {
  /** The event type URI. */
  readonly type: string
  readonly payload: object
}

/** A checked list of rules. An event without a rule takes nothing. */
export interface Policy {
  readonly rules: readonly Rule[]
  /** The first rule that an event fits. */
  ruleFor(event: EventToRule): Rule | undefined
  /** Whether an event type URI has a rule, whatever its events say. */
  knows(type: string): boolean
}

/**
 * Makes a policy of rules. Of several for one type, the first that an event fits counts.
 *
 * @example
 *   createPolicy([
 *     ...recommendedPolicy().rules.filter(({ on }) => on !== CredentialChange),
 *     { on: CredentialChange, claims: { change_type: 'revoke' }, effect: 'terminate' },
 *     { on: CredentialChange, effect: 'reauthenticate' },
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
      earlier.every(({ claims }) => claims !== undefined),
      `"${name}.on" has a rule for all its events already: this one would never count`,
    )
    byType.set(uri, [...earlier, rule])
  }
  checks.done()
  return {
    rules: [...byType.values()].flat(),
    ruleFor: ({ type, payload }) => byType.get(type)?.find((rule) => fits(payload, rule)),
    knows: (type) => byType.has(type),
  }
}

function fits(payload: object, { claims = {} }: Rule): boolean {
  const members = payload as Readonly<Record<string, unknown>>
  return Object.entries(claims).every(
    ([name, value]) => Object.hasOwn(members, name) && members[name] === value,
  )
}

function checkRule(rule: Rule, name: string, { check }: OptionChecks): void {
  const uri: unknown = rule?.on?.uri
  check(typeof uri === 'string', `"${name}.on" must be an event type, such as SessionRevoked`)
  check(isEffect(rule?.effect), `"${name}.effect" must be one of ${effects.join(', ')}`)
  if (typeof uri !== 'string') return
  const cause = accessMeanings.get(uri)?.cause ?? 'none'
  check(cause !== 'none', `"${name}.on" is a type that says nothing about access`)
  check(
    cause !== 'credential-compromise' || rule.effect !== 'reauthenticate',
    `"${name}.effect" must be suspend or terminate: a login with the leaked credential proves nothing`,
  )
  for (const member of Object.keys(rule.claims ?? {})) {
    check(rule.on.members.includes(member), `"${name}.claims" must name members of the event`)
  }
}
