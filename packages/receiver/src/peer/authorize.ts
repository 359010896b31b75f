import { Secret } from '@drawbridge/core'

/**
 * Gives an access token for the Transmitter's API. Called before each request: keep the token until
 * it expires.
 */
export type Authorize = (request: {
  /** A token that was just refused with 401: give another one, or throw. */
  readonly rejected?: string
}) => string | Promise<string>

/** Authorizes with one access token that was agreed with the Transmitter. */
export function staticToken(token: string): Authorize {
  const secret = new Secret(token)
  return () => secret.reveal()
}
