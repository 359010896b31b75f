import type { Effect } from '../effect.ts'
import type { Cause } from '../ledger/ledger-entry.ts'

/** What {@link AccessDenied.response} looks at: a Fetch `Request` is one. */
export interface RequestLike {
  readonly method: string
  readonly headers: {
    /** As `get` of `Headers`. */
    get(name: string): string | null
  }
}

/** Nothing is in the way. */
export interface AccessAllowed {
  readonly outcome: 'allow'
  readonly causes: readonly []
}

/** The request must not be carried out. */
export interface AccessDenied {
  /** `challenge` where authenticating again opens the same session, `refuse` where it does not. */
  readonly outcome: 'challenge' | 'refuse'
  /** The hardest effect in force; absent while the ledger has not been read. */
  readonly effect?: Effect
  /** The signals behind it. Their texts are the peer's: for logs, never for a page. */
  readonly causes: readonly Cause[]
  /**
   * Makes the HTTP answer: 401 with the challenge that fits, 403 for a page that a login does not
   * help, 503 while the ledger has not been read. A browser's navigation gets a page, or is sent to
   * `loginUrl`; all else gets JSON. Holds no text of a peer.
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
