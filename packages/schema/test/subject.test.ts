import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  account,
  aliases,
  checkEventSubject,
  checkWrittenSubject,
  complex,
  did,
  email,
  ipAddresses,
  isComplex,
  issSub,
  jwtId,
  opaque,
  phoneNumber,
  readSubject,
  samlAssertionId,
  scim,
  subjectMembers,
  subjectOf,
  unprocessedMember,
  uri,
  type IdentifierFormats,
  type SubjectIdentifier,
} from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { IdentifierChanged, IdentifierRecycled } from '@drawbridge/schema/risc'
import { aSubject, setErrorOf } from './support.ts'

const messageOf = (value: unknown): string => setErrorOf(() => readSubject(value)).message

describe('readSubject', () => {
  it('returns every subject that Drawbridge makes, unchanged', () => {
    fc.assert(
      fc.property(aSubject, (subject) => {
        expect(readSubject(JSON.parse(JSON.stringify(subject)))).toEqual(subject)
      }),
    )
  })

  it('SSF-3.2-1 SUBID-3-1: wants an object with a format', () => {
    for (const value of [undefined, null, 'alice', 7, [], [opaque('x')]]) {
      expect(messageOf(value)).toBe('"sub_id" must be a Subject Identifier, an object')
    }
    for (const value of [{}, { format: '' }, { format: 7 }, { id: 'x' }]) {
      expect(messageOf(value)).toContain('"sub_id.format" must name')
    }
  })

  it('SUBID-3-1: says with which code for the wire', () => {
    expect(setErrorOf(() => readSubject(null))).toMatchObject({
      name: 'SetError',
      code: 'ERR_SET_SUBJECT',
      err: 'invalid_request',
    })
  })

  it.each([
    ['SUBID-3.2.2-1', 'email', email('a@b.example'), ['email']],
    ['SUBID-3.2.3-1', 'iss_sub', issSub('https://idp.example', 'alice'), ['iss', 'sub']],
    ['SUBID-3.2.4-1', 'opaque', opaque('x'), ['id']],
  ])('%s SUBID-3-3: %s needs its members, none empty', (_id, _format, subject, members) => {
    expect(readSubject(subject)).toBe(subject)
    for (const member of members) {
      for (const content of [undefined, null, '', 7, {}, []]) {
        expect(messageOf({ ...subject, [member]: content })).toContain(
          `"sub_id.${member}" must be a non-empty string`,
        )
      }
    }
  })

  const aliasNames = (count: number): SubjectIdentifier[] =>
    Array.from({ length: count }, (_, place) => opaque(String(place)))

  it.each([
    ['SUBID-3.2.1-1', account('acct:a@b.example'), 'uri', ['a@b.example', 'acct:a', 'acct:', 7]],
    [
      'SUBID-3.2.5-1',
      phoneNumber('+12065550100'),
      'phone_number',
      ['12065550100', '+0123', '+1 2'],
    ],
    ['SUBID-3.2.6-1', did('did:example:123/path?q#f'), 'url', ['example:123', 'did:', 'did:x:', 7]],
    ['SUBID-3.2.7-1', uri('urn:example:a'), 'uri', ['example', 'http://a b', '1x:y', '', null]],
    ['SUBID-3.2.8-1', aliases(opaque('x')), 'identifiers', [[], {}, 'x', ['x'], [null]]],
    ['SSF-3.5.1-1', jwtId('https://idp.example', 'j'), 'jti', ['', 7, undefined]],
    ['SSF-3.5.1-1', jwtId('https://idp.example', 'j'), 'iss', ['', 7, undefined]],
    ['SSF-3.5.2-1', samlAssertionId('https://idp.example', 'a'), 'issuer', ['', 7, undefined]],
    ['SSF-3.5.2-1', samlAssertionId('https://idp.example', 'a'), 'assertion_id', ['', null]],
    [
      'SSF-3.5.3-1',
      ipAddresses('192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1'),
      'ip-addresses',
      [[], '192.0.2.1', ['192.0.2.256'], ['1.2.3'], ['1.2.3.4.'], ['::g'], ['fe80::1%eth0'], [7]],
    ],
    ['RFC 9967', scim('/Users/1', { externalId: 'x' }), 'uri', ['', 7, undefined]],
  ])('%s SUBID-3-3: %j needs its "%s"', (_id, subject, member, contents) => {
    expect(readSubject(subject)).toBe(subject)
    for (const content of contents) {
      expect(messageOf({ ...subject, [member]: content })).toContain(`"sub_id.${member}" must be`)
    }
    const { [member]: _gone, ...rest } = subject as unknown as Record<string, unknown>
    expect(messageOf(rest)).toContain(`"sub_id.${member}" must be`)
  })

  it('SUBID-3.2.8-4: aliases do not nest, and hold no complex subject', () => {
    for (const inner of [aliases(opaque('x')), complex({ user: opaque('x') })]) {
      const nestedAliases = { format: 'aliases', identifiers: [opaque('y'), inner] }
      expect(messageOf(nestedAliases)).toContain('"sub_id.identifiers[1]" must be a simple subject')
    }
    expect(messageOf(aliases(opaque('')))).toContain('"sub_id.identifiers[0].id"')
    expect(messageOf(complex({ user: aliases(email('x')) }))).toContain(
      '"sub_id.user.identifiers[0].email"',
    )
  })

  it('SSF-3.1.4-2: a subject is simple or complex, wherever one may be', () => {
    const simple = aliases(...aliasNames(3))
    expect(readSubject(simple)).toBe(simple)
    expect(readSubject(complex({ group: simple }))).toEqual({ format: 'complex', group: simple })
  })

  it('SSF-3.4-2: judges a format that both sides agreed on', () => {
    const formats: IdentifierFormats = {
      'x-badge': {
        members: { number: (value) => (value === 7 ? undefined : 'must be the number 7') },
      },
    }
    const badge = { format: 'x-badge', number: 7 }
    expect(readSubject(badge, 'sub_id', formats)).toBe(badge)
    expect(setErrorOf(() => readSubject({ format: 'x-badge' }, 'sub_id', formats)).message).toBe(
      '"sub_id.number" must be the number 7: the format needs it',
    )
  })

  it('SUBID-3.2.2-1: email is an addr-spec', () => {
    for (const address of ['alice', '@b.example', 'alice@', 'a b@c.example', 'a@b c', 'a@\n']) {
      expect(messageOf(email(address))).toContain('"sub_id.email" must be an address')
    }
    for (const address of ['a@b', 'a+tag@b.example', '"a@b"@c.example', 'ü@b.example']) {
      expect(readSubject(email(address))).toEqual(email(address))
    }
  })

  it('judges a hostile address in no time', () => {
    // With a look back at each "@", it would take minutes.
    const address = `${'a@'.repeat(500_000)} `
    const began = performance.now()
    expect(messageOf(email(address))).toContain('email')
    expect(performance.now() - began).toBeLessThan(20_000)
  })

  it('SSF-3.4-1: keeps a format that it does not know', () => {
    const subject = { format: 'x-own', number: 7, more: { deep: [1] } }
    expect(readSubject(subject)).toBe(subject)
    expect(readSubject({ format: 'toString' })).toEqual({ format: 'toString' })
    expect(readSubject({ format: '__proto__' })).toEqual({ format: '__proto__' })
  })

  it('SSF-3.3-1: a complex subject has at least one member', () => {
    expect(messageOf({ format: 'complex' })).toContain('needs at least one member')
    expect(messageOf({ format: 'complex', user: undefined })).toContain('needs at least one member')
    const subject = complex({ user: opaque('x') })
    expect(readSubject(subject)).toBe(subject)
  })

  it('SSF-3.3-2 SSF-3.3-3: takes every member, also of other names, and judges each', () => {
    const names = ['user', 'device', 'session', 'application', 'tenant', 'org_unit', 'group', 'own']
    const members = Object.fromEntries(names.map((name) => [name, opaque(name)]))
    const subject = complex(members)
    expect(subjectMembers(subject).map(([name]) => name)).toEqual(names)
    expect(readSubject(subject)).toBe(subject)
    for (const name of names) {
      expect(messageOf({ ...subject, [name]: opaque('') })).toContain(`"sub_id.${name}.id"`)
      expect(messageOf({ ...subject, [name]: 'x' })).toContain(`"sub_id.${name}"`)
    }
  })

  it('judges a member named "__proto__" as any other', () => {
    const text = '{"format":"complex","__proto__":{"format":"opaque","id":""}}'
    expect(messageOf(JSON.parse(text))).toContain('"sub_id.__proto__.id"')
  })

  it('SSF-3.3-1: complex subjects do not nest', () => {
    expect(messageOf({ format: 'complex', user: complex({ user: opaque('x') }) })).toContain(
      'complex ones do not nest',
    )
  })

  it('names the member that the caller named', () => {
    expect(setErrorOf(() => readSubject({ format: 'opaque' }, 'subject')).message).toContain(
      '"subject.id"',
    )
  })
})

