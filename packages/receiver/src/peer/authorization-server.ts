import { issuerOfWellKnownUrl, PeerError } from '@drawbridge/schema'
import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
  processResourceDiscoveryResponse,
  resourceDiscoveryRequest,
  type AuthorizationServer,
  type CustomFetchOptions,
  type ResourceServer,
} from 'oauth4webapi'
import type { AuthorizeRequest } from './authorize.ts'
import { boundedFetch } from './bounded-fetch.ts'

/** Where tokens come from; what is left out is found. */
export interface AuthorizationServerOptions {
  /** The token endpoint. Default: that in the metadata of the authorization server. */
  readonly tokenEndpoint?: string
  /**
   * The issuer of the authorization server, as in its metadata. Default: the one that the
   * Transmitter names as a protected resource.
   */
  readonly issuer?: string
  /** The scopes to ask for. Default: those of the protected resource, else `ssf.read ssf.manage`. */
  readonly scopes?: readonly string[]
  /** The identifier of the protected resource. Default: the issuer of the Transmitter. */
  readonly resource?: string
}

/** An authorization server and what to ask it for. */
export interface FoundServer {
  readonly server: AuthorizationServer
  readonly scopes: readonly string[]
}

const defaultScopes = ['ssf.read', 'ssf.manage']

/**
 * Finds the authorization server of a Transmitter and the scopes to ask for.
 *
 * @throws PeerError `ERR_PEER_ANSWER` where nobody says which it is, or it is not to be trusted
 * @see RFC 9728, "Obtaining Protected Resource Metadata"; RFC 8414, "Authorization Server Metadata"
 */
export async function findAuthorizationServer(
  options: AuthorizationServerOptions,
  request: AuthorizeRequest,
): Promise<FoundServer> {
  const { tokenEndpoint, issuer } = options
  const isGiven = tokenEndpoint !== undefined || issuer !== undefined
  const asksForScopes = request.resourceMetadata && options.scopes === undefined
  const resource =
    isGiven && !asksForScopes ? undefined : await findResource(options, request, isGiven)
  const scopes = options.scopes ?? scopesOf(resource)
  if (tokenEndpoint !== undefined) {
    // Without an issuer an assertion is addressed to the endpoint (RFC 7523, section 3).
    const server = { issuer: issuer ?? tokenEndpoint, token_endpoint: tokenEndpoint }
    return { server, scopes }
  }
  const server = await readServer(issuer ?? namedServer(resource, request), request)
  if (server.token_endpoint !== undefined) return { server, scopes }
  throw refused('"token_endpoint" is missing in the metadata of the authorization server')
}

/**
 * The metadata of the protected resource; undefined where there is none that holds. A Transmitter
 * that is not the resource itself may tell which is, where nothing else says who gives tokens.
 */
async function findResource(
  options: AuthorizationServerOptions,
  request: AuthorizeRequest,
  isGiven: boolean,
): Promise<ResourceServer | undefined> {
  const found = await readResource(options.resource ?? request.issuer, request)
  if (found || isGiven || options.resource !== undefined) return found
  const named = await challengedResource(request)
  return named === undefined ? undefined : await readResource(named, request)
}

/**
 * The resource that an endpoint names when it is asked without a token: one that the endpoint is
 * part of.
 *
 * @see RFC 9728, "Use of WWW-Authenticate for Protected Resource Metadata"
 */
async function challengedResource(request: AuthorizeRequest): Promise<string | undefined> {
  const { url } = request
  const options = requestOptions(request, 'the Transmitter')
  const { status, headers } = await options[customFetch](url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    body: undefined,
    redirect: 'manual',
  })
  const challenge = status === 401 ? (headers.get('www-authenticate') ?? '') : ''
  const [, metadataUrl = ''] = /\bresource_metadata="([^"]+)"/i.exec(challenge) ?? []
  const resource = issuerOfWellKnownUrl(metadataUrl, 'oauth-protected-resource')
  return resource !== undefined && `${url}/`.startsWith(`${resource}/`) ? resource : undefined
}

async function readResource(
  resource: string,
  request: AuthorizeRequest,
): Promise<ResourceServer | undefined> {
  const url = new URL(resource)
  const response = await resourceDiscoveryRequest(url, requestOptions(request, 'the Transmitter'))
  if (response.status !== 200) return undefined
  try {
    const metadata = await processResourceDiscoveryResponse(url, response)
    return metadata.resource === resource ? metadata : undefined
  } catch {
    return undefined
  }
}

/** Those about SSF, where the resource has others too. */
function scopesOf(resource: ResourceServer | undefined): readonly string[] {
  const listed: unknown = resource?.scopes_supported
  const scopes = Array.isArray(listed) ? listed.filter((scope) => typeof scope === 'string') : []
  const own = scopes.filter((scope) => scope.startsWith('ssf'))
  if (own.length > 0) return own
  return scopes.length > 0 ? scopes : defaultScopes
}

/** A resource could name a server of its own making, to be shown our secret. */
function namedServer(resource: ResourceServer | undefined, request: AuthorizeRequest): string {
  const servers = (resource?.authorization_servers ?? []).filter((one) => URL.canParse(one))
  const [first] = servers
  if (first === undefined) {
    throw refused(
      'the Transmitter does not say which authorization server it trusts: name it in "issuer" or "tokenEndpoint"',
    )
  }
  const trusted = servers.find((one) => request.trustedOrigins.includes(new URL(one).origin))
  if (trusted !== undefined) return trusted
  throw refused(
    'the Transmitter names an authorization server at another origin than its own: where that is right, name it in "issuer" or add its origin to "trustedOrigins"',
  )
}

async function readServer(issuer: string, request: AuthorizeRequest): Promise<AuthorizationServer> {
  const url = new URL(issuer)
  const options = requestOptions(request, 'the authorization server')
  let response = await discoveryRequest(url, { ...options, algorithm: 'oauth2' })
  if (response.status === 404) response = await discoveryRequest(url, options)
  try {
    return await processDiscoveryResponse(url, response)
  } catch (cause) {
    throw refused('the metadata of the authorization server does not hold', cause)
  }
}

/** A document of metadata is a few KiB; an answer with a token is less. */
const largestAnswer = 256 * 1024

/** How requests are made on behalf of a Receiver. */
export function requestOptions(
  { fetch, clock, allowInsecureHttp }: AuthorizeRequest,
  who: 'the Transmitter' | 'the authorization server',
): RequestOptions {
  const limits = { who, timeoutMs: 10_000, largestBytes: largestAnswer, clock }
  const bounded = boundedFetch(fetch, limits)
  return {
    [customFetch]: (url, { method, headers, body }) =>
      bounded(url, { method, headers, ...(body === undefined ? {} : { body }) }),
    [allowInsecureRequests]: allowInsecureHttp,
  }
}

interface RequestOptions {
  readonly [customFetch]: (
    url: string,
    options: CustomFetchOptions<string, URLSearchParams | undefined>,
  ) => Promise<Response>
  readonly [allowInsecureRequests]: boolean
}

/** An error that trying again does not mend. */
export const refused = (message: string, cause?: unknown): PeerError =>
  new PeerError('ERR_PEER_ANSWER', message, { cause })
