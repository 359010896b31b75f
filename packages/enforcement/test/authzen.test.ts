import { describe, expect, it } from '@jest/globals'
import { createDecisionPoint, type EvaluationRequest } from '@drawbridge/enforcement/authzen'
import { manualClock } from '@drawbridge/testkit'
import {
  clientOf,
  decides,
  json,
  startedPoint,
  status,
  wants,
  type Respond,
  type TestPoint,
} from './authzen-point.ts'

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code

describe('an evaluation', () => {
  it('is one request with the four members, authorized and with an id of its own', async () => {
    const point = await startedPoint(decides(true, { reason: 'owner' }))
    const { evaluate } = clientOf(point, { authorize: () => 'token-1', newRequestId: () => 'id-1' })
    const answer = await evaluate(wants('write', '7', { acr: 'gold' }))
    expect(answer).toEqual({ decision: true, context: { reason: 'owner' }, requestId: 'id-1' })
    expect(point.asked).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/access/v1/evaluation',
        body: wants('write', '7', { acr: 'gold' }),
      }),
    ])
    expect(point.asked[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: 'Bearer token-1',
      'x-request-id': 'id-1',
    })
  })

  it('has another id each time, unless somebody makes them', async () => {
    const point = await startedPoint()
    const { evaluate } = clientOf(point)
    const ids = [await evaluate(wants()), await evaluate(wants())].map((one) => one.requestId)
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/)
    expect(new Set(ids).size).toBe(2)
    expect(point.asked.map(({ headers }) => headers['x-request-id'])).toEqual(ids)
  })

  it('is authorized by header fields of another scheme, and told of a 401', async () => {
    const point = await startedPoint(status(401))
    const rejections: boolean[] = []
    const authorize = ({ rejected }: { rejected: boolean }): Record<string, string> => {
      rejections.push(rejected)
      return { 'x-api-key': 'key-1' }
    }
    const { evaluate } = clientOf(point, { authorize })
    await evaluate(wants())
    point.respond = decides(true)
    await evaluate(wants())
    await evaluate(wants())
    expect(rejections).toEqual([false, true, false])
    expect(point.asked[0]?.headers['x-api-key']).toBe('key-1')
  })

  it('is refused before it is sent where it is none, whatever onError says', async () => {
    const point = await startedPoint()
    const { evaluate, evaluateAll } = clientOf(point, { onError: 'permit' })
    const wrong = { subject: { type: 'user' }, action: {}, context: [], resources: {} } as never
    await expect(evaluate(wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      mistakes: [
        '"resources" is not an option',
        '"subject" must have "type" and "id", texts that are not empty',
        '"resource" must have "type" and "id", texts that are not empty',
        '"action" must have "name", a text that is not empty',
        '"context" must be an object',
      ],
    })
    const properties = { ...wants(), subject: { type: 'user', id: 'alice', properties: 'admin' } }
    await expect(evaluateAll([wants(), properties as never])).rejects.toMatchObject({
      mistakes: ['"subject.properties" must be an object'],
    })
    expect(point.asked).toEqual([])
  })

  it('ends for one who gives up, and goes on for the others', async () => {
    const point = await startedPoint(() => undefined)
    const { evaluate } = clientOf(point, { onError: 'permit' })
    const tired = new AbortController()
    const mine = evaluate(wants(), { signal: tired.signal })
    const theirs = evaluate(wants())
    point.respond = (response) => {
      tired.abort(new Error('gone'))
      void mine.catch(() => json(response, { decision: true }))
    }
    await expect(mine).rejects.toThrow('gone')
    await expect(theirs).resolves.toMatchObject({ decision: true })
    await expect(evaluate(wants(), { signal: tired.signal })).rejects.toThrow('gone')
    expect(point.asked).toHaveLength(1)
  })
})

