import { issSub, opaque } from '@drawbridge/schema'

export const issuer = 'http://127.0.0.1:1'
export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
export const payload = { initiating_entity: 'admin', reason_admin: { en: 'Account closed' } }

/** The subject of event number `index`: another principal each time. */
export const subject = (index) => ({
  user: issSub(issuer, `user-${index}`),
  session: opaque(`session-${index}`),
})
/** The claims that a Transmitter makes for it. */
export const claims = (index, iss = issuer) => ({
  iss,
  iat: Math.floor(Date.now() / 1000),
  jti: crypto.randomUUID(),
  aud: 'app',
  txn: crypto.randomUUID(),
  sub_id: { ...subject(index), format: 'complex' },
  events: { [sessionRevoked]: payload },
})
