import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  email,
  issSub,
  opaque,
  readSet,
  scim,
  setMediaType,
  setType,
  type SecurityEvent,
} from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { aSubject, claims, nested, setErrorOf, thrownBy } from './support.ts'

const eventIn = (all: unknown): SecurityEvent => readSet(all).events[0]

const messageOf = (changes: Readonly<Record<string, unknown>>): string =>
  setErrorOf(() => readSet(claims(changes))).message

describe('readSet', () => {
  it('gives the event, and all claims as they came', () => {
    const all = claims({ toe: 1_749_999_990 })
    expect(eventIn(all)).toEqual({
      type: SessionRevoked.uri,
      payload: {},
      subject: issSub('https://idp.example', 'alice'),
      iss: 'https://idp.example',
      aud: ['https://app.example'],
      jti: 'j1',
      iat: 1_750_000_000,
      txn: 't1',
      time: 1_749_999_990,
      notices: [],
      claims: all,
    })
  })

  it('SSF-4.1.1-1 SET-2.3-1 SET-2.3-2 JOSE-8725.3.11-1: the type of a SET is "secevent+jwt"', () => {
    expect(setType).toBe('secevent+jwt')
    expect(setMediaType).toBe('application/secevent+jwt')
  })

  it.each([
    ['SET-2.2-1', 'iss', [undefined, null, '', 7, {}, ['https://idp.example']]],
    ['SET-2.2-3', 'iat', [undefined, null, '1750000000', -1, Number.NaN, Number.POSITIVE_INFINITY]],
    ['SET-2.2-4', 'jti', [undefined, null, '', 7, {}]],
    ['SET-2.2-11', 'txn', [null, 7, {}]],
    ['SET-2.2-12', 'toe', [null, '1750000000', -1, Number.NaN]],
    ['SSF-4.1.8-1', 'aud', [null, '', 7, {}, ['a', 7], ['']]],
  ])('%s: refuses a SET whose "%s" is not what it must be', (_id, claim, values) => {
    for (const value of values) {
      const error = setErrorOf(() => readSet(claims({ [claim]: value })))
      expect(error).toMatchObject({ code: 'ERR_SET_CLAIM', err: 'invalid_request' })
      expect(error.message).toContain(`"${claim}" must be`)
    }
  })

  it('SSF-4.1.2-1 SSF-4.1.3-1 SET-2.2-7: refuses "sub"', () => {
    expect(messageOf({ sub: 'alice' })).toContain('"sub" must be absent')
    expect(messageOf({ sub: null })).toContain('"sub" must be absent')
  })

  it('SSF-4.1.7-1 SSF-4.1.3-1 SET-2.2-8 SET-4.1-1: refuses "exp"', () => {
    expect(messageOf({ exp: 1_750_000_060 })).toContain('"exp" must be absent')
    expect(messageOf({ exp: null })).toContain('"exp" must be absent')
  })

  it('SSF-4.1.8-1: takes one audience and several, and a SET without one', () => {
    expect(eventIn(claims({ aud: 'a' })).aud).toEqual(['a'])
    expect(eventIn(claims({ aud: ['a', 'b'] })).aud).toEqual(['a', 'b'])
    expect(eventIn(claims({ aud: undefined })).aud).toEqual([])
  })

  it('SSF-4.1.9-1: a SET without "txn" holds', () => {
    expect('txn' in eventIn(claims({ txn: undefined }))).toBe(false)
  })

  it('SET-2-1: "events" is an object with a member', () => {
    for (const events of [undefined, null, [], 'x', 7]) {
      expect(messageOf({ events })).toContain('"events" must be an object')
    }
    expect(messageOf({ events: {} })).toContain('"events" must have one member')
  })

  it('SET-2-2 SSF-4.2.1-3: a member of "events" is a URI with an object', () => {
    expect(messageOf({ events: { 'session-revoked': {} } })).toContain('must be a URI')
    for (const payload of [null, [], 'x', 7, true]) {
      expect(messageOf({ events: { [SessionRevoked.uri]: payload } })).toContain(
        'the event must be an object',
      )
    }
  })

  it('SSF-4.2.1-1 SSF-4.2.1-2 SET-2-3 SET-2.2-9: refuses several events in one SET', () => {
    const events = { [SessionRevoked.uri]: {}, 'https://schemas.example/another': {} }
    expect(messageOf({ events })).toContain('one SET, one event')
  })

  it('RFC 9967: takes several events of the SCIM family, each for itself', () => {
    const events = {
      'urn:ietf:params:scim:event:prov:patch:notice': { attributes: ['active'] },
      'urn:ietf:params:scim:event:prov:deactivate': {},
    }
    const set = readSet(claims({ sub_id: scim('/Users/1'), events }))
    expect(set.events.map(({ type }) => type)).toEqual(Object.keys(events))
    expect(set.events.map(({ payload }) => payload)).toEqual(Object.values(events))
    expect(new Set(set.events.map(({ jti }) => jti)).size).toBe(1)
    expect(messageOf({ events: { ...events, [SessionRevoked.uri]: {} } })).toContain('one event')
  })

  it('SSF-3.1-1 SUBID-4.1-1: the subject is in "sub_id"', () => {
    const error = setErrorOf(() => readSet(claims({ sub_id: undefined })))
    expect(error).toMatchObject({ code: 'ERR_SET_SUBJECT', err: 'invalid_request' })
    expect(error.message).toContain('"sub_id"')
    expect(eventIn(claims({ sub_id: email('a@b.example') })).subject).toEqual(email('a@b.example'))
  })

  it('SSF-4.2.3-2 SET-2-5: ignores and keeps what it does not know', () => {
    const events = { 'https://schemas.example/own': { more: [1, { deep: true }] } }
    const set = eventIn(claims({ events, kid: 'k', 'https://example/claim': { a: 1 } }))
    expect(set.type).toBe('https://schemas.example/own')
    expect(set.payload).toEqual({ more: [1, { deep: true }] })
    expect(set.claims['kid']).toBe('k')
  })

  it('SSF-8.1.4.1-1 SSF-8.1.4.1-3: reads a Verification event about the stream itself', () => {
    const events = { [Verification.uri]: { state: 's' } }
    const set = eventIn(claims({ sub_id: opaque('stream-1'), events }))
    expect(set.type).toBe('https://schemas.openid.net/secevent/ssf/event-type/verification')
    expect(set.subject).toEqual({ format: 'opaque', id: 'stream-1' })
  })

  it('SSF-8.1.5-1 SSF-8.1.5-6: reads a Stream Updated event about the stream itself', () => {
    const events = { [StreamUpdated.uri]: { status: 'paused' } }
    const set = eventIn(claims({ sub_id: opaque('stream-1'), events }))
    expect(set.type).toBe('https://schemas.openid.net/secevent/ssf/event-type/stream-updated')
    expect(set.subject).toEqual({ format: 'opaque', id: 'stream-1' })
  })

  it('throws nothing but SetError, whatever JSON it is given', () => {
    const json = fc.oneof(
      fc.jsonValue(),
      fc.json().map((text): unknown => JSON.parse(text)),
      fc.constantFrom<unknown>(
        JSON.parse('{"__proto__":{"iss":"x","iat":1,"jti":"j","events":{"a:b":{}}}}'),
        nested(100_000),
      ),
    )
    const onlySetError = (value: unknown): void => {
      const error = thrownBy(() => readSet(value))
      if (error !== undefined) expect(error).toMatchObject({ name: 'SetError' })
    }
    fc.assert(fc.property(json, onlySetError))
    const claimNames = [...Object.keys(claims()), 'sub', 'exp', 'toe', '__proto__']
    fc.assert(
      fc.property(fc.constantFrom(...claimNames), json, (claim, value) => {
        const changed = Object.fromEntries([...Object.entries(claims()), [claim, value]])
        onlySetError(changed)
      }),
      { numRuns: 1000 },
    )
  })

  it('says nothing of what the peer wrote', () => {
    fc.assert(
      fc.property(fc.constantFrom('iss', 'iat', 'jti', 'aud', 'events', 'sub_id'), (claim) => {
        const secret = 'c0ffee-c0ffee'
        for (const value of [{ [secret]: secret }, [secret, 7], { format: secret, id: 7 }]) {
          const error = thrownBy(() => readSet(claims({ [claim]: value })))
          if (error) expect(String(error)).not.toContain(secret)
        }
      }),
    )
  })

  it('reads the same after a round trip through JSON', () => {
    fc.assert(
      fc.property(aSubject, fc.nat(2_000_000_000), fc.jsonValue(), (subject, iat, more) => {
        const all = claims({ sub_id: subject, iat, more })
        const once = readSet(all)
        const again = readSet(JSON.parse(JSON.stringify(once.claims)))
        expect(JSON.stringify(again)).toBe(JSON.stringify(once))
      }),
    )
  })
})
