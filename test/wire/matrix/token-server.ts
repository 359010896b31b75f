import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { systemClock, type Clock } from '@drawbridge/core'
import { mounts } from '../../support/mounts.ts'
import type { Authority } from '../../support/tls.ts'

/** An authorization server over TLS that gives JWT access tokens by the client credentials grant. */
export interface TokenServer {
  readonly issuer: string
  /** Its clock, and that of whoever judges its tokens. */
  readonly clock: Clock
  /** How many tokens it has given to a client. */
  given(clientId: string): number
  /** Lets all tokens that were given so far expire. */
  expireTokens(): void
  close(): Promise<void>
}

const lifeSeconds = 3600

/** The secret of every client. */
export const clientSecret = 'a secret of the client'

/** Both are form-encoded before they are joined (RFC 6749, "Client Password"). */
const decoded = (part: string): string => decodeURIComponent(part.replaceAll('+', ' '))

/** Starts one. The `aud` of a token is the `resource` that it was asked for. */
export async function openTokenServer(authority: Authority): Promise<TokenServer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] }
  const given: string[] = []
  let aheadMs = 0
  let issuer = ''
  const clock: Clock = { now: () => Date.now() + aheadMs, sleep: systemClock.sleep }

  const giveToken = async (request: Request): Promise<Response> => {
    const [, encoded = ''] = (request.headers.get('authorization') ?? '').split('Basic ')
    const [clientId = '', secret] = Buffer.from(encoded, 'base64')
      .toString()
      .split(':')
      .map(decoded)
    if (secret !== clientSecret) {
      return Response.json({ error: 'invalid_client' }, { status: 401 })
    }
    const form = new URLSearchParams(await request.text())
    const now = Math.floor(clock.now() / 1000)
    given.push(clientId)
    const access_token = await new SignJWT({ client_id: clientId, scope: form.get('scope') })
      .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(form.get('resource') ?? '')
      .setSubject(clientId)
      .setJti(crypto.randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + lifeSeconds)
      .sign(privateKey)
    return Response.json({ access_token, token_type: 'Bearer', expires_in: lifeSeconds })
  }
  const answer = async (request: Request): Promise<Response> => {
    switch (new URL(request.url).pathname) {
      case '/.well-known/oauth-authorization-server':
        return Response.json({
          issuer,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
        })
      case '/jwks':
        return Response.json(jwks)
      case '/token':
        return await giveToken(request)
      default:
        return new Response(null, { status: 404 })
    }
  }
  const mount = mounts['node:http']
  if (!mount) throw new Error('there is no binding for node:http')
  const server = await mount({ fetch: answer, serves: () => true }, authority.issue('localhost'))
  issuer = `https://localhost:${server.port}`
  return {
    issuer,
    clock,
    given: (clientId) => given.filter((id) => id === clientId).length,
    expireTokens: () => void (aheadMs += 2 * lifeSeconds * 1000),
    close: server.close,
  }
}

/** A `fetch` of GET that trusts one authority more. */
export const fetchTrusting =
  (ca: string): typeof globalThis.fetch =>
  (input) =>
    new Promise((resolve, reject) => {
      const url = input instanceof Request ? input.url : input
      httpsRequest(url, { ca, headers: { accept: 'application/json' } }, (response) => {
        const status = response.statusCode ?? 500
        const headers = { 'content-type': response.headers['content-type'] ?? '' }
        text(response).then((body) => resolve(new Response(body, { status, headers })), reject)
      })
        .on('error', reject)
        .end()
    })