describe('several evaluations', () => {
  const three = ['read', 'write', 'delete'].map((name) => wants(name))

  it('are one request, answered in their order', async () => {
    const point = await startedPoint((response) =>
      json(response, { evaluations: [{ decision: true }, { decision: false }, {}] }),
    )
    const answers = await clientOf(point).evaluateAll(three)
    expect(answers.map(({ decision }) => decision)).toEqual([true, false, false])
    expect(answers.map(({ failure }) => codeOf(failure))).toEqual([
      undefined,
      undefined,
      'ERR_PEER_ANSWER',
    ])
    expect(point.asked.map(({ path, body }) => [path, body])).toEqual([
      ['/access/v1/evaluations', { evaluations: three }],
    ])
  })

  it.each([
    ['fewer than were asked for', { evaluations: [{ decision: true }] }],
    ['no array', { evaluations: { decision: true } }],
    ['one decision for all', { decision: true }],
  ])('are not decided by %s', async (_name, answer) => {
    const point = await startedPoint((response) => json(response, answer))
    const answers = await clientOf(point).evaluateAll(three)
    expect(answers.map(({ decision }) => decision)).toEqual([false, false, false])
    expect(codeOf(answers[2]?.failure)).toBe('ERR_PEER_ANSWER')
  })

  it('are asked one by one where there is no endpoint for more', async () => {
    const point = await startedPoint((response, asked) => {
      const { action } = asked.body as EvaluationRequest
      json(response, { decision: action.name === 'read' })
    })
    delete point.metadata?.['access_evaluations_endpoint']
    const answers = await clientOf(point).evaluateAll(three)
    expect(answers.map(({ decision }) => decision)).toEqual([true, false, false])
    expect(point.asked.map(({ path }) => path)).toEqual(
      Array.from({ length: 3 }, () => '/access/v1/evaluation'),
    )
  })

  it('are a plain evaluation where it is one, and nothing where there is none', async () => {
    const point = await startedPoint()
    const { evaluateAll } = clientOf(point)
    expect(await evaluateAll([])).toEqual([])
    expect(await evaluateAll([wants()])).toMatchObject([{ decision: true }])
    expect(point.asked.map(({ path }) => path)).toEqual(['/access/v1/evaluation'])
  })
})

describe('the metadata', () => {
  it('are read once, between the host and the path of the identifier', async () => {
    const point = await startedPoint(decides(true), '/tenant-1')
    const { evaluate } = clientOf(point)
    await Promise.all([evaluate(wants('read')), evaluate(wants('write'))])
    await evaluate(wants())
    expect(point.metadataReads).toBe(1)
    expect(point.asked[0]?.path).toBe('/tenant-1/access/v1/evaluation')
  })

  it('are read again after a failure, and when an endpoint has gone', async () => {
    const point = await startedPoint()
    const { metadata } = point
    const { evaluate } = clientOf(point)
    point.metadata = undefined
    expect(await evaluate(wants())).toMatchObject({ decision: false })
    point.metadata = metadata
    expect(await evaluate(wants())).toMatchObject({ decision: true })
    point.respond = status(404)
    expect(await evaluate(wants())).toMatchObject({ decision: false })
    point.respond = decides(true)
    point.metadata = { ...metadata, access_evaluation_endpoint: `${point.url}/moved` }
    expect(await evaluate(wants())).toMatchObject({ decision: true })
    expect(point.asked.at(-1)?.path).toBe('/moved')
    expect(point.metadataReads).toBe(3)
  })

  it.each([
    ['of another decision point', { policy_decision_point: 'https://pdp.example' }],
    ['with a slash more', { policy_decision_point: 'slash' }],
    ['without a name', { policy_decision_point: undefined }],
  ])('%s are not used', async (_name, change) => {
    const point = await startedPoint()
    const slash = change.policy_decision_point === 'slash'
    const named = slash ? { policy_decision_point: `${point.url}/` } : change
    point.metadata = { ...point.metadata, ...named }
    const answer = await clientOf(point).evaluate(wants())
    expect([answer.decision, codeOf(answer.failure)]).toEqual([false, 'ERR_PEER_ISSUER'])
    expect(point.asked).toEqual([])
  })

  it.each([
    ['access_evaluation_endpoint', 'http://127.0.0.1:1/access/v1/evaluation'],
    ['access_evaluation_endpoint', undefined],
    ['access_evaluation_endpoint', 'with credentials'],
    ['access_evaluations_endpoint', 'http://127.0.0.1:1/access/v1/evaluations'],
  ])('do not lead elsewhere with what authorizes: %s %s', async (name, endpoint) => {
    const point = await startedPoint()
    const credentials = `${point.url.replace('//', '//user:password@')}/access/v1/evaluation`
    const led = endpoint === 'with credentials' ? credentials : endpoint
    point.metadata = { ...point.metadata, [name]: led }
    const { failure } = await clientOf(point).evaluate(wants())
    expect(codeOf(failure)).toBe('ERR_PEER_ANSWER')
    expect(failure?.message).toContain(`"${name}"`)
  })

  it('are not read where they are written out', async () => {
    const point = await startedPoint()
    const metadata = { access_evaluation_endpoint: `${point.url}/ask` }
    await clientOf(point, { metadata, url: 'https://pdp.example' }).evaluate(wants())
    expect([point.metadataReads, point.asked[0]?.path]).toEqual([0, '/ask'])
  })
})

