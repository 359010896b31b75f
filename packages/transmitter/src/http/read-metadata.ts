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
    add_subject_endpoint: `${base}/ssf/subjects:add`,
    remove_subject_endpoint: `${base}/ssf/subjects:remove`,
    verification_endpoint: `${base}/ssf/verify`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    default_subjects: settings.subjects.byDefault,
  }
  return jsonResponse(200, metadata)
}
