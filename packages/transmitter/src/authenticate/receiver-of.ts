import type { ReceiverIdentity } from '../receiver-identity.ts'

/** What an authorization server says about an access token: its claims, or its introspection. */
export type AccessTokenClaims = Readonly<Record<string, unknown>>

/** Whose an access token is. */
export interface TokenReceiver extends Omit<ReceiverIdentity, 'scopes'> {
  /** What the Receiver may do with this token. Default: what `scope` or `scp` of the token says. */
  readonly scopes?: readonly string[]
}

/**
 * Tells whose an access token is by its claims, which are judged already; undefined for nobody's,
 * which is answered like a bad token.
 */
export type ReceiverOf = (claims: AccessTokenClaims) => TokenReceiver | undefined

/**
 * Names the Receiver of an access token that an authorization server vouches for. By default it is
 * the OAuth client, and its SETs are for it.
 *
 * @returns Undefined for the token of nobody, and for what is no bearer token
 */
export function receiverOf(
  claims: AccessTokenClaims,
  name: ReceiverOf = clientOf,
): ReceiverIdentity | undefined {
  if (isBound(claims) || isOtherKind(claims)) return undefined
  const receiver = name(claims)
  return receiver && { ...receiver, scopes: receiver.scopes ?? scopesOf(claims) }
}

function clientOf(claims: AccessTokenClaims): TokenReceiver | undefined {
  const id = [claims['client_id'], claims['azp'], claims['sub']].find(isName)
  return id === undefined ? undefined : { id, audience: id }
}

/** Good only with a proof of its holder's key (RFC 7800), which nobody looks at here. */
const isBound = ({ cnf }: AccessTokenClaims): boolean => cnf !== undefined

/** A SET or a logout token, whatever its header says: no access token has events. */
const isOtherKind = ({ events }: AccessTokenClaims): boolean => events !== undefined

/** @see RFC 6749, "Access Token Scope" */
function scopesOf({ scope, scp }: AccessTokenClaims): readonly string[] {
  const named = scope ?? scp
  const listed: readonly unknown[] =
    typeof named === 'string' ? named.split(' ') : Array.isArray(named) ? named : []
  return [...new Set(listed.filter(isName))]
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''
