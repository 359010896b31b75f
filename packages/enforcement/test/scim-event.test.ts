import { describe, expect, it } from '@jest/globals'
import { scim, type SecurityEvent } from '@drawbridge/schema'
import { ScimActivate, ScimDeactivate, ScimDelete } from '@drawbridge/schema/scim'
import { scimEvent, type ScimEventOptions, type ScimRequest } from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { alice, idp, noon } from './signals.ts'

const clock = manualClock(noon * 1000 + 250)
const options: ScimEventOptions = { issuer: idp, subject: alice, clock, newId: () => 'req-1' }

const eventOf = (request: Partial<ScimRequest>): SecurityEvent | undefined =>
  scimEvent({ method: 'PATCH', resourceType: 'User', ...request }, options)
const typeOf = (request: Partial<ScimRequest>): string | undefined => eventOf(request)?.type

const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp']
const patch = (...Operations: unknown[]) => ({ body: { schemas, Operations } })
const put = (members: object) => ({
  method: 'PUT',
  body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'a', ...members },
})
const off = { op: 'replace', path: 'active', value: false }
const on = { op: 'replace', path: 'active', value: true }
const user = 'urn:ietf:params:scim:schemas:core:2.0:User'

describe('scimEvent', () => {
  it('issues the signal as the identity provider, now', () => {
    const event = eventOf(patch(off))
    expect(event).toMatchObject({
      type: ScimDeactivate.uri,
      payload: {},
      subject: alice,
      iss: idp,
      jti: 'req-1',
      iat: noon,
      time: noon + 0.25,
      notices: [],
    })
  })
  it('makes the time and an identifier of its own, another for each request', () => {
    const request: ScimRequest = { method: 'DELETE', resourceType: 'User' }
    const before = Date.now() / 1000
    const [one, other] = [1, 2].map(() => scimEvent(request, { issuer: idp, subject: alice }))
    expect(one?.jti).toMatch(/^[\da-f-]{36}$/)
    expect(one?.jti).not.toBe(other?.jti)
    expect(one?.time).toBeGreaterThanOrEqual(before)
    expect(one?.time).toBeLessThanOrEqual(Date.now() / 1000)
  })
  it('names a resource, or the members of a complex subject', () => {
    const request: ScimRequest = { method: 'DELETE', resourceType: 'User' }
    const subjectOf = (subject: ScimEventOptions['subject']) =>
      scimEvent(request, { issuer: idp, subject })?.subject
    expect(subjectOf(scim('/Users/1'))).toEqual(scim('/Users/1'))
    expect(subjectOf({ user: alice })).toEqual({ format: 'complex', user: alice })
  })
})

describe('a SCIM request that deactivates', () => {
  it.each<[string, Partial<ScimRequest>]>([
    ['RFC 7644, and Entra ID with its flag', patch(off)],
    ['Okta', patch({ op: 'replace', value: { active: false } })],
    ['Entra ID without its flag', patch({ op: 'Replace', path: 'active', value: 'False' })],
    ['SailPoint', patch({ op: 'add', value: { active: false } })],
    ['an added attribute', patch({ op: 'Add', path: 'active', value: 'false' })],
    ['a path with its schema', patch({ op: 'replace', path: `${user}:active`, value: false })],
    [
      'names in another case',
      { body: { operations: [{ OP: 'ADD', Path: 'Active', VALUE: false }] } },
    ],
    ['an empty path', patch({ op: 'replace', path: '', value: { active: false } })],
    ['no path, as null', patch({ op: 'replace', path: null, value: { Active: 'FALSE' } })],
    ['a name with its schema', patch({ op: 'replace', value: { [`${user}:active`]: false } })],
    ['attributes by schema', patch({ op: 'replace', value: { [user]: { active: false } } })],
    [
      'an attribute beside others of its schema',
      patch({ op: 'replace', value: { [user]: { title: 'x' }, active: false } }),
    ],
    ['the path of a schema', patch({ op: 'replace', path: user, value: { active: false } })],
    [
      'other operations around it',
      patch({ op: 'add', path: 'title', value: 'x' }, off, {
        op: 'remove',
        path: 'nickName',
      }),
    ],
    ['the last of several', patch(on, { op: 'replace', value: { active: true } }, off)],
    ['PUT', put({ active: false })],
    ['PUT of text', put({ active: 'False' })],
    ['PUT without schemas', { method: 'PUT', body: { userName: 'a', active: false } }],
    ['POST', { ...put({ active: false }), method: 'POST' }],
  ])('by %s', (_, request) => {
    expect(typeOf(request)).toBe(ScimDeactivate.uri)
  })
})

describe('a SCIM request that activates', () => {
  it.each<[string, Partial<ScimRequest>]>([
    ['RFC 7644', patch(on)],
    ['Okta', patch({ op: 'replace', value: { active: true } })],
    ['Entra ID without its flag', patch({ op: 'Replace', path: 'active', value: 'True' })],
    ['the last of several', patch(off, on)],
    ['a value after a removal', patch({ op: 'remove', path: 'active' }, on)],
    ['PUT', put({ active: true })],
    ['POST', { ...put({ active: true }), method: 'POST' }],
  ])('by %s', (_, request) => {
    expect(typeOf(request)).toBe(ScimActivate.uri)
  })
})

