import { PeerError, wellKnownUrl, type TransmitterConfiguration } from '@drawbridge/schema'
import type { Peer } from './peer.ts'

/** Metadata that was found good: what a Receiver cannot do without is there. */
export type KnownTransmitter = TransmitterConfiguration &
  Required<Pick<TransmitterConfiguration, 'jwks_uri' | 'configuration_endpoint'>>

/**
 * Reads the metadata of an issuer.
 *
 * @throws PeerError `ERR_PEER_ISSUER` when `issuer` in it is another one, `ERR_PEER_ANSWER` when it
 *   lacks something
 * @see OpenID SSF 1.0, "Obtaining Transmitter Configuration Metadata"
 */
export async function discover(
  peer: Peer,
  issuer: string,
  signal?: AbortSignal,
): Promise<KnownTransmitter> {
  const url = wellKnownUrl(issuer)
  const { status, body } = await peer.request({ method: 'GET', url, signal, anonymous: true })
  if (status !== 200) {
    throw new PeerError(
      'ERR_PEER_ANSWER',
      `the metadata of the Transmitter cannot be read: its well-known URL answered ${status}`,
    )
  }
  return readConfiguration(body, issuer)
}

const urls = [
  'jwks_uri',
  'configuration_endpoint',
  'status_endpoint',
  'verification_endpoint',
] as const

function readConfiguration(value: unknown, issuer: string): KnownTransmitter {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PeerError('ERR_PEER_ANSWER', 'the metadata of the Transmitter is not a JSON object')
  }
  const metadata = value as Record<string, unknown>
  // Code point by code point (SSF-7.2.4-2): an issuer that is nearly the same is another one.
  if (metadata['issuer'] !== issuer) {
    throw new PeerError(
      'ERR_PEER_ISSUER',
      'the metadata is that of another "issuer": write it exactly as the Transmitter does',
    )
  }
  for (const name of urls) {
    const url = metadata[name]
    if (url !== undefined && !(typeof url === 'string' && URL.canParse(url))) {
      throw new PeerError('ERR_PEER_ANSWER', `"${name}" in the metadata must be a URL`)
    }
  }
  for (const name of ['jwks_uri', 'configuration_endpoint']) {
    if (metadata[name] === undefined) {
      throw new PeerError('ERR_PEER_ANSWER', `"${name}" is missing in the metadata`)
    }
  }
  return metadata as unknown as KnownTransmitter
}
