import type { OptionChecks } from '@drawbridge/core'
import { accessMeanings } from '@drawbridge/schema'
import { effects, isEffect, termMistakes } from '../effect.ts'
import { sessionKinds } from '../who.ts'
import type { Rule } from './rule.ts'

const members: readonly string[] = [
  'on',
  'iss',
  'subject',
  'claims',
  'kind',
  'tenant',
  'effect',
  'terms',
  'reason',
]

/**
 * Notes every mistake in one rule.
 *
 * @param name What the caller calls it: `rules[3]`
 */
export function checkRule(rule: Rule, name: string, checks: OptionChecks): void {
  const { check } = checks
  const uri: unknown = rule?.on?.uri
  check(typeof uri === 'string', `"${name}.on" must be an event type, such as SessionRevoked`)
  check(isEffect(rule?.effect), `"${name}.effect" must be one of ${effects.join(', ')}`)
  if (typeof uri !== 'string') return
  for (const member of Object.keys(rule)) {
    check(members.includes(member), `"${name}.${member}" is not a member of a rule`)
  }
  checkMeaning(uri, rule, name, checks)
  checkConditions(rule, name, checks)
  checkTerms(rule, name, checks)
}

function checkMeaning(uri: string, rule: Rule, name: string, { check }: OptionChecks): void {
  const { cause, decision } = accessMeanings.get(uri) ?? { cause: 'none' }
  check(
    cause !== 'none' && decision !== 'boundary',
    `"${name}.on" is a type that says nothing about access`,
  )
  check(
    cause !== 'credential-compromise' || rule.effect !== 'reauthenticate',
    `"${name}.effect" must be suspend or terminate: a login with the leaked credential proves nothing`,
  )
}

function checkConditions(rule: Rule, name: string, { check }: OptionChecks): void {
  const { iss, subject, claims = {}, kind, tenant } = rule
  check(iss === undefined || typeof iss === 'string', `"${name}.iss" must be the "iss" of SETs`)
  check(
    subject === undefined || (Array.isArray(subject) && subject.length > 0),
    `"${name}.subject" must be an array of members of a complex subject, such as ["device"]`,
  )
  check(
    kind === undefined || sessionKinds.includes(kind),
    `"${name}.kind" must be one of ${sessionKinds.join(', ')}`,
  )
  check(
    tenant === undefined || typeof tenant?.format === 'string',
    `"${name}.tenant" must be a Subject Identifier, such as opaque("t-1")`,
  )
  for (const member of Object.keys(claims)) {
    check(rule.on.members.includes(member), `"${name}.claims" must name members of the event`)
  }
}

function checkTerms({ on, effect, terms }: Rule, name: string, { check }: OptionChecks): void {
  if (!isEffect(effect)) return
  if (effect !== 'restrict' || !terms || !('leaveClaim' in terms)) {
    for (const mistake of termMistakes(effect, terms, `${name}.terms`)) check(false, mistake)
    return
  }
  check(
    Object.keys(terms).length === 1 && typeof terms.leaveClaim === 'string',
    `"${name}.terms.leaveClaim" must be the name of a claim, and stand alone`,
  )
  check(
    on.members.includes('claims'),
    `"${name}.terms.leaveClaim" needs an event that lists claims, such as TokenClaimsChange`,
  )
}
