import { checkOptions, OptionsError, systemClock } from '@drawbridge/core'
import type { Hook, HookCall } from '../hooks.ts'
import { forEach } from './for-each.ts'
import {
  logoutTokenClaims,
  type LogoutTokenClaims,
  type LogoutTokenHeader,
} from './logout-token.ts'
import { checkHttp, endpointRule, httpOptionNames, isEndpoint, post, refusal } from './post.ts'
import type { HttpOptions } from './post.ts'
import { createProgress } from './progress.ts'

/**
 * A session at a client, by the client's registration and its ID Tokens. `sub`, `sid` or both must
 * be there; with `sub` alone the client ends all sessions of that user.
 *
 * @see OpenID Connect Back-Channel Logout 1.0, "Indicating RP Support for Back-Channel Logout"
 */
export interface LoggedInClient {
  readonly client_id: string
  readonly backchannel_logout_uri: string
  /** The user, as this client's ID Tokens say; pairwise where they are. */
  readonly sub?: string
  /** The session, as this client's ID Tokens say. */
  readonly sid?: string
}

/** The options of {@link backChannelLogout}. */
export interface BackChannelLogoutOptions extends HttpOptions {
  /** The issuer of the ID Tokens, as it stands in their `iss`. */
  readonly issuer: string
  /** Signs a Logout Token with the key that signs ID Tokens, and gives the compact JWT. */
  readonly sign: (token: {
    readonly header: LogoutTokenHeader
    readonly claims: LogoutTokenClaims
  }) => string | Promise<string>
  /**
   * Gives the sessions at clients that the signal reaches; `call.takesFrom` says whether one is.
   * Called in every attempt.
   */
  readonly clientsOf: (
    call: HookCall,
  ) => Iterable<LoggedInClient> | Promise<Iterable<LoggedInClient>>
  /** How long a Logout Token can be used, in seconds, at most 120. Default: 120. */
  readonly lifetimeSeconds?: number
}

const optionNames = ['issuer', 'sign', 'clientsOf', 'lifetimeSeconds', ...httpOptionNames]

/**
 * Makes a hook by which an OpenID Provider logs its clients out. Each client is asked by itself:
 * one that fails stops no other, and one that succeeded is not asked again in the next attempt. A
 * client that is asked again gets a Logout Token with the same `jti`.
 *
 * @example
 *   const terminate = backChannelLogout({
 *     issuer: 'https://op.example',
 *     sign: ({ header, claims }) =>
 *       new SignJWT({ ...claims })
 *         .setProtectedHeader({ ...header, alg: 'ES256', kid: '1' })
 *         .sign(privateKey),
 *     clientsOf: async (call) =>
 *       (await logins.of(call.subject))
 *         .filter((login) => call.takesFrom(login.who))
 *         .map(({ client, sub, sid }) => ({ ...client, sub, sid })),
 *   })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 * @see OpenID Connect Back-Channel Logout 1.0, "Back-Channel Logout Request"
 */
export function backChannelLogout(options: BackChannelLogoutOptions): Hook {
  checkBackChannelLogout(options ?? {})
  const { lifetimeSeconds = 120, clock = systemClock } = options
  const settings: Settings = { ...options, lifetimeSeconds, clock }
  const progress = createProgress()
  return async (call) => {
    const clients = await settings.clientsOf(call)
    const loggedOut = progress.of(call.key)
    const context = { signal: call.signal, failed: 'clients were not logged out' }
    await forEach(clients, context, async (client) => {
      checkClient(client, settings)
      const id = sessionId(client)
      if (loggedOut.has(id)) return
      await logOut(client, call, settings)
      loggedOut.add(id)
    })
    progress.finish(call.key)
  }
}

type Settings = BackChannelLogoutOptions &
  Required<Pick<BackChannelLogoutOptions, 'lifetimeSeconds' | 'clock'>>

function checkBackChannelLogout(options: Partial<BackChannelLogoutOptions>): void {
  const checks = checkOptions('backChannelLogout')
  const { issuer, sign, clientsOf, lifetimeSeconds = 120 } = options
  checks.known(options, optionNames)
  checks.url('issuer', issuer, options.allowInsecureHttp === true)
  checks.check(
    typeof sign === 'function',
    '"sign" must be a function that signs a header and claims, and gives a compact JWT',
  )
  checks.check(typeof clientsOf === 'function', '"clientsOf" must be a function')
  checks.check(
    Number.isInteger(lifetimeSeconds) && lifetimeSeconds >= 1 && lifetimeSeconds <= 120,
    '"lifetimeSeconds" must be a whole number from 1 to 120',
  )
  checkHttp(options, checks)
  checks.done()
}

const sessionId = ({ client_id, backchannel_logout_uri, sub, sid }: LoggedInClient): string =>
  JSON.stringify([client_id, backchannel_logout_uri, sub ?? null, sid ?? null])

async function logOut(client: LoggedInClient, call: HookCall, settings: Settings): Promise<void> {
  const { issuer, lifetimeSeconds, clock } = settings
  const parts = { ...client, issuer, lifetimeSeconds, key: call.key, now: clock.now() }
  const claims = await logoutTokenClaims(parts)
  const logout_token = await signed(claims, settings)
  const peer = `the client ${JSON.stringify(client.client_id)}`
  const request = {
    url: client.backchannel_logout_uri,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token }).toString(),
    signal: call.signal,
    peer,
  }
  await post(request, settings, (response) => {
    if (response.status === 200 || response.status === 204) return
    throw refusal(response, { ...settings, peer, advice })
  })
}

async function signed(claims: LogoutTokenClaims, { sign }: Settings): Promise<string> {
  const token: unknown = await sign({ header: { typ: 'logout+jwt' }, claims })
  if (typeof token === 'string' && token !== '') return token
  throw new OptionsError('sign', ['it must give a compact JWT'])
}

const advice = { 400: 'it does not accept the Logout Token, or its logout failed' }

function checkClient(client: LoggedInClient, http: HttpOptions): void {
  const { check, done } = checkOptions('clientsOf')
  const { client_id, backchannel_logout_uri: uri, sub, sid } = client ?? {}
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  check(isText(client_id), '"client_id" must be a non-empty string')
  check(isEndpoint(uri, http), `"backchannel_logout_uri" ${endpointRule}`)
  const named = [sub, sid].filter((value) => value !== undefined)
  check(
    named.length > 0 && named.every(isText),
    '"sub" or "sid" must say who or which session is logged out',
  )
  done()
}
