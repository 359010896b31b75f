import { PeerError } from './errors.ts'
import { isObject, isStrings } from './json.ts'

/**
 * Transmitter Configuration Metadata.
 *
 * @see OpenID SSF 1.0, "Transmitter Configuration Metadata"
 */
export interface TransmitterConfiguration {
  readonly issuer: string
  /** Absent means `1_0-ID1`. */
  readonly spec_version?: string
  readonly jwks_uri?: string
  readonly delivery_methods_supported?: readonly string[]
  readonly configuration_endpoint?: string
  readonly status_endpoint?: string
  readonly add_subject_endpoint?: string
  readonly remove_subject_endpoint?: string
  readonly verification_endpoint?: string
  readonly critical_subject_members?: readonly string[]
  readonly authorization_schemes?: readonly { readonly spec_urn: string }[]
  readonly default_subjects?: 'ALL' | 'NONE'
}

/**
 * Where the metadata of an issuer is: `/.well-known/ssf-configuration` between host and path, a
 * trailing slash of the issuer left out.
 *
 * @throws TypeError when the issuer is no URL
 * @see OpenID SSF 1.0, "Transmitter Configuration Request"
 */
export function wellKnownUrl(issuer: string, name = 'ssf-configuration'): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/${name}${pathname.replace(/\/$/, '')}`
}

/**
 * The issuer whose metadata is at a well-known URL: the inverse of {@link wellKnownUrl}. An issuer's
 * trailing slash is not in the URL, so it is not in the answer either.
 *
 * @returns Undefined when the URL is no well-known URL of this name
 * @see OpenID SSF 1.0, "Transmitter Configuration Request"
 */
export function issuerOfWellKnownUrl(url: string, name = 'ssf-configuration'): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { origin, pathname, search, hash } = new URL(url)
  const prefix = `/.well-known/${name}`
  if (search !== '' || hash !== '' || !pathname.startsWith(prefix)) return undefined
  const path = pathname.slice(prefix.length)
  return path === '' || /^\/.*[^/]$/.test(path) ? `${origin}${path}` : undefined
}

const urls = [
  'jwks_uri',
  'configuration_endpoint',
  'status_endpoint',
  'add_subject_endpoint',
  'remove_subject_endpoint',
  'verification_endpoint',
] as const

const lists = ['delivery_methods_supported', 'critical_subject_members'] as const

/**
 * Reads the metadata of an issuer. Members that nobody knows are kept.
 *
 * @param issuer What was asked for: the `issuer` in it must be the same, code point by code point
 * @throws PeerError `ERR_PEER_ISSUER` when it is that of another issuer, `ERR_PEER_ANSWER` when a
 *   member is not what it must be
 * @see OpenID SSF 1.0, "Transmitter Configuration Validation"
 */
export function readTransmitterConfiguration(
  value: unknown,
  issuer: string,
): TransmitterConfiguration {
  if (!isObject(value)) throw bad('the metadata of the Transmitter is not a JSON object')
  if (value['issuer'] !== issuer) {
    throw new PeerError(
      'ERR_PEER_ISSUER',
      'the metadata is that of another "issuer": write it exactly as the Transmitter does',
    )
  }
  for (const name of urls) {
    const url = value[name]
    if (url !== undefined && !(typeof url === 'string' && URL.canParse(url))) {
      throw bad(`"${name}" in the metadata must be a URL`)
    }
  }
  for (const name of lists) {
    if (value[name] !== undefined && !isStrings(value[name])) {
      throw bad(`"${name}" in the metadata must be an array of strings`)
    }
  }
  return value as unknown as TransmitterConfiguration
}

const bad = (message: string): PeerError => new PeerError('ERR_PEER_ANSWER', message)

/**
 * Compares two versions as `spec_version` writes them: below 0 where the first is the older one,
 * above 0 where it is the newer, 0 where they are the same. An absent version is `1_0-ID1`; an
 * implementer's draft is older than the final version; what is no version is older than any.
 *
 * @see OpenID SSF 1.0, "Transmitter Configuration Metadata"
 */
export function compareSpecVersions(one: string | undefined, other: string | undefined): number {
  const [a, b] = [ranks(one), ranks(other)]
  for (const [place, rank] of a.entries()) {
    const difference = rank - (b[place] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Major, minor, and the number of the draft: the final version comes after every draft. */
function ranks(version = '1_0-ID1'): readonly number[] {
  const found = /^(\d{1,9})_(\d{1,9})(?:-ID(\d{1,9}))?$/i.exec(version)
  if (!found) return [-1, -1, -1]
  const draft = found[3] === undefined ? Number.MAX_SAFE_INTEGER : Number(found[3])
  return [Number(found[1]), Number(found[2]), draft]
}
