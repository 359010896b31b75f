import {
  isComplex,
  matches,
  namesOf,
  subjectKey,
  subjectMembers,
  type ComplexSubject,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
} from '@drawbridge/schema'
import type { Effect } from '../effect.ts'
import { issuerMeant, localIssuer, type LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Session } from '../session.ts'
import type { Mandate, Mandates } from './mandate.ts'

/** What an entry may do to a session that it names. */
export interface Reach {
  /** True when it is only watched what would be taken. */
  readonly isObserved: boolean
  /** The hardest effect. */
  readonly hardest: Effect
}

/** Why a signal has no effect whatever the sessions. */
export type OutsideMandate = 'tenant-wide' | 'email-domain'

/** Tells what a Transmitter may touch. Pure. */
export interface Authority {
  /** Judges a signal by itself; undefined where it may go on. */
  outside(iss: string, on: Subject): OutsideMandate | undefined
  /** Tells whether an entry names a session and may touch it. */
  reach(entry: LedgerEntry, session: Session): Reach | undefined
  /**
   * Whether those that a subject names by an issuer are within the mandate, so that they may be
   * named to hooks.
   */
  mayName(iss: string, on: Subject): boolean
  /** What a Transmitter may do at most, whatever the session. */
  limits(iss: string): Reach
  /** Another subject that sessions are found by, besides what a signal names. */
  widened(iss: string, on: Subject): Subject | undefined
}

const unlimited: Reach = { isObserved: false, hardest: 'terminate' }

/** Members that many principals share. */
const wideMembers: readonly string[] = ['tenant', 'org_unit', 'group']

/** Makes the judgement of who may touch what. */
export function createAuthority(mandates: Mandates = {}): Authority {
  const mandateOf = (iss: string): Mandate =>
    (Object.hasOwn(mandates, iss) ? mandates[iss] : undefined) ?? {}
  const outside = (on: Subject, { tenants, emailDomains }: Mandate): OutsideMandate | undefined => {
    if (isTenantWide(on) && !tenants) return 'tenant-wide'
    return emailDomains && !isOfDomains(on, emailDomains) ? 'email-domain' : undefined
  }

  return {
    outside: (iss, on) => (iss === localIssuer ? undefined : outside(on, mandateOf(iss))),
    reach: (entry, session) => {
      const { iss } = entry.cause
      if (iss === localIssuer) return isMeant(entry, session) ? unlimited : undefined
      const mandate = mandateOf(iss)
      // Mandates may have changed since it was written.
      if (outside(entry.on, mandate) || !mayTouch(iss, mandate, session)) return undefined
      if (!isNamed(entry, mandate, session)) return undefined
      const { isObserved, hardest } = limitsOf(mandate)
      return { isObserved: isObserved || isOf(session, mandate.observedTenants), hardest }
    },
    mayName: (iss, on) => {
      const { issuers = [iss] } = mandateOf(iss)
      return iss === localIssuer || issuersIn(on).every((one) => issuers.includes(one))
    },
    limits: (iss) => (iss === localIssuer ? unlimited : limitsOf(mandateOf(iss))),
    widened: (iss, on) =>
      mandateOf(iss).unknownDevice === 'match' ? withoutDevice(on) : undefined,
  }
}

const limitsOf = ({ mode, hardest = 'terminate' }: Mandate): Reach => ({
  isObserved: mode === 'observe',
  hardest,
})

const mayTouch = (iss: string, { issuers, tenants }: Mandate, session: Session): boolean =>
  (issuers ? issuers.includes(session.issuer) : iss === session.issuer) &&
  (tenants === undefined || isOf(session, tenants))

function isNamed(entry: LedgerEntry, mandate: Mandate, session: Session): boolean {
  const { on } = entry
  if (mandate.tenants) return names(entry, session.subject) || namesWidened(entry, mandate, session)
  // The format of a simple subject does not say what it names: without a mandate, no tenant.
  const subject = isComplex(on) ? session.subject : withoutWide(session.subject)
  return names(entry, subject) || namesWidened(entry, mandate, session)
}

function withoutWide(subject: Subject): Subject {
  if (!isComplex(subject)) return subject
  if (!wideMembers.some((name) => Object.hasOwn(subject, name))) return subject
  return only(subject, (name) => !wideMembers.includes(name))
}

function isMeant(entry: LedgerEntry, session: Session): boolean {
  const issuer = issuerMeant(entry.on)
  return issuer === undefined ? names(entry, session.subject) : issuer === session.issuer
}

const names = ({ on, also }: LedgerEntry, subject: Subject): boolean =>
  matches(on, subject, 'session') ||
  (also?.some((one) => matches(one, subject, 'session')) ?? false)

function namesWidened({ on }: LedgerEntry, mandate: Mandate, { subject }: Session): boolean {
  if (mandate.unknownDevice !== 'match') return false
  if (isComplex(subject) && Object.hasOwn(subject, 'device')) return false
  const rest = withoutDevice(on)
  return rest !== undefined && matches(rest, subject, 'session')
}

function withoutDevice(on: Subject): Subject | undefined {
  if (!isComplex(on) || !on.device) return undefined
  const rest = only(on, (name) => name !== 'device')
  return subjectMembers(rest).length === 0 ? undefined : rest
}

const only = (subject: ComplexSubject, keep: (name: string) => boolean): ComplexSubject => ({
  ...Object.fromEntries(subjectMembers(subject).filter(([name]) => keep(name))),
  format: 'complex',
})

function isOf({ subject }: Session, tenants: readonly SubjectIdentifier[] | undefined): boolean {
  const tenant = isComplex(subject) ? subject.tenant : undefined
  if (!tenant || !tenants) return false
  const key = subjectKey(tenant)
  return tenants.some((one) => subjectKey(one) === key)
}

/** Tells whether a subject names nobody in particular. */
export const isTenantWide = (on: Subject): boolean =>
  isComplex(on) && subjectMembers(on).every(([name]) => wideMembers.includes(name))

const identifiersIn = (on: Subject): readonly SubjectIdentifier[] =>
  (isComplex(on) ? subjectMembers(on).map(([, one]) => one) : [on]).flatMap(namesOf)

/** The issuers by whose names somebody is named. */
const issuersIn = (on: Subject): readonly string[] =>
  identifiersIn(on).flatMap((identifier) => {
    const { format, iss } = identifier as OtherSubject
    return (format === 'iss_sub' || format === 'jwt_id') && typeof iss === 'string' ? [iss] : []
  })

function isOfDomains(on: Subject, domains: readonly string[]): boolean {
  return identifiersIn(on).every((identifier) => {
    const { format, email } = identifier as OtherSubject
    if (format !== 'email' || typeof email !== 'string') return true
    const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
    return domains.some((one) => one.toLowerCase() === domain)
  })
}
