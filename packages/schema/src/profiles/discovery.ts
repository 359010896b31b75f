/**
 * Another place than SSF 1.0's where a Transmitter may have its metadata. `sse` and `risc` are the
 * well-known names of the drafts between host and path of the issuer, `sse-suffix` the name after
 * its path, `sse-host` the name at the root of its host.
 *
 * @see OpenID SSF 1.0, "Backward Compatibility for RISC Transmitters"
 */
export type DiscoveryPlace = 'sse' | 'sse-suffix' | 'sse-host' | 'risc'

/** How a Receiver finds the Transmitter of a profile: data, read when metadata is. */
export interface ProfileDiscovery {
  /**
   * Where metadata is looked for when it is not at the place of 1.0, in this order. Default:
   * nowhere.
   */
  readonly places: readonly DiscoveryPlace[]
  /** Whether a `/` at the end of the issuer, in metadata and in `iss`, counts. Default: true. */
  readonly issuerSlashCounts: boolean
  /**
   * Whether scopes are read from the metadata of the protected resource, where there is some.
   * Default: false.
   *
   * @see RFC 9728, "Protected Resource Metadata"
   */
  readonly resourceMetadata: boolean
}

/** Fills in what SSF 1.0 says. */
export const discoveryOf = (definition: Partial<ProfileDiscovery> = {}): ProfileDiscovery => ({
  places: [],
  issuerSlashCounts: true,
  resourceMetadata: false,
  ...definition,
})
