import type { OptionChecks } from '@drawbridge/core'
import type { Canonical, SubjectIdentifier } from '@drawbridge/schema'
import { checkBudget, type Budget } from '../blast-radius/budget.ts'
import { effects, isEffect, type Effect } from '../effect.ts'

/** Whose sessions a Transmitter may touch, and how hard. */
export interface Mandate {
  /**
   * The login issuers of the sessions it may touch. Others are looked for by no identifier, e-mail
   * addresses and telephone numbers included. Default: its own alone.
   */
  readonly issuers?: readonly string[]
  /**
   * The tenants of the sessions it may touch; only to these may it speak as a whole: of a tenant, a
   * group or an organisational unit without a user. Default: sessions of all tenants, and nothing
   * that is said of a tenant as a whole.
   */
  readonly tenants?: readonly SubjectIdentifier[]
  /** The domains of the e-mail addresses it may name. Default: all, inside of `issuers`. */
  readonly emailDomains?: readonly string[]
  /** The hardest effect it may cause; a harder one becomes this one. Default: `terminate`. */
  readonly hardest?: 'reauthenticate' | 'suspend' | 'terminate'
  /** `observe`: its signals are recorded and watched, and take nothing. Default: `enforce`. */
  readonly mode?: 'enforce' | 'observe'
  /** The tenants whose sessions it only observes. Default: none. */
  readonly observedTenants?: readonly SubjectIdentifier[]
  /**
   * `match`: what it says of a device reaches the sessions whose device is not known as well, where
   * the rest of the subject matches. Default: it does not reach them.
   */
  readonly unknownDevice?: 'match'
  /**
   * How many principals it may end the sessions of. Above it their sessions are suspended, until an
   * operator calls `confirm` or `release`. Default: as many as it says.
   */
  readonly budget?: Budget
}

/** The mandates by the `iss` of a Transmitter's SETs. Who is not named has the default of each. */
export type Mandates = Readonly<Record<string, Mandate>>

const hardestEffects: readonly Effect[] = effects.slice(effects.indexOf('reauthenticate'))

const members: readonly string[] = [
  'issuers',
  'tenants',
  'emailDomains',
  'hardest',
  'mode',
  'observedTenants',
  'unknownDevice',
  'budget',
]

/** Notes every mistake in the mandates. */
export function checkMandates(mandates: Mandates, checks: OptionChecks): void {
  const { check } = checks
  for (const [iss, mandate] of Object.entries(mandates)) {
    const name = `mandates[${JSON.stringify(iss)}]`
    const { hardest, mode, unknownDevice, budget, ...lists } = mandate
    for (const member of Object.keys(mandate)) {
      check(members.includes(member), `"${name}.${member}" is not an option`)
    }
    check(
      hardest === undefined || (isEffect(hardest) && hardestEffects.includes(hardest)),
      `"${name}.hardest" must be one of ${hardestEffects.join(', ')}`,
    )
    check(
      mode === undefined || mode === 'observe' || mode === 'enforce',
      `"${name}.mode" must be observe or enforce`,
    )
    check(
      unknownDevice === undefined || unknownDevice === 'match',
      `"${name}.unknownDevice" must be match, or left out`,
    )
    checkBudget(budget, `${name}.budget`, checks)
    for (const [member, list] of Object.entries(lists)) {
      check(list === undefined || Array.isArray(list), `"${name}.${member}" must be an array`)
    }
  }
}

/** Writes the issuers in mandates by the names that count. */
export function canonicalMandates(mandates: Mandates, { issuer }: Canonical): Mandates {
  return Object.fromEntries(
    Object.entries(mandates).map(([iss, mandate]) => [
      issuer(iss),
      mandate.issuers ? { ...mandate, issuers: mandate.issuers.map(issuer) } : mandate,
    ]),
  )
}
