import { PeerError, wellKnownUrl } from '@drawbridge/schema'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '@drawbridge/core'
import { ask, unusable, type AskOptions } from './ask.ts'
import { createKept } from './kept.ts'

/** Whose keys are wanted, and how they are read. */
export interface ServerKeysOptions extends AskOptions {
  /** The issuer of the authorization server. */
  readonly issuer: string
  /** Where its keys are. Undefined: where its metadata says. */
  readonly jwksUri: string | undefined
  /** Whether its keys may be at an `http` URL. */
  readonly allowInsecureHttp: boolean
  readonly clock: Clock
}

/**
 * Finds keys of an authorization server by the header of a token. They are kept as
 * {@link createKept} says; for a `kid` that is unknown they are read anew.
 *
 * @throws PeerError `ERR_PEER_UNREACHABLE`, `ERR_PEER_ANSWER`, `ERR_PEER_ISSUER` where the keys
 *   cannot be had: the token may be good
 */
export function serverKeys(options: ServerKeysOptions): JWTVerifyGetKey {
  const kept = createKept(createReadKeys(options), options.clock)
  return async (header, token) => {
    const keys = await kept.current()
    try {
      return await keys(header, token)
    } catch (error) {
      if ((error as { code?: unknown }).code !== errors.JWKSNoMatchingKey.code) throw error
      const newer = await kept.renewed()
      if (!newer) throw error
      return await newer(header, token)
    }
  }
}

/** Where the keys are is read from the metadata once, and again after they were not there. */
function createReadKeys(options: ServerKeysOptions): () => Promise<JWTVerifyGetKey> {
  let found: string | undefined
  return async () => {
    const uri = options.jwksUri ?? found ?? (await findJwksUri(options))
    // Forgotten until the keys were read there.
    found = undefined
    const set = await ask(uri, options)
    if (!Array.isArray(set?.['keys'])) throw unusable('has no JWK Set: "keys" must be an array')
    found = uri
    return createLocalJWKSet(set as unknown as JSONWebKeySet)
  }
}

/** @see RFC 8414, "Obtaining Authorization Server Metadata" */
async function findJwksUri(options: ServerKeysOptions): Promise<string> {
  const { issuer, jwks_uri: uri } = await readMetadata(options)
  if (issuer !== options.issuer) {
    throw new PeerError(
      'ERR_PEER_ISSUER',
      '"issuer" in the metadata of the authorization server must be identical to the option "issuer"',
    )
  }
  if (isServerUrl(uri, options.allowInsecureHttp)) return uri
  throw unusable('has no https URL in "jwks_uri" of its metadata')
}

/** OAuth puts its name before the path of the issuer, OpenID Connect behind it. */
async function readMetadata(
  options: ServerKeysOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { issuer } = options
  const oauth = await ask(wellKnownUrl(issuer, 'oauth-authorization-server'), options)
  if (oauth) return oauth
  const openid = await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, options)
  if (openid) return openid
  throw unusable('has no metadata: say with "jwksUri" where its keys are')
}

/** Tells whether a value is a URL that an authorization server may have. */
export function isServerUrl(value: unknown, allowInsecureHttp: boolean): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol } = new URL(value)
  return protocol === 'https:' || (allowInsecureHttp && protocol === 'http:')
}
