import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { SecurityEvent } from '@drawbridge/schema'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type EnforcementOptions,
  type Nobody,
  type Who,
} from '@drawbridge/enforcement'
import { clientOf, type Answer, type Client } from './bindings-client.ts'
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

/** What a site reads of the request of its framework. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly session: string | undefined
}

/** What a binding's guard gets, in the words of the contract. */
export interface SiteOptions {
  readonly enforcement: Enforcement
  readonly identify: (asked: Asked) => Who | Nobody | Promise<Who | Nobody>
  readonly requires?: readonly string[] | ((asked: Asked) => readonly string[] | undefined)
  /** Called by the route `/page`, with any method, after the body was read. Its text is the answer. */
  readonly handle: (body: string) => string
  /** Called by the route `/events`, which ends its stream when the signal aborts. */
  readonly watch: () => AbortSignal
}

/** A site that listens on a port of 127.0.0.1. */
export interface Site {
  readonly port: number
  /** What went the framework's own way of errors. */
  readonly errors: readonly unknown[]
  close(): Promise<void>
}

/**
 * Serves `/page` and `/events` behind the guard, and before it something that sets the cookie
 * `theme=dark`, where the framework has such a thing.
 */
export type Serve = (options: SiteOptions) => Promise<Site>

const navigation = { 'sec-fetch-mode': 'navigate', accept: 'text/html' }
const form = { ...navigation, 'content-type': 'application/x-www-form-urlencoded' }
const narrowed = { on: alice, cause: 'window', effect: 'restrict', terms: { take: ['a'] } } as const

