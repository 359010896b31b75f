import { complex, issSub, opaque, readSet, SetError, type SecurityEvent } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'

/** What a logout token is checked against. */
export interface LogoutEventOptions {
  /** The OpenID Provider. */
  readonly issuer: string
  /** The `client_id` of the application at it. */
  readonly audience: string
}

const backChannelLogout = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Makes a signal of a logout token: the session of its `sid`, or without one all sessions of its
 * `sub`, are ended. Pure; the signature, `exp` and `typ` must have been verified.
 *
 * @example
 *   app.post('/backchannel-logout', async (request, response) => {
 *     const { payload } = await jwtVerify(request.body.logout_token, keys, { typ: 'logout+jwt' })
 *     await enforcement.apply(logoutEvent(payload, { issuer, audience }))
 *     response.set('cache-control', 'no-store').sendStatus(200)
 *   })
 *
 * @throws SetError `ERR_SET_CLAIM`, `ERR_SET_ISSUER` or `ERR_SET_AUDIENCE`: answer 400
 * @see OpenID Connect Back-Channel Logout 1.0, "Logout Token Validation"
 */
export function logoutEvent(
  claims: Readonly<Record<string, unknown>>,
  { issuer, audience }: LogoutEventOptions,
): SecurityEvent {
  const { iss, aud, iat, jti, sub, sid, events } = claims
  if (iss !== issuer) {
    throw new SetError('ERR_SET_ISSUER', 'invalid_issuer', '"iss" must be the OpenID Provider')
  }
  if (![aud].flat().includes(audience)) {
    throw new SetError('ERR_SET_AUDIENCE', 'invalid_audience', '"aud" must name the application')
  }
  if (typeof events !== 'object' || events === null || !isObject(memberOf(events))) {
    throw invalid('"events" must have the member for back-channel logout, an object')
  }
  if ('nonce' in claims) throw invalid('"nonce" must not be there: it is an ID Token that has one')
  if (!isText(sub) && !isText(sid)) throw invalid('"sub" or "sid" must be there')
  const members = {
    ...(isText(sub) && { user: issSub(issuer, sub) }),
    ...(isText(sid) && { session: opaque(sid) }),
  }
  const event = {
    iss,
    aud,
    iat,
    jti,
    sub_id: complex(members),
    events: { [SessionRevoked.uri]: {} },
  }
  return readSet(event).events[0]
}

const memberOf = (events: object): unknown =>
  (events as Readonly<Record<string, unknown>>)[backChannelLogout]

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_CLAIM', 'invalid_request', message)
