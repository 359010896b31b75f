import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  compareSpecVersions,
  issuerOfWellKnownUrl,
  opaque,
  PeerError,
  readAddSubjectRequest,
  readPollResponse,
  readRemoveSubjectRequest,
  readStreamConfiguration,
  readTransmitterConfiguration,
  StreamError,
  wellKnownUrl,
} from '@drawbridge/schema'
import { thrownBy } from './support.ts'

const issuer = 'https://idp.example'

function streamErrorOf(call: () => unknown): StreamError {
  const error = thrownBy(call)
  if (error instanceof StreamError) return error
  throw new Error('no StreamError was thrown', { cause: error })
}

function peerErrorOf(call: () => unknown): PeerError {
  const error = thrownBy(call)
  if (error instanceof PeerError) return error
  throw new Error('no PeerError was thrown', { cause: error })
}

describe('subject requests', () => {
  const request = { stream_id: 's', subject: opaque('x') }

  it('SSF-8.1.3.2-1: reads what a Receiver adds, with or without "verified"', () => {
    expect(readAddSubjectRequest(request)).toEqual(request)
    for (const verified of [true, false]) {
      expect(readAddSubjectRequest({ ...request, verified, more: 1 })).toEqual({
        ...request,
        verified,
      })
    }
    const error = streamErrorOf(() => readAddSubjectRequest({ ...request, verified: 'yes' }))
    expect(error).toMatchObject({ code: 'ERR_STREAM_REQUEST', status: 400 })
    expect(error.message).toBe('"verified" must be true or false')
  })

  it('SSF-8.1.3.3-1: reads what a Receiver removes', () => {
    expect(readRemoveSubjectRequest({ ...request, verified: true })).toEqual(request)
  })

  it.each([readAddSubjectRequest, readRemoveSubjectRequest])('names what is wrong', (read) => {
    for (const value of [null, [], 'x']) {
      expect(streamErrorOf(() => read(value)).message).toContain('must be a JSON object')
    }
    for (const stream_id of [undefined, '', 7]) {
      expect(streamErrorOf(() => read({ ...request, stream_id })).message).toContain('"stream_id"')
    }
    expect(streamErrorOf(() => read({ stream_id: 's' })).message).toContain('"subject" must be')
    const bad = { stream_id: 's', subject: { format: 'email' } }
    expect(streamErrorOf(() => read(bad)).message).toContain('"subject.email"')
  })
})

describe('readStreamConfiguration', () => {
  const stream = {
    stream_id: 's',
    iss: issuer,
    aud: 'app',
    events_delivered: [],
    delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: 'https://idp.example/poll' },
    more: 1,
  }

  it('keeps what it does not know', () => {
    expect(readStreamConfiguration(stream, issuer)).toBe(stream)
  })

  it('SSF-8.1.1.1-3: is not used when "iss" is another issuer\'s', () => {
    const error = peerErrorOf(() => readStreamConfiguration(stream, `${issuer}/`))
    expect(error.code).toBe('ERR_PEER_ISSUER')
  })

  it('names what is missing or cannot be used', () => {
    const { delivery } = stream
    for (const [member, change] of [
      ['stream_id', { stream_id: 7 }],
      ['stream_id', { stream_id: '' }],
      ['events_requested', { events_requested: 'x' }],
      ['delivery.method', { delivery: undefined }],
      ['delivery.method', { delivery: { ...delivery, method: 'x' } }],
      ['delivery.endpoint_url', { delivery: { ...delivery, endpoint_url: 'poll' } }],
    ] as const) {
      const error = peerErrorOf(() => readStreamConfiguration({ ...stream, ...change }, issuer))
      expect(error).toMatchObject({ code: 'ERR_PEER_ANSWER' })
      expect(error.message).toContain(`"${member}" of the stream`)
    }
    expect(peerErrorOf(() => readStreamConfiguration([], issuer)).code).toBe('ERR_PEER_ANSWER')
  })
})

