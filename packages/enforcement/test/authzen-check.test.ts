import { describe, expect, it } from '@jest/globals'
import { StorageError } from '@drawbridge/schema'
import { memoryLedger, type Who } from '@drawbridge/enforcement'
import type { DecidedAccess, DecisionPoint } from '@drawbridge/enforcement/authzen'
import {
  clientOf,
  decides,
  json,
  startedPoint,
  status,
  wants,
  type TestPoint,
} from './authzen-point.ts'
import { alice, aliceSince, noon, revoked, startedNode, type TestNode } from './signals.ts'

interface Site extends TestNode {
  readonly point: TestPoint
  readonly decisionPoint: DecisionPoint
  ask(session?: Who): Promise<DecidedAccess>
}

/** After the signals of noon, and half a minute before the node started. */
const who = aliceSince(30)
const evaluation = wants()

async function startedSite(
  asking: Parameters<typeof clientOf>[1] = {},
  options: Parameters<typeof startedNode>[0] = {},
): Promise<Site> {
  const node = await startedNode(options)
  const point = await startedPoint()
  const decisionPoint = clientOf(point, { clock: node.clock, ...asking })
  const ask = (session = who): Promise<DecidedAccess> =>
    decisionPoint.check(node.enforcement, session, { evaluation })
  return { ...node, point, decisionPoint, ask }
}

const browser = (method = 'GET'): Request =>
  new Request('https://app.example/', { method, headers: { 'sec-fetch-mode': 'navigate' } })

async function responseOf(decision: DecidedAccess, request?: Request): Promise<Response> {
  if (decision.outcome === 'allow') throw new Error('allowed')
  return decision.response(request)
}

describe('the guard', () => {
  it('comes first: what it denies, the decision point is not asked', async () => {
    const { ask, point, enforcement } = await startedSite()
    await enforcement.apply(revoked(alice))
    const decision = await ask(aliceSince(-30))
    expect(decision).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
    expect(decision).not.toHaveProperty('answer')
    expect(point.asked).toEqual([])
  })

  it('is asked with the grants that the request requires', async () => {
    const { decisionPoint, enforcement, point } = await startedSite()
    const session = aliceSince(30, { grants: ['files:read'] })
    const requires = ['files:write']
    const decision = await decisionPoint.check(enforcement, session, { evaluation, requires })
    expect(decision).toMatchObject({ outcome: 'refuse', missing: requires })
    expect(point.asked).toEqual([])
    const terms = { take: requires }
    await enforcement.take({ on: { user: alice }, cause: 'incident', effect: 'restrict', terms })
    const reading = { evaluation, requires: ['files:read'] }
    expect(await decisionPoint.check(enforcement, session, reading)).toMatchObject({
      outcome: 'allow',
      effect: 'restrict',
      answer: { decision: true },
    })
  })

  it('comes last, too: a signal that came while the decision point thought counts', async () => {
    const { ask, point, enforcement } = await startedSite()
    point.respond = (response) => {
      void enforcement
        .apply(revoked(alice, { at: noon + 40 }))
        .then(() => json(response, { decision: true }))
    }
    expect(await ask()).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
  })

  it('keeps what it says of a session where the decision point permits', async () => {
    const { ask, enforcement } = await startedSite()
    const terms = { lifetimeSeconds: 3600 }
    await enforcement.take({ on: { user: alice }, cause: 'incident', effect: 'shorten', terms })
    expect(await ask()).toMatchObject({
      outcome: 'allow',
      effect: 'shorten',
      expiresAt: expect.any(Date),
      answer: { decision: true, requestId: expect.any(String) },
    })
  })
})

