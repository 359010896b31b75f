// The token endpoint of an issuer, and the key that its access tokens are signed with.
import { randomUUID } from 'node:crypto'
import { jsonResponse, type FetchHandler } from '@drawbridge/core'
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import type { Scenario } from './frame/scenario.ts'
import {
  createTokenExchange,
  exchangeGrant,
  type TokenExchangeSettings,
  type TokenToSign,
} from './token-exchange.ts'

/** What logging in needs. */
export interface LoginSettings extends Pick<Scenario, 'accounts' | 'agents'> {
  readonly issuer: string
  /** NumericDate, seconds. */
  now(): number
}

/** Logs in whoever knows a secret, and says in a signed access token what the login was like. */
export async function createLogin(settings: LoginSettings): Promise<FetchHandler> {
  const { issuer, accounts, agents, now } = settings
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'login', alg: 'ES256', use: 'sig' }
  const sign = ({ claims, audience, expires }: TokenToSign): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'login', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(Math.floor(now()))
      .setExpirationTime(expires)
      .sign(privateKey)
  const verify: TokenExchangeSettings['verify'] = (token) =>
    jwtVerify(token, publicKey, {
      issuer,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(now() * 1000),
    }).then(
      ({ payload }) => payload,
      () => undefined,
    )
  const logIn = async (form: Readonly<Record<string, string>>): Promise<Response> => {
    const { secret = '', ...login } = form
    const account = Object.hasOwn(accounts, secret) ? accounts[secret] : undefined
    if (!account) return jsonResponse(401, { error: 'invalid_client' })
    const began = Math.floor(now())
    // A client's own token is no login of a person: it has neither a time of one nor a session.
    const person = account.client_id ? {} : { auth_time: began, sid: randomUUID() }
    const claims = { ...login, ...account, ...person }
    const access_token = await sign({ claims, audience: 'api', expires: began + 3600 })
    return jsonResponse(200, { access_token, token_type: 'Bearer', expires_in: 3600 })
  }
  const exchange = agents && createTokenExchange({ ...agents, now, verify, sign })
  return {
    serves: () => true,
    fetch: async (request) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/login-keys') return Response.json({ keys: [jwk] })
      if (pathname !== '/token') return new Response(null, { status: 404 })
      const parameters = new URLSearchParams(await request.text())
      const grant = parameters.get('grant_type')
      if (grant === null) return await logIn(Object.fromEntries(parameters))
      if (exchange && grant === exchangeGrant) return await exchange(parameters)
      return jsonResponse(400, { error: 'unsupported_grant_type' })
    },
  }
}
