import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  complex,
  email,
  isComplex,
  issSub,
  opaque,
  readSubject,
  subjectMembers,
  subjectOf,
} from '@drawbridge/schema'
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

  it('SUBID-3.2.2-1: email is an addr-spec', () => {
    for (const address of ['alice', '@b.example', 'alice@', 'a b@c.example', 'a@b c', 'a@\n']) {
      expect(messageOf(email(address))).toContain('"sub_id.email" must be an address')
    }
    for (const address of ['a@b', 'a+tag@b.example', '"a@b"@c.example', 'ü@b.example']) {
      expect(readSubject(email(address))).toEqual(email(address))
    }
  })

  it('judges a hostile address in no time', () => {
    const address = `${'a@'.repeat(20_000)} `
    const began = performance.now()
    expect(messageOf(email(address))).toContain('email')
    expect(performance.now() - began).toBeLessThan(1000)
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
