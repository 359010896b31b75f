import type { Effect } from '../effect.ts'
import type { GrantLimits } from '../fold.ts'
import type { Cause } from '../ledger/ledger-entry.ts'

/** What is asked of the guard besides who makes the request. */
export interface CheckOptions {
  /**
   * The grants that the request needs: `['files:write']`; none: `[]`. Default: nobody has said, and
   * a session that was restricted is refused.
   */
  readonly requires?: readonly string[]
}

/** What {@link AccessDenied.response} looks at: a Fetch `Request` is one. */
export interface RequestLike {
  readonly method: string
  readonly headers: {
    /** As `get` of `Headers`. */
    get(name: string): string | null
  }
}

/** Nothing is in the way of this request. */
export interface AccessAllowed {
  readonly outcome: 'allow'
  /** Present when the session was shortened or restricted. */
  readonly effect?: 'shorten' | 'restrict'
  /** The signals behind it. */
  readonly causes: readonly Cause[]
  /** What grants are left, where some were taken. */
  readonly grants?: GrantLimits
  /**
   * When a signal ends the session, or asks for an authentication, by time alone: give no token a
   * longer life. Absent where none does.
   */
  readonly expiresAt?: Date
  /** The signals that would have taken something, if their Transmitters were not only observed. */
  readonly observed?: readonly Cause[]
}

/** The request must not be carried out. */
export interface AccessDenied {
  /** `challenge` where authenticating again opens the same session, `refuse` where it does not. */
  readonly outcome: 'challenge' | 'refuse'
  /**
   * The hardest effect in force. Absent while the ledger has not been read or is stale, and where
   * no signal but the session's own grants are in the way.
   */
  readonly effect?: Effect
  /** The signals behind it. Their texts are the peer's: for logs, never for a page. */
  readonly causes: readonly Cause[]
  /** The required grants that the session does not have. */
  readonly missing?: readonly string[]
  /**
   * Makes the HTTP answer: 401 with the challenge that fits, 403 where grants are missing and for a
   * page that a login does not help, 503 while the ledger has not been read or is stale. A
   * browser's navigation gets a page, or is sent to `loginUrl`; all else gets JSON. Holds no text
   * of a peer.
   *
   * @param request Default: a client that is not a browser
   * @see RFC 6750, "The WWW-Authenticate Response Header Field"; RFC 9470, "Authentication
   *   Requirements Challenge"
   */
  response(request?: RequestLike): Response
}

/** The guard's answer for one request. */
export type AccessDecision = AccessAllowed | AccessDenied

/** The one decision that every undisturbed request gets. */
export const allowed: AccessAllowed = Object.freeze({ outcome: 'allow', causes: [] as const })
