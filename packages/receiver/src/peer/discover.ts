import {
  PeerError,
  readTransmitterConfiguration,
  wellKnownUrl,
  type DiscoveryPlace,
  type ProfileDiscovery,
  type TransmitterConfiguration,
} from '@drawbridge/schema'
import type { Peer } from './peer.ts'

/** Metadata that was found good: what a Receiver cannot do without is there. */
export type KnownTransmitter = TransmitterConfiguration &
  Required<Pick<TransmitterConfiguration, 'jwks_uri'>>

/** Where to look for the metadata of a Transmitter. */
export interface DiscoverRules {
  readonly issuer: string
  /** Where it is, for a Transmitter that has it elsewhere: nowhere else is looked. */
  readonly metadataUrl: string | undefined
  readonly discovery: ProfileDiscovery
  /**
   * Whether the stream is managed by the API of the Transmitter, which must be there then. Default:
   * true.
   */
  readonly managed?: boolean
  readonly allowInsecureHttp: boolean
}

/**
 * Reads the metadata of an issuer: at the well-known URL, or the URL that was given, and after that
 * at the places that the profile lists.
 *
 * @throws PeerError `ERR_PEER_ISSUER` when `issuer` in it is another one, `ERR_PEER_ANSWER` when it
 *   lacks something
 * @see OpenID SSF 1.0, "Obtaining Transmitter Configuration Metadata"
 */
export async function discover(
  peer: Peer,
  rules: DiscoverRules,
  signal?: AbortSignal,
): Promise<KnownTransmitter> {
  const statuses: number[] = []
  for (const url of metadataUrls(rules)) {
    const { status, body } = await peer.request({ method: 'GET', url, signal, anonymous: true })
    if (status === 200) return readConfiguration(body, rules)
    statuses.push(status)
  }
  const what = rules.metadataUrl === undefined ? 'its well-known URL' : '"metadataUrl"'
  throw new PeerError(
    'ERR_PEER_ANSWER',
    `the metadata of the Transmitter cannot be read: ${what} answered ${statuses.join(', ')}`,
  )
}

/** Tells whether two issuers are the same, by the rules of a profile. */
export const sameIssuer = (
  one: unknown,
  other: string,
  { issuerSlashCounts }: Pick<ProfileDiscovery, 'issuerSlashCounts'>,
): boolean =>
  one === other ||
  (!issuerSlashCounts &&
    typeof one === 'string' &&
    one.replace(/\/$/, '') === other.replace(/\/$/, ''))

function metadataUrls({ issuer, metadataUrl, discovery }: DiscoverRules): readonly string[] {
  if (metadataUrl !== undefined) return [metadataUrl]
  const all = [wellKnownUrl(issuer), ...discovery.places.map((place) => urlAt(place, issuer))]
  return [...new Set(all)]
}

function urlAt(place: DiscoveryPlace, issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  switch (place) {
    case 'sse':
      return wellKnownUrl(issuer, 'sse-configuration')
    case 'sse-suffix':
      return `${origin}${pathname.replace(/\/$/, '')}/.well-known/sse-configuration`
    case 'sse-host':
      return `${origin}/.well-known/sse-configuration`
    case 'risc':
      return wellKnownUrl(issuer, 'risc-configuration')
  }
}

const needed = ['jwks_uri', 'configuration_endpoint'] as const

function readConfiguration(value: unknown, rules: DiscoverRules): KnownTransmitter {
  const { issuer, discovery, managed = true, allowInsecureHttp } = rules
  const { issuer: written } = (value ?? {}) as { readonly issuer?: unknown }
  const expected = sameIssuer(written, issuer, discovery) ? (written as string) : issuer
  const metadata = readTransmitterConfiguration(value, expected)
  for (const name of needed) {
    if (metadata[name] === undefined && (managed || name === 'jwks_uri')) {
      throw new PeerError('ERR_PEER_ANSWER', `"${name}" is missing in the metadata`)
    }
  }
  if (!allowInsecureHttp) checkSchemes(metadata)
  return metadata as KnownTransmitter
}

const urls = [
  'jwks_uri',
  'configuration_endpoint',
  'status_endpoint',
  'add_subject_endpoint',
  'remove_subject_endpoint',
  'verification_endpoint',
] as const

/** @see OpenID SSF 1.0, "Transmitter Configuration Metadata" */
function checkSchemes(metadata: TransmitterConfiguration): void {
  for (const name of urls) {
    const url = metadata[name]
    if (url === undefined || new URL(url).protocol === 'https:') continue
    throw new PeerError('ERR_PEER_ANSWER', `"${name}" in the metadata must be an https URL`)
  }
}