/** Whatever is no 200 with a boolean. */
const faults: readonly (readonly [string, string, Respond])[] = [
  ['a text for a boolean', 'ERR_PEER_ANSWER', decides('true')],
  ['a number for a boolean', 'ERR_PEER_ANSWER', decides(1)],
  ['no decision', 'ERR_PEER_ANSWER', (response) => json(response, {})],
  ['an array', 'ERR_PEER_ANSWER', (response) => json(response, [{ decision: true }])],
  ['null', 'ERR_PEER_ANSWER', (response) => json(response, null)],
  [
    'two decisions',
    'ERR_PEER_ANSWER',
    (response) => response.writeHead(200).end('{"decision":false,"decision":true}'),
  ],
  ['garbage', 'ERR_PEER_ANSWER', (response) => response.writeHead(200).end('<p>decision: true')],
  [
    'what is not UTF-8',
    'ERR_PEER_ANSWER',
    (response) => response.writeHead(200).end(Buffer.from([0xff, 0xfe])),
  ],
  [
    '10 MB',
    'ERR_PEER_ANSWER',
    (response) => json(response, { decision: true, context: { text: 'x'.repeat(10_000_000) } }),
  ],
  [
    'the answer to another request',
    'ERR_PEER_ANSWER',
    (response) => json(response, { decision: true }, { 'x-request-id': 'another' }),
  ],
  [
    'a decision with 201',
    'ERR_PEER_ANSWER',
    (response) => response.writeHead(201).end('{"decision":true}'),
  ],
  [
    'a decision with 403',
    'ERR_PEER_ANSWER',
    (response) => response.writeHead(403).end('{"decision":true}'),
  ],
  ['500', 'ERR_PEER_UNREACHABLE', status(500)],
  ['429', 'ERR_PEER_UNREACHABLE', status(429)],
  ['a cut connection', 'ERR_PEER_UNREACHABLE', (response) => response.destroy()],
  [
    'half of an answer',
    'ERR_PEER_UNREACHABLE',
    (response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"decision":true', () => response.destroy())
    },
  ],
]