describe('checkWrittenSubject', () => {
  it('SUBID-3-3: refuses members that the format does not describe, wherever they are', () => {
    const extra = { ...email('a@b.example'), display: 'Alice' }
    for (const subject of [extra, complex({ user: extra }), aliases(opaque('x'), extra)]) {
      expect(readSubject(subject)).toBe(subject)
      expect(setErrorOf(() => checkWrittenSubject(subject)).message).toContain('does not describe')
    }
  })

  it('SUBID-3.2.8-3: writes no name twice among aliases, and reads it', () => {
    const twice = aliases(opaque('x'), email('a@b.example'), opaque('x'))
    expect(readSubject(twice)).toBe(twice)
    for (const subject of [twice, complex({ user: twice })]) {
      expect(setErrorOf(() => checkWrittenSubject(subject)).message).toContain('same name twice')
    }
  })

  it('lets pass what Drawbridge makes, and formats that it does not know', () => {
    fc.assert(
      fc.property(aSubject, (subject) => expect(checkWrittenSubject(subject)).toBe(undefined)),
    )
    expect(checkWrittenSubject(scim('/Users/1', { userName: 'alice' }))).toBe(undefined)
  })
})

describe('checkEventSubject', () => {
  it('RISC-2.5-2 RISC-2.6-2: an identifier that changes is an e-mail or a phone number', () => {
    for (const type of [IdentifierChanged, IdentifierRecycled]) {
      expect(checkEventSubject(type, email('a@b.example'))).toBe(undefined)
      expect(checkEventSubject(type, phoneNumber('+12065550100'))).toBe(undefined)
      const error = setErrorOf(() => checkEventSubject(type, opaque('x')))
      expect(error.message).toContain('must have the format "email" or "phone_number"')
      expect(error.code).toBe('ERR_SET_SUBJECT')
    }
    expect(checkEventSubject(SessionRevoked, opaque('x'))).toBe(undefined)
  })
})

