import { describe, expect, it } from '@jest/globals'
import { printable, verdict, type Outcome } from '../src/delivery/verdict.ts'

const statuses = Array.from({ length: 500 }, (_, index) => index + 100)

function expected(status: number, isEmpty: boolean): Outcome {
  if (status === 202) return 'delivered'
  if (status === 200 || status === 204) return isEmpty ? 'delivered' : 'stream-at-fault'
  if (status === 413) return 'refused'
  if (status === 408 || status === 429) return 'retry'
  if (status < 200 || status >= 500) return 'retry'
  return 'stream-at-fault'
}

const outcomeOf = (status: number, body: string): Outcome => verdict({ status, body }).outcome

describe('verdict', () => {
  it.each([
    ['empty', ''],
    ['a page', '<html>it works</html>'],
  ])('PUSH-2-9: has an outcome for every status, the body being %s', (_, body) => {
    expect(statuses.map((status) => [status, outcomeOf(status, body)])).toEqual(
      statuses.map((status) => [status, expected(status, body === '')]),
    )
  })

  it.each([
    ['invalid_request', 'refused'],
    ['invalid_state', 'refused'],
    ['invalid_key', 'retry'],
    ['invalid_issuer', 'stream-at-fault'],
    ['invalid_audience', 'stream-at-fault'],
    ['authentication_failed', 'stream-at-fault'],
    ['access_denied', 'stream-at-fault'],
    ['something_new', 'stream-at-fault'],
    ['setData', 'refused'],
    ['jwtParse', 'stream-at-fault'],
    ['dup', 'stream-at-fault'],
    ['INVALID_REQUEST', 'stream-at-fault'],
    ['constructor', 'stream-at-fault'],
  ] as const)('PUSH-2.4-7, PUSH-4-1, COMPAT-1-15: 400 with err %s is %s', (err, outcome) => {
    expect(outcomeOf(400, JSON.stringify({ err, description: 'why' }))).toBe(outcome)
  })

  it.each(['', 'null', '[]', '"text"', '{', '{"err":7}', '{"err":null}'])(
    '400 with the body %j says nothing known: the stream is at fault',
    (body) => expect(outcomeOf(400, body)).toBe('stream-at-fault'),
  )

  it('takes no error code from another status', () => {
    expect(outcomeOf(401, '{"err":"invalid_request"}')).toBe('stream-at-fault')
    expect(outcomeOf(500, '{"err":"invalid_request"}')).toBe('retry')
  })

  it.each([0, -1, 99, 600, 999, NaN])('retries on the status %p, which is none', (status) => {
    expect(outcomeOf(status, '')).toBe('retry')
  })

  it('gives the reason of the peer, bounded and printable', () => {
    const body = JSON.stringify({
      err: 'invalid_request',
      description: `a\u001b[31m\n${'b'.repeat(999)}`,
    })
    const { reason } = verdict({ status: 400, body })
    expect(reason).toMatch(/^400 invalid_request: a \[31m b+$/)
    expect(reason).toHaveLength(200)
    expect(printable('one\r\ntwo\u202e')).toBe('one two ')
    expect(verdict({ status: 0, body: '', failure: 'ECONNREFUSED' }).reason).toBe('ECONNREFUSED')
  })
})
