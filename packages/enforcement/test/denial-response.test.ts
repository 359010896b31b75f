import { describe, expect, it } from '@jest/globals'
import {
  createEnforcement,
  guardFetch,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type EnforcementOptions,
  type Who,
} from '@drawbridge/enforcement'
import type { SecurityEvent } from '@drawbridge/schema'
import type { RequestLike } from '../src/guard/access-decision.ts'
import {
  denialResponse,
  type Denial,
  type DenialReason,
  type DenialSettings,
} from '../src/guard/denial-response.ts'
import { manualClock } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
} from './signals.ts'

const page = 'https://app.example/page'
const browser = { accept: 'text/html,*/*;q=0.8' }

const started = async (
  event?: SecurityEvent,
  options: Partial<EnforcementOptions> = {},
): Promise<Enforcement> => {
  const clock = manualClock((noon + 60) * 1000)
  const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock, ...options }
  const enforcement = createEnforcement(parts)
  await enforcement.start()
  if (event) await enforcement.apply(event)
  return enforcement
}

const ask = async (
  enforcement: Enforcement,
  init: RequestInit = {},
  who: Who | undefined = aliceSince(-60),
): Promise<Response> => {
  const handle = guardFetch(
    enforcement,
    () => who,
    () => new Response('the page'),
  )
  return handle(new Request(page, init))
}

describe('the answer for an API client', () => {
  it('OAUTH-6750.3.1-1: says invalid_token with 401 when the session has ended', async () => {
    const response = await ask(await started(revoked({ user: alice })))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="invalid_token", error_description="the session has ended"',
    )
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      error: 'invalid_token',
      error_description: 'the session has ended',
    })
  })
  it('asks for an authentication after T as RFC 9470 does', async () => {
    const response = await ask(await started(passwordChanged({ user: alice })))
    expect(response.status).toBe(401)
    // A minute after noon: 59 s ago is the first second that counts.
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication".*, max_age="59"$/,
    )
  })
  it('says 503 and not 401 while the ledger has not been read', async () => {
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    const response = await ask(enforcement)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.has('www-authenticate')).toBe(false)
  })
  it('holds no text of the peer', async () => {
    const marker = '<script>"peer"</script>'
    const enforcement = await started(revoked({ user: alice }, { jti: marker, txn: marker }))
    for (const headers of [{}, browser]) {
      const response = await ask(enforcement, { headers })
      expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain('peer')
    }
  })
})

