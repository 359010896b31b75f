import { expect, it } from '@jest/globals'
import type { Ask } from './peer.ts'
import type { Site } from './site.ts'
import { pollMethod, pushMethod } from './streams.ts'

type Request = readonly [method: string, endpoint: string, ask: Ask]

const subject = { format: 'email', email: 'alice@receiver.example' }
const push = (endpoint_url: string): object => ({ delivery: { method: pushMethod, endpoint_url } })
const eight = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`m${n}`, subject]))

/** Each mistake of each call that has a body, about a stream that is not there. */
const invalid: readonly Request[] = [
  ...(
    [
      ['PATCH', 'configuration_endpoint', { description: 7 }],
      ['PATCH', 'configuration_endpoint', { events_requested: 'all' }],
      ['PATCH', 'configuration_endpoint', { delivery: { method: 'urn:example:pigeon' } }],
      ['PATCH', 'configuration_endpoint', push('no URL')],
      ['PATCH', 'configuration_endpoint', push('http://receiver.example')],
      ['PATCH', 'configuration_endpoint', push('https://a:b@receiver.example')],
      ['PUT', 'configuration_endpoint', {}],
      ['PUT', 'configuration_endpoint', push('ftp://receiver.example')],
      ['POST', 'status_endpoint', {}],
      ['POST', 'status_endpoint', { status: 'asleep' }],
      ['POST', 'status_endpoint', { status: 'enabled', reason: 7 }],
      ['POST', 'add_subject_endpoint', {}],
      ['POST', 'add_subject_endpoint', { subject: { format: 'email' } }],
      ['POST', 'add_subject_endpoint', { subject: { format: 'complex', ...eight } }],
      ['POST', 'add_subject_endpoint', { subject, verified: 'yes' }],
      ['POST', 'remove_subject_endpoint', { subject: { format: 'complex', ...eight } }],
      ['POST', 'verification_endpoint', { state: 7 }],
    ] as const
  ).map(([method, endpoint, more]): Request => {
    return [method, endpoint, { body: { stream_id: 'unknown', ...more } }]
  }),
  ['POST', '/poll/unknown', { body: { maxEvents: -1 } }],
  ['POST', '/poll/unknown', { body: { setErrs: [] } }],
]

/** The same calls without a mistake. */
const valid: readonly Request[] = [
  ['PATCH', 'configuration_endpoint', { body: { stream_id: 'unknown', description: 'x' } }],
  [
    'PUT',
    'configuration_endpoint',
    { body: { stream_id: 'unknown', delivery: { method: pollMethod } } },
  ],
  ['POST', 'status_endpoint', { body: { stream_id: 'unknown', status: 'enabled' } }],
  ['POST', 'add_subject_endpoint', { body: { stream_id: 'unknown', subject } }],
  ['POST', 'remove_subject_endpoint', { body: { stream_id: 'unknown', subject } }],
  ['POST', 'verification_endpoint', { body: { stream_id: 'unknown' } }],
  ['POST', '/poll/unknown', { body: { returnImmediately: true } }],
]

/** Which mistake counts where a request has several. */
export function walkOrder(site: () => Site): void {
  const status = async ([method, endpoint, ask]: Request, token?: string): Promise<unknown> => {
    const { peer, issuer } = site()
    const url = endpoint.startsWith('/') ? `${issuer}/ssf${endpoint}` : endpoint
    return (await peer.ask(method, url, { ...ask, ...(token && { token }) })).status
  }
  const unparsable = valid.map(([method, endpoint]): Request => [method, endpoint, { body: '{' }])

  it('an unknown token, 401, and a scope that is missing, 403, come before everything', async () => {
    for (const request of [...unparsable, ...invalid, ...valid]) {
      expect([request, await status(request, 'unknown')]).toEqual([request, 401])
      expect([request, await status(request, 'read-token')]).toEqual([request, 403])
    }
  })

  it('SSF-8.1.1.3-13, SSF-8.1.1.4-11, POLL-2.5.1-1, GAP-16: what cannot be parsed or is invalid, 400, comes before an unknown stream, 404', async () => {
    for (const request of [...unparsable, ...invalid]) {
      expect([request, await status(request)]).toEqual([request, 400])
    }
    for (const request of valid) expect([request, await status(request)]).toEqual([request, 404])
  })
}
