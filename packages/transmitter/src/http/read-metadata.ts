import { jsonResponse } from '@drawbridge/core'
import { poll, push, type TransmitterConfiguration } from '@drawbridge/schema'
import type { PublicCall } from './call.ts'

/** @see OpenID SSF 1.0, "Transmitter Configuration Response" */
export function readMetadata({ management: { settings } }: PublicCall): Response {
  const { issuer, base } = settings
  const metadata: TransmitterConfiguration = {
    issuer,
    spec_version: '1_0',
    jwks_uri: `${base}/ssf/jwks`,
    delivery_methods_supported: [push, poll],
    configuration_endpoint: `${base}/ssf/streams`,
    status_endpoint: `${base}/ssf/status`,
    verification_endpoint: `${base}/ssf/verify`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    default_subjects: 'ALL',
  }
  return jsonResponse(200, metadata)
}