describe('the answer for a browser', () => {
  it.each([
    ['a page that ended', revoked({ user: alice }), 401],
    ['a page that needs a new login', passwordChanged({ user: alice }), 401],
    ['a page that a login does not bring back', notCompliant({ device: laptop }), 403],
  ])('is, for %s, a page of its own', async (_, event, status) => {
    const response = await ask(await started(event), { headers: browser })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
  it.each([
    ['/login', '/login?max_age=59'],
    ['/login?to=home', '/login?to=home&max_age=59'],
    ['/login?to=home#top', '/login?to=home&max_age=59#top'],
    ['https://id.example/login', 'https://id.example/login?max_age=59'],
  ])('goes to %s where a login helps', async (loginUrl, location) => {
    const enforcement = await started(revoked({ user: alice }), { loginUrl })
    const response = await ask(enforcement, { headers: browser, redirect: 'manual' })
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe(location)
  })
  it('goes to no login that would lead back here', async () => {
    const enforcement = await started(notCompliant({ device: laptop }), { loginUrl: '/login' })
    expect((await ask(enforcement, { headers: browser })).status).toBe(403)
  })
  it.each([
    ['a script’s fetch', { headers: { ...browser, 'sec-fetch-mode': 'cors' } }],
    ['a script’s POST', { headers: browser, method: 'POST', body: '{}' }],
  ])('is 401 JSON for %s: neither is redirected', async (_, init) => {
    const enforcement = await started(revoked({ user: alice }), { loginUrl: '/login' })
    const response = await ask(enforcement, init)
    expect(response.status).toBe(401)
    expect(response.headers.get('content-type')).toBe('application/json')
  })
})

const request = (method: string, headers: Record<string, string> = {}): RequestLike => ({
  method,
  headers: new Headers(headers),
})
const navigate = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const denialOf = (reason: DenialReason, loginHelps: boolean): Denial => ({
  reason,
  maxAgeSeconds: 59,
  acr: 'urn:acr:phr',
  loginHelps,
  ...(reason === 'not-granted' && { scope: ['files:read', 'files:write'] }),
})
const settings: DenialSettings = {
  loginUrl: '/login?a=1',
  clearCookie: '__Host-sid',
  clearSiteData: ['cache', '*'],
}
const location = '/login?a=1&max_age=59&acr_values=urn%3Aacr%3Aphr'

/** Of every reason: the API client's status, its challenge, and the status of a final page. */
const reasons: Record<DenialReason, [status: number, challenge: string | null, final: number]> = {
  unsynchronised: [503, null, 503],
  stale: [503, null, 503],
  reauthenticate: [
    401,
    'error="insufficient_user_authentication", ' +
      'error_description="a more recent or stronger authentication is required", ' +
      'acr_values="urn:acr:phr", max_age="59"',
    403,
  ],
  suspended: [401, 'error="invalid_token", error_description="access is suspended"', 403],
  ended: [401, 'error="invalid_token", error_description="the session has ended"', 403],
  restricted: [
    403,
    'error="insufficient_scope", error_description="the session is restricted"',
    403,
  ],
  'not-granted': [
    403,
    'error="insufficient_scope", error_description="the session was not granted this", ' +
      'scope="files:read files:write"',
    403,
  ],
  denied: [403, '', 403],
  undecided: [503, null, 503],
}
const table = Object.entries(reasons).map(
  ([reason, row]) => [reason as DenialReason, ...row] as const,
)

describe('the answer to a request that is denied', () => {
  it.each(table)(
    'OAUTH-6750.3-1, OAUTH-6750.3.1-1: gives an API client its challenge: %s',
    async (reason, status, challenge) => {
      for (const asking of [undefined, request('GET'), request('POST')]) {
        const answer = denialResponse(denialOf(reason, true), asking, settings)
        const { headers } = answer
        expect(answer.status).toBe(status)
        expect(headers.get('www-authenticate')).toBe(
          challenge === null ? null : `Bearer ${challenge}`.trim(),
        )
        expect(headers.get('retry-after')).toBe(status === 503 ? '1' : null)
        expect(headers.get('content-type')).toBe('application/json')
        expect(headers.get('cache-control')).toBe('no-store')
        expect(headers.has('location')).toBe(false)
        const { error, error_description } = (await answer.json()) as Record<string, string>
        if (challenge) {
          expect(challenge).toContain(`error="${error}", error_description="${error_description}"`)
        } else expect(error).toBe(status === 503 ? 'temporarily_unavailable' : 'access_denied')
      }
    },
  )
  it.each(table)('has only characters in its quotes that may stand there: %s', (reason) => {
    const answer = denialResponse(denialOf(reason, true), undefined, settings)
    const challenge = answer.headers.get('www-authenticate') ?? 'Bearer a="b"'
    expect(challenge).toMatch(
      /^Bearer( [a-z_]+="[\u0020\u0021\u0023-\u005b\u005d-\u007e]+"(,|$))*$/,
    )
    const names = [...challenge.matchAll(/([a-z_]+)=/g)].map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
  })
  it.each(table)('sends a navigation to the login where one helps: %s', (reason) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = denialResponse(denialOf(reason, true), request(method, navigate), settings)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, location])
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.has('www-authenticate')).toBe(false)
      expect(answer.body).toBeNull()
    }
  })
  it.each(table)('is a page with a link for a form: %s', async (reason, status, challenge) => {
    for (const headers of [
      navigate,
      { accept: 'Text/HTML', 'content-type': 'application/x-www-form-urlencoded' },
      { accept: 'text/html', 'content-type': 'Multipart/Form-Data; boundary=b' },
    ]) {
      const answer = denialResponse(denialOf(reason, true), request('POST', headers), settings)
      expect(answer.status).toBe(status)
      expect(answer.headers.has('location')).toBe(false)
      expect(answer.headers.has('www-authenticate')).toBe(challenge !== null)
      const html = await answer.text()
      expect(html).toContain(`<a href="${location.replaceAll('&', '&#38;')}">Log in</a>`)
    }
  })
  it.each(table)('is a page without a link where no login helps: %s', async (reason, ...row) => {
    const [status, challenge, final] = row
    for (const method of ['GET', 'POST']) {
      const answer = denialResponse(denialOf(reason, false), request(method, navigate), settings)
      expect(answer.status).toBe(final)
      expect(answer.headers.has('www-authenticate')).toBe(challenge !== null && status === final)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      expect(await answer.text()).toMatch(/<title>[A-Z][a-z ]+\.<\/title>(?!.*<a )/)
    }
  })
  it.each(table)('has a browser forget only what has ended: %s', (reason) => {
    const cookie = '__Host-sid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax'
    const isEnded = reason === 'ended'
    for (const asking of [undefined, request('GET', navigate), request('POST', navigate)]) {
      for (const loginHelps of [true, false]) {
        const { headers } = denialResponse(denialOf(reason, loginHelps), asking, settings)
        expect(headers.getSetCookie()).toEqual(isEnded ? [cookie] : [])
        expect(headers.get('clear-site-data')).toBe(isEnded ? '"cache", "*"' : null)
      }
    }
  })
  it('has a browser forget nothing unless the application says what', () => {
    const { headers } = denialResponse(denialOf('ended', true), undefined, {})
    expect([headers.getSetCookie(), headers.has('clear-site-data')]).toEqual([[], false])
  })
  it('asks for nothing that no signal asked for', () => {
    const denial = { reason: 'reauthenticate', loginHelps: true } as const
    const api = denialResponse(denial, undefined, settings)
    expect(api.headers.get('www-authenticate')).not.toMatch(/acr_values|max_age/)
    const { headers } = denialResponse(denial, request('GET', navigate), settings)
    expect(headers.get('location')).toBe('/login?a=1&max_age=0')
  })
  it.each([
    ['a WebSocket', 'GET', { 'sec-fetch-mode': 'websocket', accept: 'text/html' }],
    ['an image', 'GET', { 'sec-fetch-mode': 'no-cors', accept: 'text/html' }],
    ['a script of this site', 'GET', { 'sec-fetch-mode': 'same-origin', accept: 'text/html' }],
    ['no browser', 'GET', { accept: '*/*' }],
    ['a form sent by no browser', 'POST', { 'content-type': 'multipart/form-data' }],
    ['another method', 'DELETE', { accept: 'text/html', 'content-type': 'multipart/form-data' }],
  ])('is JSON for %s', (_, method, headers) => {
    const answer = denialResponse(denialOf('ended', true), request(method, headers), settings)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toBe('application/json')
  })
  it('lets no sign of "loginUrl" end the link', async () => {
    const loginUrl = `/login?'"<>&`
    const asking = request('POST', navigate)
    const answer = denialResponse(denialOf('ended', true), asking, { loginUrl })
    expect(await answer.text()).toContain(
      '<a href="/login?&#39;&#34;&#60;&#62;&#38;&#38;max_age=59',
    )
  })
})
