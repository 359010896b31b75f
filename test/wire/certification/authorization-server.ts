import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Certificate } from '../../support/tls.ts'
import type { Json } from './peer.ts'

/** An authorization server that knows one client and the client credentials grant. */
export interface AuthorizationServer {
  readonly issuer: string
  /** Signs a token as it signs those it gives out, with other claims or another header. */
  sign(claims?: Json, header?: Json): string
  close(): Promise<void>
}

/** The client, as it has to authenticate. */
export const client = { id: 'receiver', secret: 'a secret of the client' }

const lifetimeSeconds = 3600

/**
 * Opens an authorization server over TLS.
 *
 * @param resource What its tokens are for: their `aud`
 * @see RFC 6749, "Client Credentials Grant"; RFC 8414; RFC 9068
 */
export async function openAuthorizationServer(
  tls: Certificate,
  resource: string,
): Promise<AuthorizationServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }
  const server = createServer(tls)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  const signToken = (claims: Json = {}, header: Json = {}): string => {
    const now = Math.floor(Date.now() / 1000)
    const exp = now + lifetimeSeconds
    const who = { iss: issuer, aud: resource, sub: client.id, client_id: client.id }
    const parts = [
      { alg: 'ES256', typ: 'at+jwt', kid: 'one', ...header },
      { ...who, jti: crypto.randomUUID(), iat: now, nbf: now, exp, ...claims },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    const signature = sign('sha256', Buffer.from(parts.join('.')), key)
    return [...parts, signature.toString('base64url')].join('.')
  }
  const documents: Readonly<Record<string, Json>> = {
    '/.well-known/oauth-authorization-server': {
      issuer,
      jwks_uri: `${issuer}/keys`,
      token_endpoint: `${issuer}/token`,
      grant_types_supported: ['client_credentials'],
    },
    '/keys': { keys: [jwk] },
  }
  server.on('request', (request, response) => {
    void text(request).then((form) => {
      const isToken = request.method === 'POST' && request.url === '/token'
      const answer = isToken
        ? grant(request.headers.authorization, new URLSearchParams(form), signToken)
        : documents[request.url ?? '']
      response.writeHead(answer ? (answer['error'] ? 400 : 200) : 404, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      })
      response.end(JSON.stringify(answer))
    })
  })
  return {
    issuer,
    sign: signToken,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function grant(
  authorization: string | undefined,
  form: URLSearchParams,
  signToken: AuthorizationServer['sign'],
): Json {
  const known = [client.id, client.secret].map(encodeURIComponent).join(':')
  if (authorization !== `Basic ${Buffer.from(known).toString('base64')}`) {
    return { error: 'invalid_client' }
  }
  if (form.get('grant_type') !== 'client_credentials') return { error: 'unsupported_grant_type' }
  const scope = form.get('scope') ?? 'ssf.read'
  return {
    access_token: signToken({ scope }),
    token_type: 'Bearer',
    expires_in: lifetimeSeconds,
    scope,
  }
}

/** A `fetch` that trusts one authority. */
export const fetchTrusting =
  (ca: string): typeof fetch =>
  (input, init = {}) =>
    new Promise((resolve, reject) => {
      const url = typeof input === 'object' && 'url' in input ? input.url : String(input)
      const { method = 'GET', body, headers } = init
      const sent = { method, ca, headers: Object.fromEntries(new Headers(headers)) }
      const request = httpsRequest(url, sent, (response) => {
        text(response).then((received) => {
          resolve(new Response(received, { status: response.statusCode ?? 500 }))
        }, reject)
      })
      request.on('error', reject).end(body as string | undefined)
    })
