import type { SecurityEventToken, SetClaims } from '../sets/security-event-token.ts'
import type { ProfileDiscovery } from './discovery.ts'
import type { ProfileServing } from './serving.ts'

/** What a reader knows besides the claims. */
export interface ReadContext {
  /** The stream the SET came over: what an old peer's verification is about. */
  readonly streamId?: string
}

/** What a profile lets pass around a SET. */
export interface ProfileTolerances {
  /** A `typ` that is missing or `JWT`. Never that of another kind of token. */
  readonly untypedSets: boolean
  /** A push whose `Content-Type` is wrong. */
  readonly anyMediaType: boolean
}

/**
 * How SETs are exchanged with one peer: one form is read and written everywhere else, the final 1.0
 * one, and what a peer needs instead is here.
 */
export interface Profile {
  /** Names it in options, notices and logs. */
  readonly name: string
  readonly tolerates: ProfileTolerances
  /** Algorithms a SET may be signed with; undefined where the profile does not say. */
  readonly algorithms?: readonly string[]
  /** What a Transmitter's API does for a Receiver of this profile. */
  readonly serves: ProfileServing
  /** How a Receiver finds a Transmitter of this profile. */
  readonly discovery: ProfileDiscovery
  /** Whether `write` may return other claims than it is given: if not, the 1.0 form is the peer's. */
  readonly rewrites: boolean
  /**
   * Reads the claims of a SET: what was really sent becomes the 1.0 form, the original is kept, and
   * each tolerance that was used is a notice. Reading what was read changes nothing.
   *
   * @throws SetError `ERR_SET_CLAIM` or `ERR_SET_SUBJECT` (`invalid_request`)
   */
  read(claims: unknown, context?: ReadContext): SecurityEventToken
  /**
   * Checks claims in the 1.0 form, which are good otherwise, by what the profile demands besides: a
   * part of `write`, for whoever has checked the rest.
   *
   * @throws SetError as `write`
   */
  demand(claims: SetClaims): void
  /**
   * The inverse for whoever transmits: checks claims in the 1.0 form by all that the profile
   * demands and returns them as the peer wants them. What it demands does not depend on `aud`,
   * `jti` and `iat`: an event is judged once, and written for each stream.
   *
   * @throws SetError `ERR_SET_CLAIM`, `ERR_SET_SUBJECT` or `ERR_SET_PAYLOAD` that names what the
   *   profile forbids
   */
  write(claims: SetClaims): SetClaims
}
