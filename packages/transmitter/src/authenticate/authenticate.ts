import type { ReceiverIdentity } from '../receiver-identity.ts'

/**
 * Tells who a request comes from, or undefined when its credentials are not good. It should look at
 * the headers only: the body is not read yet. Where it cannot tell just now, because somebody whom
 * it has to ask does not answer, it throws a PeerError such as `ERR_PEER_UNREACHABLE`, and the
 * request is answered with 503.
 */
export interface Authenticate {
  (request: Request): Promise<ReceiverIdentity | undefined> | ReceiverIdentity | undefined
  /**
   * The authorization servers whose access tokens are good, by their issuers. They are published as
   * OAuth 2.0 Protected Resource Metadata, so that Receivers find them.
   *
   * @see RFC 9728, "Protected Resource Metadata"
   */
  readonly authorizationServers?: readonly string[]
}

const bearer = /^bearer +([\w~+/.:=-]+) *$/i

/**
 * The access token of a request, from the `Authorization` field alone.
 *
 * @see RFC 6750, "Authorization Request Header Field"
 */
export const bearerToken = ({ headers }: Request): string | undefined =>
  bearer.exec(headers.get('authorization') ?? '')?.[1]

/**
 * Accepts what any of several accepts, in their order: static tokens beside those of an
 * authorization server. One that cannot tell just now does not stop those after it.
 *
 * Two authorization servers can give two clients one name: where you trust several, let `receiver`
 * make a Receiver's `id` of both names.
 *
 * ```ts
 * authenticate: firstOf(staticTokens([…]), jwtAccessTokens({ … }))
 * ```
 */
export function firstOf(...ways: readonly Authenticate[]): Authenticate {
  const servers = [
    ...new Set(ways.flatMap(({ authorizationServers = [] }) => authorizationServers)),
  ]
  const authenticate = async (request: Request): Promise<ReceiverIdentity | undefined> => {
    let unavailable: unknown
    for (const way of ways) {
      try {
        const receiver = await way(request)
        if (receiver) return receiver
      } catch (error) {
        if (!isUnavailable(error)) throw error
        unavailable ??= error
      }
    }
    // Nobody knew the token, and one could not be asked: it may be good.
    if (unavailable !== undefined) throw unavailable
    return undefined
  }
  return servers.length > 0
    ? Object.assign(authenticate, { authorizationServers: servers })
    : authenticate
}

/**
 * Tells that somebody who has to be asked cannot be asked just now, or does not answer as it must:
 * whether the credentials are good is not known.
 */
export const isUnavailable = (error: unknown): boolean =>
  (error as { readonly name?: unknown } | null)?.name === 'PeerError'
