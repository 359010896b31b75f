import type { SubjectInput } from '@drawbridge/schema'

/** What kind of session it is: a rule can tell them apart. */
export type SessionKind = 'human' | 'service' | 'agent' | 'apiKey'

/** Every {@link SessionKind}. */
export const sessionKinds: readonly SessionKind[] = ['human', 'service', 'agent', 'apiKey']

/** Who makes a request, as the application knows it from its session or from the claims of a token. */
export interface Who {
  /**
   * Everything that is known: `{ user, session, device, tenant, … }`. A signal about a member that
   * is absent here does not match.
   */
  readonly subject: SubjectInput
  /**
   * The root authentication the session rests on: `auth_time`, else the start of the refresh family
   * or grant, else the `iat` of the first token. Never the moment a cookie was set, and refreshing
   * does not move it.
   */
  readonly began: Date
  /**
   * Who logged the user in. Only that Transmitter's signals touch the session. Default: the `iss`
   * of a subject, or of its `user`, in the format `iss_sub`; without one, that of its delegator.
   */
  readonly issuer?: string
  /**
   * True where `began` is this machine's clock, and not the issuer's word: then `toleranceSeconds`
   * after T still count as before. Default: false.
   */
  readonly beganIsLocal?: boolean
  /** Default: `human`. */
  readonly kind?: SessionKind
  /**
   * The authentication context class of the root authentication. Default: none, which satisfies no
   * signal that asks for one.
   */
  readonly acr?: string
  /**
   * What the session was granted: its scopes. A request that requires another grant is refused.
   * Default: whatever a request requires was granted, unless a signal took it.
   */
  readonly grants?: readonly string[]
  /**
   * On whose behalf it acts: the session of the person who sent an agent, the owner of an API key,
   * the session that an upstream token was obtained with. What a signal takes from the delegator is
   * taken from this session as well, and never the other way round. A delegator may act for another
   * one. Default: it acts for itself.
   */
  readonly delegator?: Who
  /**
   * What of the delegator it rests on. `session`: on the delegator's session, and it ends with it.
   * `grant`: on what the delegator has consented to. It outlives a logout, a session that is
   * revoked, a changed password and the device that was used; a disabled, deleted or compromised
   * account, a high risk and revoked tokens reach it all the same. Default: `session`.
   */
  readonly endsWith?: EndsWith
}

/** What of its delegator a session rests on. */
export type EndsWith = 'session' | 'grant'
