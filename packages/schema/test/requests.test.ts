import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  PeerError,
  isStreamStatusValue,
  poll,
  push,
  readPollRequest,
  readStatusRequest,
  readStreamRequest,
  readVerificationRequest,
  SharedSignalsError,
  StreamError,
  wellKnownUrl,
} from '@drawbridge/schema'
import { thrownBy } from './support.ts'

const readers = { readPollRequest, readStatusRequest, readStreamRequest, readVerificationRequest }

function messageOf(call: () => unknown): string {
  const error = thrownBy(call)
  expect(error).toMatchObject({ name: 'StreamError', code: 'ERR_STREAM_REQUEST', status: 400 })
  return (error as StreamError).message
}

describe('every reader of a request', () => {
  it.each(Object.entries(readers))('%s throws nothing but StreamError', (_name, read) => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const error = thrownBy(() => read(JSON.parse(text)))
        if (error !== undefined) expect(error).toMatchObject({ name: 'StreamError', status: 400 })
      }),
    )
    for (const value of [null, [], 'x', 7, undefined]) {
      expect(messageOf(() => read(value))).toContain('must be a JSON object')
    }
  })
})

describe('readStreamRequest', () => {
  const url = 'https://app.example/signals'

  it('reads what a Receiver supplies and leaves the rest', () => {
    expect(readStreamRequest({})).toEqual({})
    expect(
      readStreamRequest({
        delivery: { method: push, endpoint_url: url, authorization_header: 'Bearer x', more: 1 },
        events_requested: ['https://schemas.example/one'],
        description: '',
        unknown: true,
      }),
    ).toEqual({
      delivery: { method: push, endpoint_url: url, authorization_header: 'Bearer x' },
      events_requested: ['https://schemas.example/one'],
      description: '',
    })
    expect(readStreamRequest({ delivery: { method: poll, endpoint_url: url } })).toEqual({
      delivery: { method: poll },
    })
  })

  it('refuses each member that is the Transmitter’s to supply', () => {
    for (const member of ['stream_id', 'iss', 'aud', 'events_supported', 'events_delivered']) {
      expect(messageOf(() => readStreamRequest({ [member]: 'x' }))).toContain(`"${member}"`)
    }
  })

  it.each([
    [{ delivery: 'push' }, '"delivery"'],
    [{ delivery: { method: 'urn:x' } }, '"delivery.method"'],
    [{ delivery: { method: push } }, '"delivery.endpoint_url"'],
    [{ delivery: { method: push, endpoint_url: '/signals' } }, '"delivery.endpoint_url"'],
    [{ events_requested: 'x' }, '"events_requested"'],
    [{ events_requested: [7] }, '"events_requested"'],
    [{ description: 7 }, '"description"'],
  ])('names what is wrong with %j', (body, member) => {
    expect(messageOf(() => readStreamRequest(body))).toContain(member)
  })

  it('refuses an authorization header that would smuggle header fields', () => {
    for (const value of ['a\r\nx: y', 'a\n', '', 'ü', 7, null]) {
      const delivery = { method: push, endpoint_url: url, authorization_header: value }
      expect(messageOf(() => readStreamRequest({ delivery }))).toContain('authorization_header')
    }
  })
})

