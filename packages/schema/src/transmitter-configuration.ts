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
