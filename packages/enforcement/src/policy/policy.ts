import { checkOptions, type OptionChecks } from '@drawbridge/core'
import { accessMeaning, type EventType } from '@drawbridge/schema'
import { effects, isEffect, type Effect } from '../effect.ts'

/** What one type of signal does. */
export interface Rule {
  /** The event type: `SessionRevoked`. */
  readonly on: EventType
  /**
   * What happens to the sessions it reaches. Which those are, and whether it can be lifted, is the
   * event type's meaning and not the rule's: see `accessMeaning`.
   */
  readonly effect: Effect
  /** Why, in a sentence for those who read the policy. */
  readonly reason?: string
}

/** A checked list of rules. A type without a rule does nothing. */
export interface Policy {
  readonly rules: readonly Rule[]
  /** The rule of an event type URI. */
  ruleFor(type: string): Rule | undefined
}

/**
 * Makes a policy of rules.
 *
 * @example
 *   createPolicy([
 *     ...recommendedPolicy().rules.filter(({ on }) => on !== CredentialChange),
 *     { on: CredentialChange, effect: 'terminate' },
 *   ])
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in every rule
 */
export function createPolicy(rules: readonly Rule[]): Policy {
  const checks = checkOptions('createPolicy')
  checks.check(Array.isArray(rules), '"rules" must be an array of rules')
  const byType = new Map<string, Rule>()
  for (const [place, rule] of (Array.isArray(rules) ? (rules as Rule[]) : []).entries()) {
    const name = `rules[${place}]`
    const uri: string | undefined = rule?.on?.uri
    checkRule(rule, name, checks)
    checks.check(!uri || !byType.has(uri), `"${name}.on" has a rule already: one type, one rule`)
    if (uri) byType.set(uri, rule)
  }
  checks.done()
  return { rules: [...byType.values()], ruleFor: (type) => byType.get(type) }
}

function checkRule(rule: Rule, name: string, { check }: OptionChecks): void {
  const uri: unknown = rule?.on?.uri
  check(typeof uri === 'string', `"${name}.on" must be an event type, such as SessionRevoked`)
  check(isEffect(rule?.effect), `"${name}.effect" must be one of ${effects.join(', ')}`)
  if (typeof uri !== 'string') return
  const { cause } = accessMeaning({ type: uri, payload: {} })
  check(cause !== 'none', `"${name}.on" is a type that says nothing about access`)
}