describe('a refusal', () => {
  it('denies the request with 403 and asks for no other token, in none of its own words', async () => {
    const { ask, point } = await startedSite()
    point.respond = decides(false, { reason_user: { 403: 'call <b>Bob</b>' } })
    const decision = await ask()
    expect(decision).toMatchObject({
      outcome: 'refuse',
      causes: [],
      answer: { decision: false, context: { reason_user: { 403: 'call <b>Bob</b>' } } },
    })
    const response = await responseOf(decision)
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toEqual({
      error: 'access_denied',
      error_description: 'this request is not permitted',
    })
    const page = await responseOf(decision, browser())
    expect([page.status, page.headers.get('location')]).toEqual([403, null])
    expect(await page.text()).toContain('<p>This request is not permitted.</p></html>')
  })

  it('restricts no session, however often it is said', async () => {
    const { ask, point, enforcement, told } = await startedSite()
    point.respond = decides(false, { reason: 'no' })
    for (let times = 0; times < 5; times++) expect((await ask()).outcome).toBe('refuse')
    expect(enforcement.check(who)).toEqual({ outcome: 'allow', causes: [] })
    expect(enforcement.explain(who).taken).toEqual([])
    expect(told('signal:applied')).toEqual([])
    point.respond = decides(true)
    expect((await ask()).outcome).toBe('allow')
  })
})

describe('a failure', () => {
  it('denies the request with 503 where that was written, and asks no rule', async () => {
    const rule = (): never => {
      throw new Error('asked')
    }
    const { ask, point } = await startedSite({ rule, stepUp: rule })
    point.respond = status(500)
    const decision = await ask()
    expect(decision).toMatchObject({
      outcome: 'refuse',
      answer: { failure: { code: 'ERR_PEER_UNREACHABLE' } },
    })
    const response = await responseOf(decision)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'access cannot be decided at the moment',
    })
  })

  it('lets the request through where that was written, and says so', async () => {
    const { ask, point } = await startedSite({ onError: 'permit' })
    point.respond = decides('true')
    expect(await ask()).toMatchObject({
      outcome: 'allow',
      answer: { decision: true, failure: { code: 'ERR_PEER_ANSWER' } },
    })
  })

  it('never lets through what the guard denies', async () => {
    const { ask, point, enforcement } = await startedSite({ onError: 'permit' })
    point.respond = status(500)
    await enforcement.apply(revoked(alice))
    expect(await ask(aliceSince(-30))).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
  })

  it('is not what a caller gets who gives up', async () => {
    const { decisionPoint, enforcement } = await startedSite({ onError: 'permit' })
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(decisionPoint.check(enforcement, who, { evaluation, signal })).rejects.toThrow(
      'gone',
    )
  })
})

describe('a rule', () => {
  it('takes from the session what it says, until it is given back', async () => {
    const { ask, point, enforcement } = await startedSite({
      rule: ({ context }, { evaluation: { action } }) =>
        context?.['incident'] === true && action.name === 'write'
          ? { effect: 'restrict', terms: { take: ['files:write'] } }
          : undefined,
    })
    point.respond = decides(false)
    await ask()
    expect(enforcement.check(who).outcome).toBe('allow')
    point.respond = decides(false, { incident: true })
    const decision = await ask()
    expect(decision).toMatchObject({ outcome: 'refuse', effect: 'restrict' })
    expect(decision.causes).toMatchObject([{ iss: 'local', name: 'decision-point', by: point.url }])
    const write = { requires: ['files:write'] }
    expect(enforcement.check(who, write).outcome).toBe('refuse')
    expect(enforcement.check(who, { requires: ['files:read'] }).outcome).toBe('allow')
    // It is the session that is restricted, and not the user.
    const other: Who = { subject: { user: alice }, began: who.began }
    expect(enforcement.check(other, write).outcome).toBe('allow')
    await enforcement.giveBack({ on: who.subject, cause: 'decision-point' })
    expect(enforcement.check(who, write).outcome).toBe('allow')
  })

  it('denies the request also where what it takes would let it through', async () => {
    const { decisionPoint, point, enforcement } = await startedSite({
      cause: 'boundary',
      rule: () => ({ effect: 'restrict', terms: { take: ['files:write'] } }),
    })
    point.respond = decides(false)
    const requires = ['files:read']
    const decision = await decisionPoint.check(enforcement, who, { evaluation, requires })
    expect(decision).toMatchObject({ outcome: 'refuse', causes: [] })
    expect(enforcement.explain(who).taken).toMatchObject([{ cause: { name: 'boundary' } }])
  })

  it('that throws, or says what is no effect, lets nothing through', async () => {
    const { ask, point } = await startedSite({ rule: () => ({ effect: 'punish' }) as never })
    point.respond = decides(false)
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    const broken = clientOf(point, {
      rule: () => {
        throw new Error('broken')
      },
    })
    const { enforcement } = await startedNode()
    await expect(broken.check(enforcement, who, { evaluation })).rejects.toThrow('broken')
  })

  it('takes on this node also while the ledger cannot be written', async () => {
    const memory = memoryLedger()
    const write = (): Promise<never> =>
      Promise.reject(new StorageError('ERR_STORAGE_UNAVAILABLE', 'the disk is full'))
    const { ask, point, enforcement } = await startedSite(
      { rule: () => ({ effect: 'suspend' }) },
      { ledger: { ...memory, write } },
    )
    point.respond = decides(false)
    expect(await ask()).toMatchObject({ outcome: 'refuse', effect: 'suspend' })
    expect(enforcement.check(who)).toMatchObject({ outcome: 'refuse', effect: 'suspend' })
    await enforcement.stop()
  })
})

