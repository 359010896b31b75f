import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkPayload } from '@drawbridge/schema'
import { caepEventTypes, CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { oauthEventTypes } from '@drawbridge/schema/oauth'
import { scimEventTypes } from '@drawbridge/schema/scim'
import { ssfEventTypes, StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { issuesOf, samples, without } from './event-types-samples.ts'
import { nested, setErrorOf } from './support.ts'

const required = samples.flatMap(({ type, name, minimal }) =>
  Object.keys(minimal).map((member) => ({ type, name, minimal, member })),
)
const described = samples.flatMap(({ type, name, minimal, optional }) =>
  Object.entries({ ...minimal, ...optional }).map(([member, value]) => ({
    type,
    name,
    minimal,
    member,
    value,
  })),
)
const closed = samples.flatMap(({ type, name, minimal, closed: sets }) =>
  Object.entries(sets).map(([member, values]) => ({ type, name, minimal, member, values })),
)

/** One value of every JSON type, and what JSON can't say but a caller can. */
const values = [null, 7, true, 'x', [], ['x'], [7], {}, { en: 'x' }, { en: 7 }, Number.NaN]

describe('the families', () => {
  const lists = [
    ...caepEventTypes,
    ...riscEventTypes,
    ...scimEventTypes,
    ...oauthEventTypes,
    ...ssfEventTypes,
  ]

  it('list every type once', () => {
    expect(caepEventTypes).toHaveLength(8)
    expect(riscEventTypes).toHaveLength(14)
    expect(scimEventTypes).toHaveLength(12)
    expect(oauthEventTypes).toHaveLength(1)
    expect(ssfEventTypes).toHaveLength(2)
    expect(new Set(lists.map(({ uri }) => uri)).size).toBe(37)
    expect(lists).toEqual(samples.map(({ type }) => type))
  })
})

describe('every event type', () => {
  it.each(samples)('$name takes an object only', ({ type }) => {
    for (const value of [null, undefined, [], 'x', 7, true]) {
      expect(issuesOf(type, value)).toEqual(['the payload must be object'])
    }
  })

  it.each(samples)(
    'SSF-4.2.2-1: $name has the members of its definition, required or not',
    ({ type, minimal, optional }) => {
      expect(issuesOf(type, minimal)).toEqual([])
      expect(issuesOf(type, { ...minimal, ...optional })).toEqual([])
      expect(type.members.toSorted()).toEqual(Object.keys({ ...minimal, ...optional }).toSorted())
      const payload = { ...minimal }
      expect(type.validate(payload)).toEqual({ value: payload })
    },
  )

  it.each(required)('$name needs "$member"', ({ type, minimal, member }) => {
    expect(issuesOf(type, without(minimal, member))).toEqual([`"${member}" is missing`])
    expect(issuesOf(type, { ...minimal, [member]: undefined })).toEqual([`"${member}" is missing`])
  })

  it.each(described)('$name has "$member" in one JSON type', ({ type, minimal, member, value }) => {
    const kind = (one: unknown) => (Array.isArray(one) ? 'array' : typeof one)
    for (const other of values.filter((one) => one === null || kind(one) !== kind(value))) {
      const issues = issuesOf(type, { ...minimal, [member]: other })
      expect(issues[0]).toMatch(new RegExp(`^"${member}" must`))
    }
  })

  it.each(closed)('$name has "$member" out of a closed list', (row) => {
    const { type, minimal, member, values: list } = row
    for (const value of list) expect(issuesOf(type, { ...minimal, [member]: value })).toEqual([])
    const [first = ''] = list
    const otherCase = first.toUpperCase() === first ? first.toLowerCase() : first.toUpperCase()
    for (const value of ['', 'other', otherCase]) {
      expect(issuesOf(type, { ...minimal, [member]: value })).toEqual([
        `"${member}" must be equal to one of the allowed values: ${list.join(', ')}`,
      ])
    }
  })

  it.each(samples)('SSF-4.2.3-2: $name has no issue with unknown members', ({ type, minimal }) => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(issuesOf(type, { ...minimal, x_of_our_own: value })).toEqual([])
      }),
      { numRuns: 20 },
    )
  })

  it.each(samples)('SSF-2-1: $name says whom it can be about', ({ type, principals }) => {
    expect(type.subjects.principals).toEqual(principals.split(' '))
  })

  it.each(samples)('$name never throws, whatever it is given', ({ type }) => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const result = type.validate(JSON.parse(text))
        expect('issues' in result || 'value' in result).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it.each(samples)('$name is not misled by hostile objects', ({ type, minimal, optional }) => {
    const deep = nested(100_000)
    for (const member of Object.keys({ ...minimal, ...optional })) {
      const result = type.validate({ ...minimal, [member]: deep })
      expect('issues' in result || 'value' in result).toBe(true)
      const proto = JSON.parse(`{"__proto__": {"${member}": "x"}, "constructor": 7}`) as object
      expect(issuesOf(type, proto)).toEqual(issuesOf(type, {}))
    }
    expect(issuesOf(type, { ...minimal, deep })).toEqual([])
  })
})

describe('checkPayload', () => {
  it('names the type and every member that does not fit', () => {
    const error = setErrorOf(() => checkPayload(CredentialChange, { change_type: 'lost' }))
    expect(error).toMatchObject({ code: 'ERR_SET_PAYLOAD', err: 'invalid_request' })
    expect(error.message).toBe(
      'the payload of "credential-change" does not fit its definition: "credential_type" is missing; ' +
        '"change_type" must be equal to one of the allowed values: create, revoke, update, delete',
    )
    const payload = {}
    expect(checkPayload(SessionRevoked, payload)).toBe(payload)
  })

  it('has a message of bounded length, without what the peer wrote', () => {
    const reason_user = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x${n}`, n]))
    const { message } = setErrorOf(() => checkPayload(SessionRevoked, { reason_user }))
    expect(message).toMatch(/; and 980 more$/)
    expect(message.length).toBeLessThan(1000)
    expect(message).not.toMatch(/x\d/)
  })
})

describe('the event types of SSF', () => {
  it('SSF-8.1.4.1-1: Verification has its URI', () => {
    expect(Verification.uri).toBe('https://schemas.openid.net/secevent/ssf/event-type/verification')
  })

  it('SSF-8.1.4.1-2: "state" is an optional string', () => {
    expect(issuesOf(Verification, {})).toEqual([])
    expect(issuesOf(Verification, { state: '' })).toEqual([])
    expect(issuesOf(Verification, { state: 7 })).toEqual(['"state" must be string'])
  })

  it('SSF-8.1.5-1: StreamUpdated has its URI', () => {
    expect(StreamUpdated.uri).toBe(
      'https://schemas.openid.net/secevent/ssf/event-type/stream-updated',
    )
  })

  it('SSF-8.1.5-5: "status" is required, "reason" is not', () => {
    for (const status of ['enabled', 'paused', 'disabled']) {
      expect(issuesOf(StreamUpdated, { status })).toEqual([])
      expect(issuesOf(StreamUpdated, { status, reason: 'licence' })).toEqual([])
    }
    expect(issuesOf(StreamUpdated, {})).toEqual(['"status" is missing'])
    expect(issuesOf(StreamUpdated, { status: 'gone' })).toHaveLength(1)
  })

  it('SSF-8.1.4.1-3 SSF-8.1.5-6: both are about a stream, by its opaque identifier', () => {
    for (const type of ssfEventTypes) expect(type.subjects.formats).toEqual(['opaque'])
  })
})
