import { expect, it } from '@jest/globals'
import { everyCall, type Call } from './every-call.ts'
import { goodToken, type Answer, type Ask } from './peer.ts'
import type { Site } from './site.ts'

const challenge = ({ headers }: Answer): string => headers['www-authenticate'] ?? ''

/** Who may call what, and how the others are refused. */
export function walkAuthorization(site: () => Site): void {
  const each = async (ask: Ask, judge: (answer: Answer, call: Call) => void): Promise<void> => {
    const { peer } = site()
    for (const call of await everyCall(site())) {
      judge(await peer.ask(call.method, call.endpoint, { ...call, ...ask }), call)
    }
  }

  it('SSF-8-2, POLL-3-2, OAUTH-6750.3-1, SSF-8.1.1.1-12, SSF-8.1.1.2-7, SSF-8.1.1.3-14, SSF-8.1.2.1-11: without a token, 401 and no error code', async () => {
    await each({ token: null }, (answer) => {
      expect(answer.status).toBe(401)
      expect(challenge(answer)).toMatch(/^Bearer(?! error)/)
      expect(challenge(answer)).not.toContain('error')
    })
  })

  it('OAUTH-6750.3.1-1, CIOP-2.7.3-5, SSF-7.1.1-3: with an unknown token, 401 before body and stream are looked at', async () => {
    for (const token of ['unknown', 'a:b', `${goodToken}x`]) {
      await each({ token }, (answer) => {
        expect([answer.status, challenge(answer)]).toEqual([
          401,
          expect.stringMatching(/^Bearer .*error="invalid_token"/),
        ])
      })
    }
    const { peer } = site()
    for (const call of await everyCall(site())) {
      const { method, endpoint, body } = call
      const bad = body === undefined ? { query: '?stream_id=unknown' } : { body: '{' }
      expect((await peer.ask(method, endpoint, { ...bad, token: 'unknown' })).status).toBe(401)
    }
  })

  it('CIOP-2.7.3-2: a token in the query alone is none', async () => {
    const { peer } = site()
    for (const { method, endpoint, query, body } of await everyCall(site())) {
      const asked = {
        token: null,
        query: `${query ?? '?'}&access_token=${goodToken}`,
        ...(body === undefined ? {} : { body }),
      }
      expect((await peer.ask(method, endpoint, asked)).status).toBe(401)
    }
  })

  it('CIOP-2.7.2-3, CIOP-2.7.2-4, CIOP-2.7.3-4, CIOP26-2.7.2-1, SSF-8.1.1.1-13, SSF-8.1.1.3-15, GAP-18: with "ssf.read" alone, whatever changes is 403', async () => {
    await each({ token: 'read-token' }, (answer, { changes }) => {
      if (!changes) return expect(answer.status).toBe(200)
      expect([answer.status, challenge(answer)]).toEqual([
        403,
        expect.stringContaining('error="insufficient_scope"'),
      ])
    })
  })

  it('SSF-8.1.1.2-8, SSF-8.1.2.1-12: a token without a scope is good, and allows nothing', async () => {
    await each({ token: 'idle-token' }, (answer) => {
      expect([answer.status, challenge(answer)]).toEqual([
        403,
        expect.stringContaining('error="insufficient_scope"'),
      ])
    })
  })

  it('SSF-8.1.1.2-6: no answer may be kept by anybody', async () => {
    for (const token of [goodToken, 'unknown', 'read-token']) {
      await each({ token }, ({ headers }) => expect(headers['cache-control']).toBe('no-store'))
    }
  })

  it('CIOP-2.7.3-1: with the token in the Authorization field, however "Bearer" is written', async () => {
    const { peer } = site()
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${goodToken}` }
      const answer = await peer.ask('GET', 'configuration_endpoint', { token: null, headers })
      expect(answer.status).toBe(200)
    }
    await each({}, ({ status }) => expect([200, 201, 204]).toContain(status))
  })

  it('SSF-8-3, SSF-8.1.1.2-9, SSF-8.1.1.3-16, SSF-8.1.2.1-13: another Receiver’s stream is 404, like one that is not there', async () => {
    const { peer } = site()
    for (const { method, endpoint, query, body } of await everyCall(site())) {
      const namesNone = body === undefined ? query === undefined : method === 'POST' && !has(body)
      if (namesNone && !endpoint.startsWith('https')) continue
      const asked = { ...(query && { query }), ...(body && { body }), token: 'other-token' }
      const foreign = await peer.ask(method, endpoint, asked)
      const unknown = await peer.ask(method, renamed(endpoint), {
        ...(query && { query: '?stream_id=unknown' }),
        ...(body && { body: has(body) ? { ...(body as object), stream_id: 'unknown' } : body }),
      })
      expect([foreign.status, foreign.text]).toEqual([404, unknown.text])
      expect(unknown.status).toBe(404)
    }
  })
}

const has = (body: object | string): boolean => typeof body === 'object' && 'stream_id' in body
const renamed = (endpoint: string): string => endpoint.replace(/^(https:.*\/).+$/, '$1unknown')
