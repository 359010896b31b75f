import type { Secret } from '@drawbridge/core'
import type { Authorize, AuthorizeRequest } from './authorize.ts'

/** An access token as the authorization server gave it. */
export interface ObtainedToken {
  readonly token: Secret
  /** Undefined where it did not say: the token is good until it is refused. */
  readonly expiresInSeconds: number | undefined
}

interface KeptToken {
  readonly token: Secret
  readonly renewAt: number
  readonly expiresAt: number
}

/** A token is renewed so long before it expires, or a tenth of its life before. */
const marginMs = 60_000

/**
 * Keeps one token: renewed before it expires, or when it was refused. Whoever asks meanwhile waits
 * for the same one; where it cannot be renewed, it is used as long as it lasts.
 *
 * @see RFC 6749, "Successful Response"
 */
export function tokenCache(
  obtain: (request: AuthorizeRequest) => Promise<ObtainedToken>,
): Authorize {
  let kept: KeptToken | undefined
  let obtaining: Promise<KeptToken> | undefined

  const renew = async (request: AuthorizeRequest): Promise<KeptToken> => {
    const askedAt = request.clock.now()
    try {
      kept = keep(await obtain(request), askedAt)
      return kept
    } catch (error) {
      if (kept && request.clock.now() < kept.expiresAt) return kept
      throw error
    } finally {
      obtaining = undefined
    }
  }
  return async (request) => {
    if (kept && kept.token.reveal() === request.rejected) kept = undefined
    if (kept && request.clock.now() < kept.renewAt) return kept.token.reveal()
    const { token } = await (obtaining ??= renew(request))
    return token.reveal()
  }
}

/** Counted from when it was asked for: an answer may have been under way for long. */
function keep({ token, expiresInSeconds }: ObtainedToken, askedAt: number): KeptToken {
  const lifeMs = expiresInSeconds === undefined ? Infinity : expiresInSeconds * 1000
  const expiresAt = askedAt + lifeMs
  return { token, expiresAt, renewAt: expiresAt - Math.min(marginMs, lifeMs / 10) }
}