/** What every binding promises, over real sockets. */
export function bindingContract(name: string, serve: Serve, earlierCookies: string[] = []): void {
  const open: { site?: Site; client?: Client } = {}
  let bodies: string[] = []
  let asked: Asked[] = []
  let watched: AbortSignal | undefined
  beforeEach(() => {
    bodies = []
    asked = []
    watched = undefined
  })
  afterEach(async () => {
    open.client?.close()
    await open.site?.close()
  })

  /** A site where Alice, who may read, is logged in. */
  const siteWith = async (
    { requires, identify }: Partial<Pick<SiteOptions, 'requires' | 'identify'>> = {},
    more: Partial<EnforcementOptions> = {},
  ) => {
    const enforcement = createEnforcement({
      ledger: memoryLedger(),
      policy: recommendedPolicy(),
      clock: manualClock((noon + 60) * 1000),
      loginUrl: '/login?from=here',
      clearCookie: 'sid',
      clearSiteData: ['cache', 'storage'],
      ...more,
    })
    const who = aliceSince(-60, { grants: ['files:read'] })
    const site = await serve({
      enforcement,
      identify: (request) => {
        asked.push(request)
        return identify ? identify(request) : who
      },
      ...(requires !== undefined && { requires }),
      handle: (body) => {
        bodies.push(body)
        return 'the page'
      },
      watch: () => (watched = enforcement.signal(who)),
    })
    const client = clientOf(site.port)
    Object.assign(open, { site, client })
    return { enforcement, site, client }
  }
  const started = async (...parts: Parameters<typeof siteWith>) => {
    const made = await siteWith(...parts)
    await made.enforcement.start()
    return made
  }
  const hit = async (event: SecurityEvent, ...parts: Parameters<typeof siteWith>) => {
    const made = await started(...parts)
    await made.enforcement.apply(event)
    return made
  }
  const ended = (...parts: Parameters<typeof siteWith>) => hit(revoked({ user: alice }), ...parts)

  const expectRefused = ({ status, headers, body }: Answer, expected: number, error: string) => {
    expect(status).toBe(expected)
    expect(headers['www-authenticate']).toMatch(new RegExp(`^Bearer error="${error}"`))
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['content-type']).toMatch(/^application\/json\b/)
    expect(JSON.parse(body)).toMatchObject({ error })
    expect(bodies).toEqual([])
  }

  describe(`the guard in ${name}`, () => {
    it('lets an allowed request pass, once and with its body', async () => {
      const { client } = await started()
      const answer = await client.ask({ method: 'POST', body: 'a=1' })
      expect(answer).toMatchObject({ status: 200, body: 'the page' })
      expect(bodies).toEqual(['a=1'])
      expect(asked).toEqual([{ method: 'POST', path: '/page', session: undefined }])
    })
    it.each<[Nobody]>([[undefined], [null], [false], ['']])(
      'lets a request of nobody pass: %p',
      async (nobody) => {
        const { client } = await siteWith({ identify: () => nobody })
        expect((await client.ask()).body).toBe('the page')
      },
    )
    it('waits for an identify that looks something up', async () => {
      const identify = ({ session }: Asked) => Promise.resolve(session === 's-1' && aliceSince(-60))
      const { client } = await ended({ identify })
      expectRefused(await client.ask({ headers: { 'x-session': 's-1' } }), 401, 'invalid_token')
      expect((await client.ask()).body).toBe('the page')
    })
    it('OAUTH-6750.3.1-1: refuses a session that has ended with 401 and invalid_token', async () => {
      const { client } = await ended()
      expectRefused(await client.ask(), 401, 'invalid_token')
    })
    it('asks for an authentication with "acr_values" and "max_age"', async () => {
      const { client, enforcement } = await started()
      await enforcement.take({
        on: alice,
        cause: 'risk',
        effect: 'reauthenticate',
        terms: { acr: 'urn:acr:phr', maxAgeSeconds: 30 },
      })
      const answer = await client.ask()
      expectRefused(answer, 401, 'insufficient_user_authentication')
      const challenge = answer.headers['www-authenticate']
      expect(challenge).toMatch(/, acr_values="urn:acr:phr", max_age="\d+"$/)
      const page = await client.ask({ headers: navigation })
      expect(page.status).toBe(303)
      expect(page.headers.location).toMatch(
        /^\/login\?from=here&max_age=\d+&acr_values=urn%3Aacr%3Aphr$/,
      )
    })
    it('refuses a restricted session where nobody said what the route needs', async () => {
      const { client, enforcement } = await started()
      await enforcement.take(narrowed)
      expectRefused(await client.ask(), 403, 'insufficient_scope')
    })
    it('lets a restricted session pass where the route needs nothing', async () => {
      const { client, enforcement } = await started({ requires: [] })
      await enforcement.take(narrowed)
      expect((await client.ask()).body).toBe('the page')
    })
    it('names the missing grant', async () => {
      const { client } = await started({ requires: ['files:read', 'files:write'] })
      const answer = await client.ask()
      expectRefused(answer, 403, 'insufficient_scope')
      expect(answer.headers['www-authenticate']).toContain(', scope="files:write"')
    })
    it('asks a function what a request needs', async () => {
      const needs: Readonly<Record<string, readonly string[]>> = { GET: [], POST: ['files:write'] }
      const { client, enforcement } = await started({ requires: ({ method }) => needs[method] })
      expectRefused(await client.ask({ method: 'POST' }), 403, 'insufficient_scope')
      expect((await client.ask({ method: 'PUT' })).status).toBe(200)
      await enforcement.take(narrowed)
      expect((await client.ask()).status).toBe(200)
      bodies = []
      expectRefused(await client.ask({ method: 'PUT' }), 403, 'insufficient_scope')
    })
    it('sends a navigation to the login, with HEAD as well', async () => {
      const { client } = await ended()
      for (const method of ['GET', 'HEAD']) {
        const { status, headers, body } = await client.ask({ method, headers: navigation })
        expect([status, body]).toEqual([303, ''])
        expect(headers.location).toMatch(/^\/login\?from=here&max_age=\d+$/)
        expect(headers['cache-control']).toBe('no-store')
      }
      expect(bodies).toEqual([])
    })
    it('shows a page to a form that was sent, and says nothing of what it held', async () => {
      const { client } = await ended()
      const body = 'transfer=marker'
      const answer = await client.ask({ method: 'POST', headers: form, body })
      expect(answer.status).toBe(401)
      expect(answer.headers).not.toHaveProperty('location')
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(answer.body).toContain('<a href="/login?from=here&#38;max_age=')
      expect(answer.body).not.toContain('marker')
      expect(bodies).toEqual([])
    })
    it('answers the fetch of a page with 401 and JSON', async () => {
      const { client } = await ended()
      const headers = { 'sec-fetch-mode': 'cors', accept: 'text/html' }
      expectRefused(await client.ask({ headers }), 401, 'invalid_token')
    })
    it('answers HEAD with the same status and headers', async () => {
      const { client } = await ended()
      const { status, headers, body } = await client.ask({ method: 'HEAD' })
      expect([status, body]).toEqual([401, ''])
      expect(headers['www-authenticate']).toContain('invalid_token')
      expect((await client.ask()).status).toBe(401)
    })
    it.each<[string, Partial<SiteOptions>]>([
      ['identify throws', { identify: () => raise() }],
      ['identify rejects', { identify: () => Promise.reject(broken) }],
      ['requires throws', { requires: () => raise() }],
    ])('is an error of the framework and no pass when %s', async (_, options) => {
      const { client, site } = await started(options)
      expect((await client.ask()).status).toBe(500)
      expect(site.errors).toEqual([broken])
      expect(bodies).toEqual([])
    })
    it('goes on with the connection when a large body was refused', async () => {
      const { client } = await ended()
      const body = 'x'.repeat(4_000_000)
      const headers = { 'content-type': 'text/plain' }
      const refused = await client.ask({ method: 'POST', headers, body })
      expectRefused(refused, 401, 'invalid_token')
      const { status, localPort } = await client.ask()
      expect([status, localPort]).toEqual([401, refused.localPort])
    })
    it('has the browser forget when the session has ended, and keeps earlier cookies', async () => {
      const { client } = await ended()
      for (const headers of [{}, navigation]) {
        const answer = await client.ask({ headers })
        expect(answer.headers['set-cookie']).toEqual([
          ...earlierCookies,
          'sid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax',
        ])
        expect(answer.headers['clear-site-data']).toBe('"cache", "storage"')
      }
    })
    it.each([
      ['is suspended', notCompliant({ device: laptop })],
      ['needs an authentication', passwordChanged({ user: alice })],
    ])('has the browser forget nothing when the session %s', async (_, event) => {
      const { client } = await hit(event)
      const { status, headers } = await client.ask()
      expect(status).toBe(401)
      expect(headers['set-cookie'] ?? []).toEqual(earlierCookies)
      expect(headers).not.toHaveProperty('clear-site-data')
    })
    it('answers 503 until the ledger has been read', async () => {
      const { client } = await siteWith()
      const { status, headers } = await client.ask()
      expect([status, headers['retry-after'], bodies]).toEqual([503, '1', []])
      expect(headers).not.toHaveProperty('www-authenticate')
    })
    it('ends an event stream when the signal arrives', async () => {
      const { client, enforcement } = await started()
      const stream = await client.open({ path: '/events' })
      expect(stream.headers['content-type']).toContain('text/event-stream')
      const chunks: string[] = []
      for await (const chunk of stream.setEncoding('utf8')) {
        chunks.push(String(chunk))
        expect(watched?.aborted).toBe(false)
        await enforcement.apply(revoked({ user: alice }))
      }
      expect(chunks.join('')).toBe('data: 1\n\n')
      expect(watched?.reason).toMatchObject({ code: 'ERR_ACCESS_ENDED' })
    })
  })
}

const broken = new Error('no session store')
const raise = (): never => {
  throw broken
}