describe('what is no decision', () => {
  it.each(faults)('denies or permits as it was written: %s', async (_name, code, respond) => {
    const point = await startedPoint(respond)
    for (const [onError, decision] of [
      ['deny', false],
      ['permit', true],
    ] as const) {
      const answer = await clientOf(point, { onError }).evaluate(wants())
      expect(answer).toEqual({
        decision,
        requestId: expect.any(String),
        failure: expect.objectContaining({ name: 'PeerError', code }),
      })
      expect(answer.failure?.message).not.toMatch(/alice|xxx|<p>/)
    }
  })

  it('is a redirect, which is not followed', async () => {
    const point = await startedPoint()
    point.respond = (response, { path }) => {
      if (path === '/there') decides(true)(response, { path, method: '', headers: {}, body: {} })
      else status(307, { location: '/there' })(response)
    }
    const answer = await clientOf(point).evaluate(wants())
    expect(answer).toMatchObject({
      decision: false,
      failure: { message: expect.stringContaining('redirects are not followed') },
    })
    expect(point.asked).toHaveLength(1)
  })

  it('is a decision point that is down', async () => {
    const point = await startedPoint()
    await point.stop()
    for (const onError of ['deny', 'permit'] as const) {
      const answer = await clientOf(point, { onError }).evaluate(wants())
      expect(answer.decision).toBe(onError === 'permit')
      expect(codeOf(answer.failure)).toBe('ERR_PEER_UNREACHABLE')
    }
  })

  const slow = async (point: TestPoint, onError: 'deny' | 'permit'): Promise<void> => {
    const clock = manualClock()
    const { evaluate } = clientOf(point, { onError, clock })
    const arrival = point.arrival()
    const answer = evaluate(wants())
    await arrival
    await clock.advance(2000)
    expect(await answer).toMatchObject({
      decision: onError === 'permit',
      failure: {
        code: 'ERR_PEER_UNREACHABLE',
        message: 'the decision point gave no answer within 2000 ms',
      },
    })
  }

  it('is one that does not answer in time', async () => {
    const point = await startedPoint(() => undefined)
    await slow(point, 'deny')
    await slow(point, 'permit')
  })

  it('is one that drips its answer', async () => {
    const drip: Respond = (response) => {
      response.writeHead(200)
      response.write('{"decision":')
    }
    await slow(await startedPoint(drip), 'deny')
  })

  it('is a client that has nothing to authorize it with, and its secret is in no message', async () => {
    const point = await startedPoint()
    const none = clientOf(point, { authorize: () => Promise.reject(new Error('no token')) })
    expect((await none.evaluate(wants())).failure).toMatchObject({
      code: 'ERR_PEER_UNREACHABLE',
      cause: expect.objectContaining({ message: 'no token' }),
    })
    const broken = clientOf(point, { authorize: () => 'secret\nsecret' })
    const { failure } = await broken.evaluate(wants())
    expect(codeOf(failure)).toBe('ERR_PEER_UNREACHABLE')
    expect(failure?.cause).toBeUndefined()
    expect(failure?.message).not.toContain('secret')
    expect(point.asked).toEqual([])
  })
})

describe('createDecisionPoint', () => {
  it('names every mistake in its options', () => {
    const wrong = {
      url: 'http://pdp.example?tenant=1',
      onErrors: 'deny',
      metadata: { access_evaluation_endpoint: '/ask', access_evaluations_endpoint: 7 },
      timeoutMs: 0,
      cacheMs: -1,
      cause: '',
      rule: {},
      stepUp: 'acr_values',
      authorize: 'token',
      newRequestId: 7,
      fetch: 'fetch',
      clock: { now: () => 0 },
      allowInsecureHttp: 'yes',
    } as never
    expect(() => createDecisionPoint(wrong)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"onErrors" is not an option',
          '"url" must have no query and no fragment',
          '"onError" must be written: deny, or permit to let requests through while nobody decides',
          expect.stringContaining('"metadata.access_evaluation_endpoint" must be an https URL'),
          expect.stringContaining('"metadata.access_evaluations_endpoint" must be an https URL'),
          '"allowInsecureHttp" must be true or false',
          '"fetch" must be a function',
          '"clock" must have "sleep"',
          '"timeoutMs" must be more than 0',
          '"cacheMs" must be 0 or more',
          '"cause" must be a word for the cause',
          '"authorize" must be a function',
          '"rule" must be a function',
          '"stepUp" must be a function',
          '"newRequestId" must be a function',
        ],
      }),
    )
    expect(() => createDecisionPoint({ url: 'http://pdp.example', onError: 'deny' })).toThrow(
      '"url" must be an https URL',
    )
  })
})
