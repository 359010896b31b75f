import { describe, expect, it } from '@jest/globals'
import {
  account,
  aliases,
  complex,
  did,
  email,
  ipAddresses,
  issSub,
  jwtId,
  opaque,
  phoneNumber,
  samlAssertionId,
  scim,
  uri,
  type Subject,
} from '@drawbridge/schema'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import { tokenRevocationEvent, type TokenRevocationOptions } from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { alice, idp, noon } from './signals.ts'

const clock = manualClock(noon * 1000 + 250)
const options = { issuer: idp, clock, newId: () => 'req-1' }
const mail = email('alice@app.example')

const subjectOf = (body: unknown, more: Partial<TokenRevocationOptions> = {}): Subject =>
  tokenRevocationEvent(body, { ...options, ...more }).subject

describe('tokenRevocationEvent', () => {
  it('issues the signal as the identity provider, now', () => {
    expect(tokenRevocationEvent({ sub_id: alice }, options)).toMatchObject({
      type: TokensRevoked.uri,
      payload: {},
      subject: alice,
      iss: idp,
      jti: 'req-1',
      iat: noon,
      time: noon + 0.25,
    })
  })
  it.each<Subject>([
    alice,
    mail,
    account('acct:alice@app.example'),
    did('did:example:alice'),
    phoneNumber('+12065550100'),
    scim('/Users/1'),
    uri('urn:example:alice'),
    aliases(alice, mail),
  ])('takes a user by $format', (subject) => {
    expect(subjectOf({ sub_id: subject })).toEqual(subject)
  })
  it('takes the name that the member had before, which Okta documents', () => {
    expect(subjectOf({ subject: mail })).toEqual(mail)
  })
  it.each([opaque('u-1'), aliases(alice, opaque('u-1'))])(
    'says that an opaque id is the user’s',
    (user) => {
      expect(subjectOf({ sub_id: user })).toEqual(complex({ user }))
    },
  )
  it('overlooks what nobody describes', () => {
    expect(subjectOf({ sub_id: alice, reason: 'left' })).toEqual(alice)
  })
  it.each<[string, string, unknown]>([
    ['ERR_SET_CLAIM', 'the body must be a JSON object', undefined],
    ['ERR_SET_CLAIM', 'the body must be a JSON object', [alice]],
    ['ERR_SET_CLAIM', '"sub_id" must be there', {}],
    ['ERR_SET_CLAIM', '"subject" must not be there', { sub_id: alice, subject: alice }],
    ['ERR_SET_SUBJECT', '"sub_id"', { sub_id: 'alice' }],
    ['ERR_SET_SUBJECT', '"subject.format"', { subject: {} }],
    ['ERR_SET_SUBJECT', '"sub_id.sub"', { sub_id: { format: 'iss_sub', iss: idp } }],
    ['ERR_SET_SUBJECT', '"sub_id.format"', { sub_id: { format: 'employee', number: 1 } }],
    ['ERR_SET_SUBJECT', '"sub_id.format"', { sub_id: complex({ user: alice }) }],
    ['ERR_SET_SUBJECT', '"sub_id.format"', { sub_id: ipAddresses('192.0.2.1') }],
    ['ERR_SET_SUBJECT', '"sub_id.format"', { sub_id: jwtId(idp, 't-1') }],
    ['ERR_SET_SUBJECT', '"sub_id.format"', { sub_id: samlAssertionId(idp, 'a-1') }],
    ['ERR_SET_SUBJECT', '"sub_id.format"', { sub_id: aliases(alice, jwtId(idp, 't-1')) }],
  ])('refuses with %s: %s', (code, text, body) => {
    const refusal = { name: 'SetError', code, message: expect.stringContaining(text) }
    expect(() => subjectOf(body)).toThrow(expect.objectContaining(refusal))
  })
  it('takes the formats alone that the application can find users by', () => {
    const formats = ['iss_sub']
    expect(subjectOf({ sub_id: alice }, { formats })).toEqual(alice)
    expect(() => subjectOf({ sub_id: mail }, { formats })).toThrow('must be one of iss_sub')
    const both = aliases(alice, issSub(idp, 'other'))
    expect(() => subjectOf({ sub_id: both }, { formats })).toThrow('must be one of iss_sub')
    expect(subjectOf({ sub_id: both }, { formats: ['aliases', 'iss_sub'] })).toEqual(both)
  })
  it('judges its options together', () => {
    const wrong = { issuer: 1, formats: ['iss_sub', 'jwt_id'], clock: 1, newId: 1, audience: 'a' }
    expect(() => tokenRevocationEvent({}, wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"audience" is not an option',
          '"issuer" must name the identity provider that the request is from',
          '"clock" must have "now"',
          '"newId" must be a function',
          expect.stringContaining('"formats" must be an array of some of account'),
        ],
      }),
    )
    for (const formats of [[], 'iss_sub', ['complex']]) {
      expect(() => subjectOf({ sub_id: alice }, { formats: formats as never })).toThrow('"formats"')
    }
    expect(() => tokenRevocationEvent({}, undefined as never)).toThrow('"issuer"')
  })
})