describe('unprocessedMember', () => {
  it('SSF-3.6-3: finds a critical member that the Receiver does not know', () => {
    const members: Record<string, SubjectIdentifier> = { user: opaque('u'), badge: opaque('b') }
    const subject = complex(members)
    expect(unprocessedMember(subject, ['user'])).toBe(undefined)
    expect(unprocessedMember(subject, ['user', 'badge'])).toBe('badge')
    expect(unprocessedMember(subject, ['badge'], ['user', 'badge'])).toBe(undefined)
    expect(unprocessedMember(subject, ['vehicle', 'toString'])).toBe(undefined)
    expect(unprocessedMember(opaque('x'), ['format', 'id'])).toBe(undefined)
  })
})

describe('subjectOf', () => {
  it('takes members without a format for a complex subject', () => {
    const user = issSub('https://idp.example', 'alice')
    const subject = subjectOf({ user })
    expect(subject).toEqual({ format: 'complex', user })
    expect(isComplex(subject)).toBe(true)
  })

  it('takes a subject as it travels', () => {
    expect(subjectOf(opaque('x'))).toEqual(opaque('x'))
    expect(subjectOf(complex({ user: opaque('x') }))).toEqual(complex({ user: opaque('x') }))
  })

  it('refuses what names nobody', () => {
    for (const value of [{}, null, [], 'alice', { format: 'opaque' }]) {
      expect(setErrorOf(() => subjectOf(value as never)).code).toBe('ERR_SET_SUBJECT')
    }
  })
})
