import {
  PeerError,
  readTransmitterConfiguration,
  wellKnownUrl,
  type TransmitterConfiguration,
} from '@drawbridge/schema'
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

function readConfiguration(value: unknown, issuer: string): KnownTransmitter {
  const metadata = readTransmitterConfiguration(value, issuer)
  for (const name of ['jwks_uri', 'configuration_endpoint'] as const) {
    if (metadata[name] === undefined) {
      throw new PeerError('ERR_PEER_ANSWER', `"${name}" is missing in the metadata`)
    }
  }
  return metadata as KnownTransmitter
}
