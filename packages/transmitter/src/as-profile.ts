import { OptionsError } from '@drawbridge/core'
import type { Profile, SetClaims, Subject } from '@drawbridge/schema'
import { everyProfile, strict } from '@drawbridge/schema/profiles'
import { isSigningAlgorithm, type SigningAlgorithm } from './keys/signing-algorithm.ts'
import type { Stream } from './streams/stream.ts'

/** Finds the profile of a stream by the name that is stored; undefined where nobody has it. */
export type ProfileNamed = (name: string | undefined) => Profile | undefined

/** The profiles that an application gives. */
export interface GivenProfiles {
  readonly profile?: Profile | undefined
  readonly profiles?: readonly Profile[] | undefined
}

/** Makes the table of profiles: those that everybody has, and those that the application gives. */
export function createProfileNamed({ profile, profiles = [] }: GivenProfiles): ProfileNamed {
  const all = [...everyProfile, ...profiles, ...(profile ? [profile] : [])]
  const byName = new Map(all.map((one) => [one.name, one]))
  return (name = strict.name) => byName.get(name)
}

/** Tells whether no two different profiles have one name. */
export function haveOwnNames({ profile, profiles = [] }: GivenProfiles): boolean {
  const all = new Set([...everyProfile, ...profiles, ...(profile ? [profile] : [])])
  return new Set([...all].map(({ name }) => name)).size === all.size
}

/**
 * Checks that the profile of every stored stream is there.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names those that are missing
 */
export function checkStoredProfiles(streams: readonly Stream[], named: ProfileNamed): void {
  const missing = new Set(streams.map(({ profile }) => profile).filter((name) => !named(name)))
  if (missing.size === 0) return
  throw new OptionsError(
    'createTransmitter',
    [...missing].map((name) => `"profiles" must have "${name}": there are streams of it`),
  )
}

/** The algorithm for a stream of a profile: the wanted one, unless the profile forbids it. */
export function algorithmFor(
  { algorithms }: Pick<Profile, 'algorithms'>,
  wanted: SigningAlgorithm,
): SigningAlgorithm {
  if (algorithms === undefined || algorithms.includes(wanted)) return wanted
  return algorithms.find(isSigningAlgorithm) ?? wanted
}

/** An event as {@link judgeAsProfiles} looks at it. */
export interface EventToJudge {
  /** The event type URI. */
  readonly type: string
  readonly payload: object
  readonly subject: Subject
  readonly txn: string
  /** NumericDate. */
  readonly iat: number
}

/** What {@link judgeAsProfiles} goes by. */
export interface Judgement {
  readonly issuer: string
  /** The profile of the whole Transmitter: a mistake is one whoever listens. */
  readonly profile: Profile
  readonly profileNamed: ProfileNamed
}

/**
 * Judges an event by the profile of the Transmitter and of every stream that it is for, before
 * anything is recorded for anybody.
 *
 * @throws SetError `ERR_SET_CLAIM`, `ERR_SET_SUBJECT` or `ERR_SET_PAYLOAD` that names what a
 *   profile forbids
 */
export function judgeAsProfiles(
  { iat, txn, subject, type, payload }: EventToJudge,
  streams: readonly Stream[],
  { issuer, profile, profileNamed }: Judgement,
): void {
  const profiles = new Set(streams.map((stream) => profileNamed(stream.profile)))
  const events = { [type]: payload }
  // No profile's demands depend on `jti` and `aud`: each stream's SET has its own.
  const own = { jti: 'its own', aud: 'its own' }
  const claims: SetClaims = { iss: issuer, iat, txn, sub_id: subject, events, ...own }
  for (const one of profiles.add(profile)) {
    // The subject and the payload were judged before: a profile that changes nothing adds demands.
    if (one?.rewrites) one.write(claims)
    else one?.demand(claims)
  }
}

/**
 * Returns recorded claims, JSON, as the Receivers of a profile want them. Where the final form is
 * what they want, this costs nothing.
 */
export function wireClaims(profile: Profile | undefined, claims: string): string {
  if (!profile?.rewrites) return claims
  try {
    return JSON.stringify(profile.write(JSON.parse(claims) as SetClaims))
  } catch (error) {
    // It passed when it was recorded, and the profile was changed since: what was promised is
    // delivered, in the form of 1.0. A revocation must not be lost over its form.
    if ((error as Error).name === 'SetError') return claims
    throw error
  }
}
