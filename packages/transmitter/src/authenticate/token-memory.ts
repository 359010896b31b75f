import { sha256, type Clock } from '@drawbridge/core'
import type { AccessTokenClaims } from './receiver-of.ts'

/** Asks what there is to say of an access token; undefined for one that is not active. */
export type AskAboutToken = (token: string) => Promise<AccessTokenClaims | undefined>

/** So many answers are remembered. */
const mostRemembered = 10_000

interface Remembered {
  readonly answer: ReturnType<AskAboutToken>
  /** Milliseconds since 1970. */
  until: number
}

/**
 * Remembers what was said of active tokens, for `ms` milliseconds at most and never beyond their
 * `exp`. Those that ask about one token while its answer is under way share it. Refusals and
 * failures are not remembered. Tokens are kept as hashes only: what is remembered opens nothing.
 */
export function createMemory(askAbout: AskAboutToken, ms: number, clock: Clock): AskAboutToken {
  const remembered = new Map<string, Remembered>()
  return async (token) => {
    const key = Buffer.from(await sha256(token)).toString('base64')
    const known = remembered.get(key)
    if (known && known.until > clock.now()) return await known.answer
    const asked: Remembered = { answer: askAbout(token), until: Number.POSITIVE_INFINITY }
    remembered.delete(key)
    remembered.set(key, asked)
    forgetOldest(remembered)
    try {
      const claims = await asked.answer
      asked.until = goodUntil(claims, clock.now() + ms)
      return claims
    } catch (error) {
      asked.until = 0
      throw error
    } finally {
      if (asked.until <= clock.now() && remembered.get(key) === asked) remembered.delete(key)
    }
  }
}

function goodUntil(claims: AccessTokenClaims | undefined, atMost: number): number {
  if (!claims) return 0
  const exp = claims['exp']
  return typeof exp === 'number' ? Math.min(atMost, exp * 1000) : atMost
}

function forgetOldest(remembered: Map<string, Remembered>): void {
  const [oldest] = remembered.keys()
  if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest)
}
