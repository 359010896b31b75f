import type { EventType, SubjectIdentifier } from '@drawbridge/schema'
import {
  isScopeToken,
  type ReauthenticateTerms,
  type RestrictTerms,
  type ShortenTerms,
} from '../effect.ts'
import type { SessionKind } from '../who.ts'

/** For which signals and sessions a rule counts. Everything that is left out fits all. */
export interface RuleConditions {
  /** The event type: `SessionRevoked`. */
  readonly on: EventType
  /** Only for SETs of this Transmitter. */
  readonly iss?: string
  /** Only for subjects that name all of these: `['tenant', 'device']`. */
  readonly subject?: readonly string[]
  /** Only for events whose members have these values: `{ current_level: 'HIGH' }`. */
  readonly claims?: Readonly<Record<string, string | number | boolean>>
  /** Only for sessions of this kind. */
  readonly kind?: SessionKind
  /** Only for sessions of this tenant. */
  readonly tenant?: SubjectIdentifier
  /** Why, in a sentence for those who read the policy. */
  readonly reason?: string
}

/**
 * Leaves the grants that the event itself still lists, in the claim of this name: a text with
 * spaces between, or an array. A rule with it fits only events that have the claim.
 */
export interface LeaveClaimTerms {
  readonly leaveClaim: string
}

/**
 * What happens to the sessions that a signal reaches. Which those are, and whether it can be
 * lifted, is the event type's meaning and not the rule's: see `accessMeanings`.
 */
export type RuleEffect =
  | { readonly effect: 'shorten'; readonly terms: ShortenTerms }
  | { readonly effect: 'restrict'; readonly terms: RestrictTerms | LeaveClaimTerms }
  | { readonly effect: 'reauthenticate'; readonly terms?: ReauthenticateTerms }
  | { readonly effect: 'suspend' | 'terminate'; readonly terms?: never }

/** What one type of signal does. */
export type Rule = RuleConditions & RuleEffect

/** Whether a rule counts for sessions of every kind and tenant. */
export const isForAllSessions = ({ kind, tenant }: Rule): boolean =>
  kind === undefined && tenant === undefined

/**
 * The grants that a claim of an event lists; undefined where it lists none. What can be no grant is
 * left out: it would be in the ledger, and no release could read it.
 */
export function grantsIn(payload: object, claim: string): readonly string[] | undefined {
  const claims = memberOf(payload, 'claims')
  const value = typeof claims === 'object' && claims ? memberOf(claims, claim) : undefined
  if (typeof value === 'string') return value.split(' ').filter(isScopeToken)
  return Array.isArray(value) ? (value as unknown[]).filter(isScopeToken) : undefined
}

/** A member of the event's own. */
export const memberOf = (object: object, name: string): unknown =>
  Object.hasOwn(object, name) ? (object as Readonly<Record<string, unknown>>)[name] : undefined
