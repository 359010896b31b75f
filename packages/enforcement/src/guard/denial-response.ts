import { jsonResponse } from '@drawbridge/core'
import type { RequestLike } from './access-decision.ts'

/** Why a request is denied. */
export type DenialReason =
  | 'unsynchronised'
  | 'stale'
  | 'reauthenticate'
  | 'suspended'
  | 'ended'
  | 'restricted'
  | 'not-granted'
  | 'denied'
  | 'undecided'

/** What an HTTP answer says of a denial. */
export interface Denial {
  readonly reason: DenialReason
  /** How old an authentication may be to be one after T, in whole seconds. */
  readonly maxAgeSeconds?: number
  /** The authentication context class that is asked for. */
  readonly acr?: string
  /** The grants that would help, if the issuer gave them. */
  readonly scope?: readonly string[]
  /** Whether a new login ends it. Where it does not, sending people to log in goes in circles. */
  readonly loginHelps: boolean
}

/** What belongs to the application in an answer. */
export interface DenialSettings {
  /** Where a browser is sent to log in. */
  readonly loginUrl?: string
  /** The application's own session cookie, removed when the session has ended. */
  readonly clearCookie?: string
  /** What a browser is told to forget when the session has ended. */
  readonly clearSiteData?: readonly SiteData[]
}

/** @see W3C Clear Site Data, "The Clear-Site-Data HTTP Response Header Field" */
export type SiteData = 'cache' | 'clientHints' | 'cookies' | 'storage' | 'executionContexts' | '*'

interface Wording {
  readonly status: 401 | 403 | 503
  readonly error: string
  readonly description: string
}

const wordings: Readonly<Record<DenialReason, Wording>> = {
  unsynchronised: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'access cannot be checked yet',
  },
  stale: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'access cannot be checked at the moment',
  },
  reauthenticate: {
    status: 401,
    error: 'insufficient_user_authentication',
    description: 'a more recent or stronger authentication is required',
  },
  suspended: { status: 401, error: 'invalid_token', description: 'access is suspended' },
  ended: { status: 401, error: 'invalid_token', description: 'the session has ended' },
  restricted: {
    status: 403,
    error: 'insufficient_scope',
    description: 'the session is restricted',
  },
  'not-granted': {
    status: 403,
    error: 'insufficient_scope',
    description: 'the session was not granted this',
  },
  denied: {
    status: 403,
    error: 'access_denied',
    description: 'this request is not permitted',
  },
  undecided: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'access cannot be decided at the moment',
  },
}

/** Makes the HTTP answer to a request that is denied. */
export function denialResponse(
  denial: Denial,
  request: RequestLike | undefined,
  settings: DenialSettings,
): Response {
  const wording = wordings[denial.reason]
  const { status, error, description } = wording
  const cleared = clearing(denial, settings)
  const headers = { ...challengeHeaders(denial, wording), ...cleared }
  if (!request || !isNavigation(request)) {
    return jsonResponse(status, { error, error_description: description }, headers)
  }
  const login = denial.loginHelps ? loginTarget(denial, settings) : undefined
  if (login !== undefined && isSafe(request)) return redirect(login, cleared)
  // To a person, 401 says: log in. The challenge goes with it.
  const isFinal = status === 401 && !denial.loginHelps
  return isFinal
    ? page(403, description, login, cleared)
    : page(status, description, login, headers)
}

/**
 * All values are `wordings`, numbers, or were checked to be scope tokens: none can end its quotes.
 *
 * @see RFC 6750, "The WWW-Authenticate Response Header Field"; RFC 9470, "Authentication
 *   Requirements Challenge"
 */
function challengeHeaders(denial: Denial, { status, error, description }: Wording): Fields {
  if (status === 503) return { 'retry-after': '1' }
  const { reason, acr, maxAgeSeconds, scope = [] } = denial
  // No other token would help: an error would have clients fetch one.
  if (reason === 'denied') return { 'www-authenticate': 'Bearer' }
  const asks = reason === 'reauthenticate'
  const parameters = [
    `error="${error}"`,
    `error_description="${description}"`,
    ...(scope.length > 0 ? [`scope="${scope.join(' ')}"`] : []),
    ...(asks && acr !== undefined ? [`acr_values="${acr}"`] : []),
    ...(asks && maxAgeSeconds !== undefined ? [`max_age="${maxAgeSeconds}"`] : []),
  ]
  return { 'www-authenticate': `Bearer ${parameters.join(', ')}` }
}

/** What is suspended can be given back, with everything that belongs to it. */
function clearing({ reason }: Denial, { clearCookie, clearSiteData = [] }: DenialSettings): Fields {
  if (reason !== 'ended') return {}
  return {
    ...(clearCookie !== undefined && {
      'set-cookie': `${clearCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`,
    }),
    ...(clearSiteData.length > 0 && {
      'clear-site-data': clearSiteData.map((data) => `"${data}"`).join(', '),
    }),
  }
}

type Fields = Readonly<Record<string, string>>

/**
 * Not a `fetch` of a page's script: that one follows redirects and cannot show a page.
 *
 * @see W3C Fetch Metadata Request Headers, "The Sec-Fetch-Mode HTTP Request Header"
 */
function isNavigation({ method, headers }: RequestLike): boolean {
  const mode = headers.get('sec-fetch-mode')
  if (mode !== null) return mode === 'navigate'
  // Browsers say it to trustworthy origins alone: https, and the machine itself.
  const isForm = method === 'POST' && /form/i.test(headers.get('content-type') ?? '')
  return (isSafe({ method }) || isForm) && /text\/html/i.test(headers.get('accept') ?? '')
}

/** What was sent with another method would be lost on the way to the login without a word. */
const isSafe = ({ method }: Pick<RequestLike, 'method'>): boolean =>
  method === 'GET' || method === 'HEAD'

/** The issuer must ask anew: its own session may be the very one that was too old. */
function loginTarget(
  { acr, maxAgeSeconds = 0 }: Denial,
  { loginUrl }: DenialSettings,
): string | undefined {
  if (loginUrl === undefined) return undefined
  const query = new URLSearchParams({ max_age: String(maxAgeSeconds) })
  if (acr !== undefined) query.set('acr_values', acr)
  const [address = '', ...fragment] = loginUrl.split('#')
  const separator = address.includes('?') ? '&' : '?'
  return [`${address}${separator}${query.toString()}`, ...fragment].join('#')
}

const redirect = (location: string, headers: Fields): Response =>
  new Response(null, {
    status: 303,
    headers: { location, 'cache-control': 'no-store', ...headers },
  })

function page(status: number, text: string, login: string | undefined, headers: Fields): Response {
  const sentence = escaped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`)
  const link = login === undefined ? '' : `<p><a href="${escaped(login)}">Log in</a></p>`
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${sentence}</title><p>${sentence}</p>${link}</html>`
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      ...headers,
    },
  })
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`)
