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
import { manualClock } from './manual-clock.ts'
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

describe('the way to the login', () => {
  it('keeps a query and a fragment of "loginUrl"', async () => {
    const loginUrl = '/login?from=here#top'
    const enforcement = await started(revoked({ user: alice }), { loginUrl })
    const { headers } = await ask(enforcement, { headers: browser })
    expect(headers.get('location')).toMatch(/^\/login\?from=here&max_age=\d+#top$/)
  })
})

describe('guardFetch', () => {
  it('passes a request that may go on, and one of nobody', async () => {
    expect(await (await ask(await started())).text()).toBe('the page')
    const enforcement = await started(revoked({ user: alice }))
    const handle = guardFetch(
      enforcement,
      () => undefined,
      () => new Response('the login page'),
    )
    expect(await (await handle(new Request(page))).text()).toBe('the login page')
  })
  it('rejects with what identify throws and does not call the handler', async () => {
    let called = false
    const handle = guardFetch(
      await started(),
      () => {
        throw new Error('no session store')
      },
      () => {
        called = true
        return new Response()
      },
    )
    await expect(handle(new Request(page))).rejects.toThrow('no session store')
    expect(called).toBe(false)
  })
})

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
    ['a form', { headers: browser, method: 'POST', body: 'a=b' }],
  ])('is 401 JSON for %s: neither is redirected', async (_, init) => {
    const enforcement = await started(revoked({ user: alice }), { loginUrl: '/login' })
    const response = await ask(enforcement, init)
    expect(response.status).toBe(401)
    expect(response.headers.get('content-type')).toBe('application/json')
  })
})