describe('readPollResponse', () => {
  it('POLL-2.3-1: has the SETs by "jti", and whether there are more', () => {
    expect(readPollResponse({ sets: { a: 'x' }, moreAvailable: true, more: 1 })).toEqual({
      sets: { a: 'x' },
      moreAvailable: true,
    })
    expect(readPollResponse({ sets: {}, moreAvailable: 'yes' })).toEqual({ sets: {} })
    expect(readPollResponse({ sets: { a: 7 } })).toEqual({ sets: { a: '' } })
    for (const body of [null, undefined, [], {}, { sets: [] }, { sets: 'x' }]) {
      expect(peerErrorOf(() => readPollResponse(body)).code).toBe('ERR_PEER_ANSWER')
    }
  })
})

describe('readTransmitterConfiguration', () => {
  const metadata = { issuer, jwks_uri: `${issuer}/jwks`, supported_scopes: { own: 1 } }

  it('COMPAT-1-16: keeps members of drafts and others', () => {
    expect(readTransmitterConfiguration(metadata, issuer)).toBe(metadata)
  })

  it('SSF-7.2.4-2: "issuer" is what was asked for, code point by code point', () => {
    for (const other of [`${issuer}/`, issuer.toUpperCase(), undefined]) {
      const error = peerErrorOf(() =>
        readTransmitterConfiguration({ ...metadata, issuer: other }, issuer),
      )
      expect(error.code).toBe('ERR_PEER_ISSUER')
    }
  })

  it('names the member that is not what it must be', () => {
    for (const name of ['jwks_uri', 'configuration_endpoint', 'add_subject_endpoint']) {
      const value = { ...metadata, [name]: '/relative' }
      expect(peerErrorOf(() => readTransmitterConfiguration(value, issuer)).message).toBe(
        `"${name}" in the metadata must be a URL`,
      )
    }
    const value = { ...metadata, critical_subject_members: 'user' }
    expect(peerErrorOf(() => readTransmitterConfiguration(value, issuer)).message).toContain(
      '"critical_subject_members"',
    )
    expect(peerErrorOf(() => readTransmitterConfiguration('x', issuer)).code).toBe(
      'ERR_PEER_ANSWER',
    )
  })
})

describe('wellKnownUrl and its inverse', () => {
  it('SSF-7.2-2 SSF-7.2.1-2: insert between host and path, and find the issuer again', () => {
    const path = fc.array(fc.stringMatching(/^[a-z0-9]{1,4}$/), { maxLength: 3 })
    fc.assert(
      fc.property(path, fc.boolean(), (segments, slash) => {
        const own = [issuer, ...segments].join('/')
        const url = wellKnownUrl(slash ? `${own}/` : own)
        expect(url.startsWith(`${issuer}/.well-known/ssf-configuration`)).toBe(true)
        expect(issuerOfWellKnownUrl(url)).toBe(own)
      }),
    )
  })

  it('says when a URL is none', () => {
    const base = `${issuer}/.well-known/ssf-configuration`
    for (const url of ['x', issuer, `${issuer}/a/.well-known/ssf-configuration`]) {
      expect(issuerOfWellKnownUrl(url)).toBe(undefined)
    }
    for (const suffix of ['/', 's', '?a', '#a', '/a/']) {
      expect(issuerOfWellKnownUrl(`${base}${suffix}`)).toBe(undefined)
    }
    expect(
      issuerOfWellKnownUrl(`${issuer}/.well-known/sse-configuration/a`, 'sse-configuration'),
    ).toBe(`${issuer}/a`)
  })
})

describe('compareSpecVersions', () => {
  it('COMPAT-1-17: orders drafts before the final version, and versions by number', () => {
    const order = [
      '1_0-ID1',
      '1_0-ID2',
      '1_0-ID3',
      '1_0-ID10',
      '1_0',
      '1_1-ID1',
      '1_1',
      '1_10',
      '2_0',
    ]
    for (const [a, one] of order.entries()) {
      for (const [b, other] of order.entries()) {
        expect(Math.sign(compareSpecVersions(one, other))).toBe(Math.sign(a - b))
      }
    }
  })

  it('SSF-7.1-2: takes an absent version for the first draft', () => {
    expect(compareSpecVersions(undefined, '1_0-ID1')).toBe(0)
    expect(compareSpecVersions('1.0', undefined)).toBeLessThan(0)
    expect(compareSpecVersions('', 'x')).toBe(0)
  })
})
