import { describe, expect, it } from '@jest/globals'
import {
  aliases,
  complex,
  createCanonical,
  email,
  issSub,
  jwtId,
  lookupTexts,
  indexTexts,
  opaque,
  phoneNumber,
} from '@drawbridge/schema'

const canonical = createCanonical({ 'https://idp.example': ['idp.example', 'http://idp.example'] })

describe('createCanonical', () => {
  it('SUBID-3.2.2.1-1: writes addresses in lower case, so that both hands write the same', () => {
    expect(canonical.subject(email('Alice@Corp.Example'))).toEqual(email('alice@corp.example'))
  })
  it('writes telephone numbers without punctuation', () => {
    expect(canonical.subject(phoneNumber('+1 (206) 555-01.00'))).toEqual(
      phoneNumber('+12065550100'),
    )
  })
  it('writes issuers by the name that counts, and no others', () => {
    expect(canonical.issuer('idp.example')).toBe('https://idp.example')
    expect(canonical.issuer('https://other.example')).toBe('https://other.example')
    expect(canonical.subject(issSub('http://idp.example', 'a'))).toEqual(
      issSub('https://idp.example', 'a'),
    )
    expect(canonical.subject(jwtId('idp.example', 'j'))).toEqual(jwtId('https://idp.example', 'j'))
  })
  it('reaches into complex subjects and aliases', () => {
    const user = aliases(email('A@b.example'), opaque('X'))
    expect(canonical.subject(complex({ user, device: opaque('D') }))).toEqual(
      complex({ user: aliases(email('a@b.example'), opaque('X')), device: opaque('D') }),
    )
  })
  it('gives the same object back where nothing is to be changed', () => {
    const subject = complex({ user: aliases(email('a@b.example')), device: opaque('Ä') })
    expect(canonical.subject(subject)).toBe(subject)
  })
  it('changes nothing in an identifier that is not of its format', () => {
    const odd = { format: 'email', address: 'A@B' } as const
    expect(canonical.subject(odd)).toBe(odd)
  })
})

describe('an index', () => {
  it.each([
    [email('A@b.example'), email('a@B.EXAMPLE')],
    [phoneNumber('+1 206 5550100'), phoneNumber('+12065550100')],
  ])('files what people write in two ways in one place', (one, other) => {
    expect(indexTexts(one)).toEqual(lookupTexts(other))
  })
})