describe('readStatusRequest and readVerificationRequest', () => {
  it('read their members', () => {
    const status = { stream_id: 's', status: 'paused', reason: 'night' }
    expect(readStatusRequest({ ...status, more: 1 })).toEqual(status)
    expect(readVerificationRequest({ stream_id: 's', state: 'x' })).toEqual({
      stream_id: 's',
      state: 'x',
    })
    expect(readVerificationRequest({ stream_id: 's' })).toEqual({ stream_id: 's' })
  })

  it('name the member that is wrong', () => {
    expect(messageOf(() => readStatusRequest({ status: 'paused' }))).toContain('"stream_id"')
    expect(messageOf(() => readStatusRequest({ stream_id: 's', status: 'off' }))).toContain(
      '"status"',
    )
    expect(
      messageOf(() => readStatusRequest({ stream_id: 's', status: 'paused', reason: 7 })),
    ).toContain('"reason"')
    expect(messageOf(() => readVerificationRequest({}))).toContain('"stream_id"')
    expect(messageOf(() => readVerificationRequest({ stream_id: 's', state: 7 }))).toContain(
      '"state"',
    )
  })

  it('know three states', () => {
    expect(['enabled', 'paused', 'disabled'].every(isStreamStatusValue)).toBe(true)
    expect(['Enabled', '', null, undefined, 1].some(isStreamStatusValue)).toBe(false)
  })
})

describe('readPollRequest', () => {
  it('reads its members and leaves the rest', () => {
    expect(readPollRequest({})).toEqual({})
    const request = {
      maxEvents: 0,
      returnImmediately: true,
      ack: ['a'],
      setErrs: { b: { err: 'invalid_key', description: 'no such key' } },
    }
    expect(readPollRequest({ ...request, more: 1 })).toEqual(request)
  })

  it('takes a report without a description, or with one that is no text', () => {
    const setErrs = { a: { err: 'invalid_key' }, b: { err: 'x', description: { en: 'y' } } }
    expect(readPollRequest({ setErrs }).setErrs).toEqual({
      a: { err: 'invalid_key', description: '' },
      b: { err: 'x', description: '' },
    })
  })

  it('keeps a report about a SET named "__proto__"', () => {
    const body: unknown = JSON.parse('{"setErrs":{"__proto__":{"err":"x","description":"y"}}}')
    expect(Object.entries(readPollRequest(body).setErrs ?? {})).toEqual([
      ['__proto__', { err: 'x', description: 'y' }],
    ])
  })

  it.each([
    [{ maxEvents: -1 }, '"maxEvents"'],
    [{ maxEvents: 1.5 }, '"maxEvents"'],
    [{ maxEvents: '1' }, '"maxEvents"'],
    [{ returnImmediately: 'true' }, '"returnImmediately"'],
    [{ ack: 'a' }, '"ack"'],
    [{ ack: [7] }, '"ack"'],
    [{ setErrs: [] }, '"setErrs"'],
    [{ setErrs: { a: 'x' } }, '"setErrs"'],
    [{ setErrs: { a: { description: 'x' } } }, '"setErrs"'],
  ])('names what is wrong with %j', (body, member) => {
    expect(messageOf(() => readPollRequest(body))).toContain(member)
  })
})

describe('errors', () => {
  it('have a code and a name, and keep their cause', () => {
    const cause = new Error('inner')
    const error = new PeerError('ERR_PEER_ANSWER', 'no answer', { cause })
    expect(error).toMatchObject({ name: 'PeerError', code: 'ERR_PEER_ANSWER', cause })
    expect(error).toBeInstanceOf(SharedSignalsError)
  })

  it('say how long to wait where there is something to wait for', () => {
    const error = new StreamError('ERR_STREAM_RATE', 429, 'too often', { retryAfterSeconds: 7 })
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: 7 })
    const other = new StreamError('ERR_STREAM_NOT_FOUND', 404, 'no')
    expect(other.retryAfterSeconds).toBeUndefined()
  })
})

describe('wellKnownUrl', () => {
  it.each([
    ['https://a.example', 'https://a.example/.well-known/ssf-configuration'],
    ['https://a.example/', 'https://a.example/.well-known/ssf-configuration'],
    ['https://a.example/t/1', 'https://a.example/.well-known/ssf-configuration/t/1'],
    ['https://a.example:8443/t/', 'https://a.example:8443/.well-known/ssf-configuration/t'],
  ])('of %s is %s', (issuer, url) => {
    expect(wellKnownUrl(issuer)).toBe(url)
  })
})
