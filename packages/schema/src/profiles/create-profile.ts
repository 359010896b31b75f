import { invalidArgument } from '../define-event-type.ts'
import { SetError } from '../errors.ts'
import { isObject } from '../json.ts'
import type { Notice } from '../sets/notice.ts'
import { readSet, type SeveralEvents } from '../sets/read-set.ts'
import type { SecurityEventToken, SetClaims } from '../sets/security-event-token.ts'
import { identifierFormats, type IdentifierFormats } from '../subjects/identifier-formats.ts'
import { checkWrittenSubject } from '../subjects/read-subject.ts'
import { reasonsOfRisc } from './claim-tolerances.ts'
import { discoveryOf, type ProfileDiscovery } from './discovery.ts'
import type { Profile, ProfileTolerances, ReadContext } from './profile.ts'
import { servingOf, type ServingDefinition } from './serving.ts'
import { alternativeNames, timesInSeconds, type Claims, type Tolerance } from './tolerance.ts'

/** A profile as data. */
export interface ProfileDefinition {
  readonly name: string
  /** What is put right on reading, in this order. Default: nothing. */
  readonly read?: readonly Tolerance[]
  /** What is demanded of claims before they may be sent. Default: what the 1.0 texts demand. */
  readonly demands?: readonly Demand[]
  /** What is changed on writing, in this order, after the demands. Default: nothing. */
  readonly write?: readonly WriteRule[]
  /** What a Transmitter's API does for such a Receiver. Default: what SSF 1.0 says. */
  readonly serves?: ServingDefinition
  /** How a Receiver finds such a Transmitter. Default: as SSF 1.0 says. */
  readonly discovery?: Partial<ProfileDiscovery>
  /** Default: neither. */
  readonly tolerates?: Partial<ProfileTolerances>
  /** Whether a SET may hold several events: of the SCIM family, or of any. Default: `scim`. */
  readonly severalEvents?: SeveralEvents
  readonly algorithms?: readonly string[]
  /** Identifier Formats that both sides agreed on, beside those that are known everywhere. */
  readonly identifierFormats?: IdentifierFormats
}

/** Throws a SetError where claims may not be sent. */
export type Demand = (claims: SetClaims) => void

/** Returns claims as a peer wants them, or throws a SetError where there is no such form. */
export type WriteRule = (claims: SetClaims) => SetClaims

/**
 * Makes a profile. Four rules hold in every one: times in milliseconds are read as such, the SCIM
 * family may put several events into one SET, two names of one event type are one event, and a
 * reason of RISC may be a plain text.
 *
 * @example
 *   createProfile({
 *     name: 'badge-readers',
 *     identifierFormats: { 'x-badge': { members: { number: isBadgeNumber } } },
 *   })
 *
 * @throws TypeError `ERR_INVALID_ARG_VALUE` for a format that has rules for `format`
 * @see RFC 9493, "Subject Identifiers"
 */
export function createProfile(definition: ProfileDefinition): Profile {
  const { name, read: tolerances = [], severalEvents = 'scim' } = definition
  const { demands = [], write: rules = [] } = definition
  const formats = { ...identifierFormats, ...definition.identifierFormats }
  for (const [format, { members }] of Object.entries(formats)) {
    if (Object.hasOwn(members, 'format')) {
      throw invalidArgument('createProfile', [
        `"identifierFormats.${format}" must say nothing about "format": it names the format`,
      ])
    }
  }
  const steps = [alternativeNames, timesInSeconds, reasonsOfRisc, ...tolerances]
  const demand = (claims: SetClaims): void => {
    for (const one of demands) one(claims)
  }
  return {
    name,
    demand,
    tolerates: { untypedSets: false, anyMediaType: false, ...definition.tolerates },
    ...(definition.algorithms && { algorithms: definition.algorithms }),
    serves: servingOf(definition.serves),
    discovery: discoveryOf(definition.discovery),
    rewrites: rules.length > 0,
    read: (claims, context = {}) => {
      const { read, notices } = tolerate(claims, steps, context)
      const token = readSet(read, { identifierFormats: formats, severalEvents })
      return withNotices(token, claims as Claims, severalNotice(notices, token))
    },
    write: (claims) => {
      const { events } = readSet(claims, { identifierFormats: formats })
      checkWrittenSubject(claims.sub_id, 'sub_id', formats)
      if (claims.aud === undefined || events[0].aud.length === 0) {
        throw invalid('"aud" must name the Receiver')
      }
      demand(claims)
      return rules.reduce((written, rule) => rule(written), claims)
    },
  }
}

function tolerate(
  claims: unknown,
  steps: readonly Tolerance[],
  context: ReadContext,
): { readonly read: unknown; readonly notices: readonly Notice[] } {
  if (!isObject(claims)) return { read: claims, notices: [] }
  const notices: Notice[] = []
  let read: Claims = claims
  for (const { name, message, apply } of steps) {
    const changed = apply(read, context)
    if (changed === undefined) continue
    read = changed
    notices.push({ name, message })
  }
  return { read, notices }
}

/** The SCIM family may; of any other, it is a tolerance. */
function severalNotice(
  notices: readonly Notice[],
  { events }: SecurityEventToken,
): readonly Notice[] {
  const strangers =
    events.length > 1 && events.some(({ type }) => !type.startsWith('urn:ietf:params:scim:'))
  if (!strangers) return notices
  const message = 'the SET holds several events; each was read by itself'
  return [...notices, { name: 'several-events', message }]
}

function withNotices(
  token: SecurityEventToken,
  original: Claims,
  before: readonly Notice[],
): SecurityEventToken {
  if (before.length === 0) return { ...token, original }
  const names = new Set(before.map(({ name }) => name))
  const notices = [...before, ...token.notices.filter(({ name }) => !names.has(name))]
  const [first, ...others] = token.events.map((event) => ({ ...event, notices }))
  if (!first) return token
  return { ...token, original, notices, events: [first, ...others] }
}

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_CLAIM', 'invalid_request', message)
