import { jsonResponse } from '@drawbridge/core'
import type { Effect } from '../effect.ts'
import type { RequestLike } from './access-decision.ts'

/** What an HTTP answer says of a denial. */
export interface Denial {
  /** Absent while the ledger has not been read. */
  readonly effect?: Effect
  /** How old an authentication may be to be one after T, in whole seconds. */
  readonly maxAgeSeconds: number
  /** Whether a new login ends it. Where it does not, sending people to log in goes in circles. */
  readonly loginHelps: boolean
}

interface Wording {
  readonly error: string
  readonly description: string
}

const wordings: Readonly<Record<Effect | 'unsynchronised', Wording>> = {
  reauthenticate: {
    error: 'insufficient_user_authentication',
    description: 'a more recent authentication is required',
  },
  suspend: { error: 'invalid_token', description: 'access is suspended' },
  terminate: { error: 'invalid_token', description: 'the session has ended' },
  unsynchronised: {
    error: 'temporarily_unavailable',
    description: 'access cannot be checked yet',
  },
}

/** Makes the HTTP answer to a request that is denied. */
export function denialResponse(
  denial: Denial,
  request: RequestLike | undefined,
  loginUrl: string | undefined,
): Response {
  const { effect } = denial
  const navigates = request !== undefined && isNavigation(request)
  if (navigates && loginUrl !== undefined && denial.loginHelps) {
    return redirect(loginUrl, denial.maxAgeSeconds)
  }
  const wording = wordings[effect ?? 'unsynchronised']
  const headers: Record<string, string> =
    effect === undefined ? { 'retry-after': '1' } : { 'www-authenticate': challenge(denial) }
  if (!navigates) {
    const body = { error: wording.error, error_description: wording.description }
    return jsonResponse(effect === undefined ? 503 : 401, body, headers)
  }
  const status = effect === undefined ? 503 : denial.loginHelps ? 401 : 403
  return page(status, wording.description, headers)
}

function challenge({ effect, maxAgeSeconds }: Denial): string {
  const { error, description } = wordings[effect ?? 'unsynchronised']
  const parameters = `Bearer error="${error}", error_description="${description}"`
  return effect === 'reauthenticate' ? `${parameters}, max_age="${maxAgeSeconds}"` : parameters
}

/** Not a `fetch` of a page's script: that one follows redirects and cannot show a page. */
function isNavigation({ method, headers }: RequestLike): boolean {
  if (method !== 'GET') return false
  const mode = headers.get('sec-fetch-mode')
  if (mode !== null) return mode === 'navigate'
  return headers.get('accept')?.includes('text/html') ?? false
}

function redirect(loginUrl: string, maxAgeSeconds: number): Response {
  const separator = loginUrl.includes('?') ? '&' : '?'
  // The issuer must ask anew: its own session may be the very one that was too old.
  const location = `${loginUrl}${separator}max_age=${maxAgeSeconds}`
  return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } })
}

function page(status: number, text: string, headers: Readonly<Record<string, string>>): Response {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${sentence}</title><p>${sentence}</p></html>`
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      ...headers,
    },
  })
}
