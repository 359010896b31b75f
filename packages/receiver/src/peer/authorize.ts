import { Secret, type Clock } from '@drawbridge/core'

/** What {@link Authorize} is asked. */
export interface AuthorizeRequest {
  /** A token that was just refused with 401: give another one, or throw. */
  readonly rejected?: string
  /** The issuer of the Transmitter. */
  readonly issuer: string
  /** The URL that the token is for. */
  readonly url: string
  /** Where credentials may be sent: the issuer's origin and the `trustedOrigins`. */
  readonly trustedOrigins: readonly string[]
  /** Whether scopes are to be read from the metadata of the protected resource, by the profile. */
  readonly resourceMetadata: boolean
  /** Whether `http` URLs are allowed. */
  readonly allowInsecureHttp: boolean
  /** The `fetch` of the Receiver: it connects only where the Receiver may. */
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
}

/**
 * Gives an access token for the Transmitter's API. Called before each request: keep the token until
 * it expires.
 */
export type Authorize = (request: AuthorizeRequest) => string | Promise<string>

/** Authorizes with one access token that was agreed with the Transmitter. */
export function staticToken(token: string): Authorize {
  const secret = new Secret(token)
  return () => secret.reveal()
}