describe('a SCIM request that deletes', () => {
  it('has no body', () => {
    expect(typeOf({ method: 'DELETE' })).toBe(ScimDelete.uri)
  })
})

describe('a SCIM request that takes and gives back nothing', () => {
  it.each<[string, Partial<ScimRequest>]>([
    ['a read', { method: 'GET' }],
    ['a change of something else', patch({ op: 'replace', path: 'name.givenName', value: 'A' })],
    [
      'other attributes',
      patch({ op: 'replace', value: { displayName: 'A', 'name.givenName': 'A' } }),
    ],
    ['a removal of "active"', patch({ op: 'Remove', path: 'active' })],
    ['a removal after a value', patch(off, { op: 'remove', path: `${user}:active` })],
    ['null, which is no value', patch({ op: 'replace', path: 'active', value: null })],
    ['PUT without "active"', put({})],
    ['PUT with null', put({ active: null })],
    [
      '"active" of an extension',
      patch({ op: 'replace', path: 'urn:example:1.0:User:active', value: 0 }),
    ],
    ['"active" within an attribute', patch({ op: 'replace', value: { badge: { active: false } } })],
    ['a schema without attributes', patch({ op: 'replace', value: { [user]: null } })],
    ['a group', { ...patch(off), resourceType: 'Group' }],
    ['a group that is deleted', { method: 'DELETE', resourceType: 'Group' }],
  ])('%s', (_, request) => {
    expect(eventOf(request)).toBeUndefined()
  })
})

describe('what is no SCIM request', () => {
  it.each<[string, Partial<ScimRequest>]>([
    ['"Operations"', { body: undefined }],
    ['"Operations"', { body: 'text' }],
    ['"Operations"', { body: {} }],
    ['"Operations"', { body: { Operations: [] } }],
    ['"Operations"', { body: { Operations: { op: 'replace' } } }],
    ['"operations" once', { body: { Operations: [on], operations: [off] } }],
    ['"Operations[1]"', patch(off, 'off')],
    ['"Operations[0].op"', patch({ path: 'active', value: false })],
    ['"Operations[0].op"', patch({ op: 'delete', path: 'active' })],
    ['"op" once', patch({ op: 'add', Op: 'remove', path: 'active', value: false })],
    ['"Operations[0].path"', patch({ op: 'replace', path: ['active'], value: false })],
    ['"Operations[0].path"', patch({ op: 'remove' })],
    ['"Operations[0].value"', patch({ op: 'replace', path: 'active' })],
    ['"Operations[0].value"', patch({ op: 'replace', path: 'active', value: 'no' })],
    ['"Operations[0].value"', patch({ op: 'replace', path: 'active', value: 0 })],
    ['"Operations[0].value"', patch({ op: 'replace', path: 'active', value: ['false'] })],
    ['"Operations[0].value"', patch({ op: 'replace', path: 'active', value: { active: false } })],
    ['"Operations[0].value" must be an object', patch({ op: 'replace', value: [off] })],
    ['"Operations[1].value.active"', patch(on, { op: 'replace', value: { active: 'off' } })],
    ['active" must be there once', patch({ op: 'add', value: { active: true, Active: false } })],
    [
      'active" must be there once',
      patch({ op: 'add', value: { active: true, [user]: { active: false } } }),
    ],
    ['the body must be', { method: 'PUT' }],
    ['the body must be', { method: 'PUT', body: [] }],
    ['"schemas"', { method: 'PUT', body: {} }],
    ['"schemas"', { method: 'POST', body: {} }],
    ['"body.active"', put({ active: 1 })],
  ])('is refused: %s', (text, request) => {
    const refusal = expect.objectContaining({
      name: 'SetError',
      code: 'ERR_SET_CLAIM',
      message: expect.stringContaining(text),
    })
    expect(() => eventOf(request)).toThrow(refusal)
  })
})

describe('the options of scimEvent', () => {
  const mistakesOf = (request: object, given: object): unknown => {
    try {
      return scimEvent(request as ScimRequest, given as ScimEventOptions)
    } catch (error) {
      return (error as { mistakes?: unknown }).mistakes
    }
  }

  it('are judged together', () => {
    const given = { subject: { format: 'iss_sub', iss: idp }, clock: {}, newId: 'id', at: 1 }
    expect(mistakesOf({ method: 'patch' }, given)).toEqual([
      '"at" is not an option',
      expect.stringContaining('"method" must be one of DELETE'),
      '"resourceType" must be the name of a resource type, such as User',
      '"issuer" must name the identity provider that the request is from',
      '"clock" must have "now"',
      '"newId" must be a function',
      expect.stringContaining('"subject.sub" must be a non-empty string'),
    ])
    expect(mistakesOf({ method: 'GET', resourceType: '' }, { ...options, issuer: '' })).toEqual([
      expect.stringContaining('"resourceType"'),
      expect.stringContaining('"issuer"'),
    ])
  })
  it.each(['Users', 'users', 'user'])(
    'do not take %s for another resource type',
    (resourceType) => {
      expect(mistakesOf({ method: 'DELETE', resourceType }, options)).toEqual([
        expect.stringContaining('"resourceType"'),
      ])
    },
  )
  it('have to be there', () => {
    const none = undefined as unknown as object
    expect(mistakesOf(none, none)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('"method"'),
        expect.stringContaining('"issuer"'),
      ]),
    )
  })
})
