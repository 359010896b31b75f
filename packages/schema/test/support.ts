import fc from 'fast-check'
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
  SetError,
  subjectKey,
  uri,
  type ComplexSubject,
  type Subject,
  type SubjectIdentifier,
} from '@drawbridge/schema'

/** Few values, so that two drawn at random are often equal. */
const few: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'a" "b', ' ', 'é', '__proto__')

/** Identifiers of every format that is known, and some that are not. */
const anOnlyName: fc.Arbitrary<SubjectIdentifier> = fc.oneof(
  few.map((id) => opaque(id)),
  few.map((local) => email(`${local.replaceAll(' ', '.')}@b.example`)),
  fc.tuple(few, few).map(([iss, sub]) => issSub(iss, sub)),
  few.map((name) => account(`acct:${encodeURIComponent(name)}@b.example`)),
  fc.constantFrom('+12065550100', '+4930123456').map((number) => phoneNumber(number)),
  few.map((name) => did(`did:example:${encodeURIComponent(name)}`)),
  few.map((name) => uri(`urn:example:${encodeURIComponent(name)}`)),
  fc.tuple(few, few).map(([iss, jti]) => jwtId(iss, jti)),
  fc.tuple(few, few).map(([issuer, id]) => samlAssertionId(issuer, id)),
  fc.constantFrom(['192.0.2.1'], ['2001:db8::1', '192.0.2.1']).map((all) => ipAddresses(...all)),
  few.map((path) => scim(path)),
  fc.record({ format: fc.constantFrom('x-badge', 'toString'), id: few, more: few }),
)

export const anIdentifier: fc.Arbitrary<SubjectIdentifier> = fc.oneof(
  { weight: 5, arbitrary: anOnlyName },
  {
    weight: 1,
    arbitrary: fc
      .uniqueArray(anOnlyName, { minLength: 1, maxLength: 3, selector: subjectKey })
      .map((names) => aliases(...names)),
  },
)

const memberNames = ['user', 'device', 'session', 'tenant', 'group', 'of_our_own', '__proto__']

/** Complex subjects with at least one member, out of few names. */
export const aComplexSubject: fc.Arbitrary<ComplexSubject> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...memberNames), anIdentifier), {
    minLength: 1,
    maxLength: 4,
    selector: ([name]) => name,
  })
  .map((members) => complex(Object.fromEntries(members)))

export const aSubject: fc.Arbitrary<Subject> = fc.oneof(anIdentifier, aComplexSubject)

/** The same members in another order. */
export function reordered<Value extends object>(value: Value): Value {
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]): [string, unknown] => [
        name,
        typeof member === 'object' && member !== null && !Array.isArray(member)
          ? reordered(member)
          : member,
      ]),
  ) as Value
}

/** The claims of a SET that holds, with some of them changed. `undefined` takes a claim away. */
export function claims(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const all: Record<string, unknown> = {
    iss: 'https://idp.example',
    iat: 1_750_000_000,
    jti: 'j1',
    aud: 'https://app.example',
    txn: 't1',
    sub_id: issSub('https://idp.example', 'alice'),
    events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
    ...changes,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** What a call throws, or undefined. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

/** The SetError that a call throws. Anything else fails the test. */
export function setErrorOf(call: () => unknown): SetError {
  const error = thrownBy(call)
  if (error instanceof SetError) return error
  throw new Error('no SetError was thrown', { cause: error })
}

/** A value with one object inside the other, `depth` times. */
export function nested(depth: number): unknown {
  let value: unknown = 'x'
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { n: value }
  return value
}
