import { describe, expect, it } from '@jest/globals'
import { scim } from '@drawbridge/schema'
import {
  ScimActivate,
  ScimAsyncResponse,
  ScimCreateFull,
  ScimCreateNotice,
  ScimDeactivate,
  ScimDelete,
  scimEventTypes,
  ScimFeedAdd,
  ScimFeedRemove,
  ScimPatchFull,
  ScimPatchNotice,
  ScimPutFull,
  ScimPutNotice,
} from '@drawbridge/schema/scim'
import { eventOf, issuesOf } from './event-types-samples.ts'

describe('the event types of SCIM (RFC 9967)', () => {
  it.each([
    [ScimFeedAdd, 'feed:add'],
    [ScimFeedRemove, 'feed:remove'],
    [ScimCreateNotice, 'prov:create:notice'],
    [ScimCreateFull, 'prov:create:full'],
    [ScimPatchNotice, 'prov:patch:notice'],
    [ScimPatchFull, 'prov:patch:full'],
    [ScimPutNotice, 'prov:put:notice'],
    [ScimPutFull, 'prov:put:full'],
    [ScimDelete, 'prov:delete'],
    [ScimActivate, 'prov:activate'],
    [ScimDeactivate, 'prov:deactivate'],
    [ScimAsyncResponse, 'misc:asyncresp'],
  ] as const)('%j has its URI, in lower case, and the rest of it as name', (type, name) => {
    expect(type.uri).toBe(`urn:ietf:params:scim:event:${name}`)
    expect(type.name).toBe(name)
  })

  it('are about a resource that the subject names by its SCIM path', () => {
    const subject = scim('/Users/44f6142df96bd6ab61e7521d9')
    for (const type of scimEventTypes) {
      expect(type.subjects.formats).toEqual([subject.format])
      expect(eventOf(type, {}, { sub_id: subject }).subject).toEqual(subject)
    }
  })
})

describe('what a provisioning event says', () => {
  it.each([[ScimCreateNotice], [ScimPatchNotice], [ScimPutNotice]])(
    '%j names attributes, and has no data',
    (type) => {
      expect(issuesOf(type, { attributes: ['id', 'name.familyName'] })).toEqual([])
      expect(issuesOf(type, {})).toEqual(['"attributes" is missing'])
      expect(issuesOf(type, { attributes: [], data: {} })).toEqual(['"data" must be absent'])
      expect(issuesOf(type, { attributes: ['id', 7] })).toEqual(['"attributes" must be string'])
      expect(type.members).toEqual(['attributes', 'version'])
    },
  )

  it.each([[ScimCreateFull], [ScimPatchFull], [ScimPutFull]])(
    '%j has data, and names no attributes',
    (type) => {
      expect(issuesOf(type, { data: { schemas: [], emails: [{ value: 'x' }] } })).toEqual([])
      expect(issuesOf(type, {})).toEqual(['"data" is missing'])
      expect(issuesOf(type, { data: {}, attributes: ['id'] })).toEqual([
        '"attributes" must be absent',
      ])
      expect(type.members).toEqual(['data', 'version'])
    },
  )

  it('an event that needs nothing has nothing but a version, and a deletion not even that', () => {
    for (const type of [ScimFeedAdd, ScimFeedRemove, ScimActivate, ScimDeactivate]) {
      expect(issuesOf(type, {})).toEqual([])
      expect(issuesOf(type, { version: 7 })).toEqual(['"version" must be string'])
    }
    expect(ScimDelete.members).toEqual([])
    expect(issuesOf(ScimDelete, {})).toEqual([])
  })

  it('the outcome of a request has its method and its status, as strings', () => {
    expect(issuesOf(ScimAsyncResponse, { method: 'DELETE', status: '204' })).toEqual([])
    expect(issuesOf(ScimAsyncResponse, {})).toEqual(['"method" is missing', '"status" is missing'])
    expect(issuesOf(ScimAsyncResponse, { method: 'PUT', status: 200 })).toEqual([
      '"status" must be string',
    ])
    expect(issuesOf(ScimAsyncResponse, { method: 'GET', status: '200' })).toHaveLength(1)
  })
})