describe('a step-up', () => {
  it('that the context asks for is a challenge, until the user has authenticated so', async () => {
    const { ask, point, enforcement, clock } = await startedSite()
    point.respond = decides(false, { acr_values: 'urn:loa:3 urn:loa:4', amr_values: 'mfa hwk' })
    const decision = await ask()
    expect(decision).toMatchObject({ outcome: 'challenge', effect: 'reauthenticate' })
    const response = await responseOf(decision)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(
      /error="insufficient_user_authentication".* acr_values="urn:loa:3"/,
    )
    await clock.advance(10_000)
    const again = { began: new Date(clock.now()) }
    expect(enforcement.check({ ...who, ...again }).outcome).toBe('challenge')
    point.respond = decides(true)
    expect(await ask({ ...who, ...again, acr: 'urn:loa:3' })).toMatchObject({ outcome: 'allow' })
  })

  it('is taken once for those who ask at the same time', async () => {
    const { decisionPoint, point, enforcement, told } = await startedSite()
    point.respond = decides(false, { acr_values: 'urn:loa:3' })
    const decisions = await Promise.all(
      ['1', '2', '3'].map((id) =>
        decisionPoint.check(enforcement, who, { evaluation: wants('write', id) }),
      ),
    )
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['challenge', 'challenge', 'challenge'])
    expect(told('signal:applied')).toHaveLength(1)
  })

  it.each([
    ['no text', { acr_values: ['urn:loa:3'] }],
    ['nothing that can be one', { acr_values: '"quoted" \u0000' }],
    ['nothing', { acr_values: '' }],
    ['methods alone', { amr_values: 'hwk' }],
  ])('is not asked for by %s', async (_name, context) => {
    const { ask, point, enforcement } = await startedSite()
    point.respond = decides(false, context)
    expect((await ask()).outcome).toBe('refuse')
    expect(enforcement.check(who).outcome).toBe('allow')
  })

  it('is not asked for by a permit', async () => {
    const { ask, point, enforcement } = await startedSite()
    point.respond = decides(true, { acr_values: 'urn:loa:3' })
    expect((await ask()).outcome).toBe('allow')
    expect(enforcement.check(who).outcome).toBe('allow')
  })

  it('is read as the application has written it, and after its rule', async () => {
    const { ask, point, enforcement } = await startedSite({
      stepUp: ({ fresh_within }) =>
        typeof fresh_within === 'number' ? { maxAgeSeconds: fresh_within } : undefined,
      rule: ({ context }) => (context?.['locked'] ? { effect: 'suspend' } : undefined),
    })
    point.respond = decides(false, { acr_values: 'urn:loa:3' })
    expect((await ask()).outcome).toBe('refuse')
    expect(enforcement.check(who).outcome).toBe('allow')
    point.respond = decides(false, { fresh_within: 20 })
    expect(await ask()).toMatchObject({ outcome: 'challenge' })
    await enforcement.giveBack({ on: who.subject, cause: 'decision-point' })
    point.respond = decides(false, { fresh_within: 20, locked: true })
    expect(await ask()).toMatchObject({ outcome: 'refuse', effect: 'suspend' })
  })
})
