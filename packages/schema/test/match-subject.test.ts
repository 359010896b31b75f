import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  aliases,
  complex,
  email,
  indexTexts,
  ipAddresses,
  isComplex,
  issSub,
  laneKey,
  lookupTexts,
  matches,
  opaque,
  principalKey,
  scim,
  subjectKey,
  subjectKeys,
  uri,
  type MatchRule,
  type Subject,
  type SubjectIdentifier,
} from '@drawbridge/schema'
import { aComplexSubject, anIdentifier, aSubject, nested, reordered } from './support.ts'

/** Deep equality by comparing sorted members, with nothing of the code under test. */
function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other
  const [a, b] = [one, other].map((value) =>
    Object.entries(value).toSorted(([x], [y]) => (x < y ? -1 : 1)),
  )
  return (
    a?.length === b?.length &&
    !!a?.every(([name, value], index) => name === b?.[index]?.[0] && same(value, b[index]?.[1]))
  )
}

const isAliases = ({ format }: SubjectIdentifier): boolean => format === 'aliases'

/** The same set of names, in any order and number. */
const sameNames = (one: unknown, other: unknown): boolean =>
  [one, other].every((subject, index) =>
    names(subject).every((name) => names([other, one][index]).some((alias) => same(name, alias))),
  )

const membersOf = (subject: object): Map<string, unknown> =>
  new Map(Object.entries(subject).filter(([name]) => name !== 'format'))

/** Aliases are any of their names. */
const names = (subject: unknown): unknown[] =>
  (subject as { identifiers?: unknown[] } | undefined)?.identifiers ?? [subject]

const oneOf = (one: unknown, other: unknown): boolean =>
  one !== undefined && names(one).some((a) => names(other).some((b) => same(a, b)))

/** The rules once more, word by word and slowly. */
function naive(event: Subject, other: Subject, rule: MatchRule): boolean {
  const eventIsComplex = event.format === 'complex'
  const otherIsComplex = other.format === 'complex'
  if (!eventIsComplex && !otherIsComplex) return oneOf(event, other)
  const ofEvent = membersOf(event)
  const ofOther = membersOf(other)
  if (rule !== 'session') {
    const literal = rule === 'stream-literal'
    if (!eventIsComplex) return !literal && oneOf(event, ofOther.get('user'))
    if (!otherIsComplex) return !literal && oneOf(ofEvent.get('user'), other)
    const common = [...ofEvent.keys()].filter((name) => ofOther.has(name))
    if (common.length === 0) return literal
    return common.every((name) => oneOf(ofEvent.get(name), ofOther.get(name)))
  }
  if (!eventIsComplex) return [...ofOther.values()].some((member) => oneOf(member, event))
  if (!otherIsComplex) return ofEvent.size === 1 && oneOf([...ofEvent.values()][0], other)
  return [...ofEvent].every(([name, member]) => oneOf(member, ofOther.get(name)))
}

const alice = issSub('https://idp.example', 'alice')
const bob = issSub('https://idp.example', 'bob')
const laptop = opaque('laptop')
const phone = opaque('phone')
const login = opaque('91c2')

describe('subjectKey', () => {
  it('is the same whatever the order of the members', () => {
    fc.assert(
      fc.property(anIdentifier, (identifier) => {
        expect(subjectKey(reordered(identifier))).toBe(subjectKey(identifier))
      }),
    )
  })

  it('is injective: two identifiers share a key only when they are equal', () => {
    fc.assert(
      fc.property(anIdentifier, anIdentifier, (one, other) => {
        const isSame = isAliases(one) && isAliases(other) ? sameNames(one, other) : same(one, other)
        expect(subjectKey(one) === subjectKey(other)).toBe(isSame)
      }),
      { numRuns: 1000 },
    )
  })

  it('is injective for any text, quotes and spaces included', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
        expect(subjectKey(issSub(a, b)) === subjectKey(issSub(c, d))).toBe(a === c && b === d)
      }),
    )
    expect(subjectKey(issSub('a" "b', 'c'))).not.toBe(subjectKey(issSub('a', 'b" "c')))
  })

  it('survives JSON', () => {
    fc.assert(
      fc.property(aSubject, (subject) => {
        const copy = JSON.parse(JSON.stringify(subject)) as Subject
        expect(principalKey(copy)).toBe(principalKey(subject))
        expect(subjectKeys(copy)).toEqual(subjectKeys(subject))
        expect(indexTexts(copy)).toEqual(indexTexts(subject))
      }),
    )
  })

  it('does not tell an absent member from an undefined one', () => {
    const written = { format: 'opaque', id: 'x', note: undefined }
    expect(subjectKey(written)).toBe(subjectKey(opaque('x')))
  })

  it('tells a missing identifier from any other', () => {
    expect(subjectKey({ format: 'opaque', a: '1' })).not.toBe(
      subjectKey({ format: 'opaque', a: '2' }),
    )
    expect(subjectKey({ format: 'opaque', id: 1 })).not.toBe(subjectKey(opaque('1')))
  })

  it('SUBID-3-3: of a known format, counts the members that it describes and no others', () => {
    const written = { format: 'email', email: 'a@b.example', display: 'Alice' }
    expect(subjectKey(written)).toBe(subjectKey(email('a@b.example')))
    expect(subjectKey(scim('/Users/1', { externalId: 'x' }))).toBe(subjectKey(scim('/Users/1')))
    expect(subjectKey(uri('urn:a:b'))).not.toBe(subjectKey(scim('urn:a:b')))
    expect(matches(written, complex({ user: email('a@b.example') }), 'session')).toBe(true)
  })

  it('holds any depth of nesting', () => {
    const deep = { format: 'x-own', value: nested(200_000) }
    const other = { format: 'x-own', value: nested(200_001) }
    expect(subjectKey(deep)).toBe(subjectKey({ value: nested(200_000), format: 'x-own' }))
    expect(subjectKey(deep)).not.toBe(subjectKey(other))
  })

  it('is JSON with sorted members for a format that is not known', () => {
    const identifier = { format: 'x-own', b: [1, { d: null, c: true }, []], a: {} }
    expect(subjectKey(identifier)).toBe('{"a":{},"b":[1,{"c":true,"d":null},[]],"format":"x-own"}')
  })
})

describe('matches', () => {
  for (const rule of ['stream', 'stream-literal', 'session'] as const) {
    it(`agrees with a naive reading of the rule "${rule}"`, () => {
      let found = 0
      fc.assert(
        fc.property(aSubject, aSubject, (event, other) => {
          const expected = naive(event, other, rule)
          if (expected) found++
          expect(matches(event, other, rule)).toBe(expected)
        }),
        { numRuns: 9000 },
      )
      // About 90 for the rarest rule, as chance has it.
      expect(found).toBeGreaterThan(20)
    })

    it(`matches every subject with itself by the rule "${rule}"`, () => {
      fc.assert(
        fc.property(aSubject, (subject) => {
          expect(matches(subject, reordered(subject), rule)).toBe(true)
        }),
      )
    })
  }

  it('is symmetric by the rule "stream"', () => {
    fc.assert(
      fc.property(aSubject, aSubject, (one, other) => {
        expect(matches(one, other, 'stream')).toBe(matches(other, one, 'stream'))
      }),
      { numRuns: 500 },
    )
  })

  it('CAEP-3.1-3: reaches every session that has the combination of all given members', () => {
    const event = complex({ user: alice, device: laptop })
    const sessions = {
      'alice on her laptop': complex({ user: alice, device: laptop, session: login }),
      'alice on her phone': complex({ user: alice, device: phone }),
      'bob on that laptop': complex({ user: bob, device: laptop }),
      'alice, device unknown': complex({ user: alice }),
    }
    const reached = Object.entries(sessions).filter(([, session]) =>
      matches(event, session, 'session'),
    )
    expect(reached.map(([name]) => name)).toEqual(['alice on her laptop'])
  })

  it('SSF-3.3.1-2: a member that is absent from the event is a wildcard', () => {
    const session = complex({ user: alice, device: laptop, session: login })
    expect(matches(complex({ user: alice }), session, 'session')).toBe(true)
    expect(matches(complex({ session: login }), session, 'session')).toBe(true)
    expect(matches(complex({ user: alice, device: phone }), session, 'stream')).toBe(false)
    expect(matches(complex({ device: laptop }), complex({ user: alice }), 'stream')).toBe(false)
  })

  it('takes a subject without members for nobody, never for everybody', () => {
    expect(matches(complex({}), complex({ user: alice }), 'session')).toBe(false)
    expect(matches(complex({}), alice, 'session')).toBe(false)
    expect(matches(complex({}), complex({ user: alice }), 'stream')).toBe(false)
  })

  it('SSF-8.1.3.1-3: to the letter, complex subjects without a common member match (GAP-3)', () => {
    const [event, added] = [complex({ device: laptop }), complex({ user: alice })]
    expect(matches(event, added, 'stream-literal')).toBe(true)
    expect(matches(event, added, 'stream')).toBe(false)
  })

  it('SSF-8.1.3.1-2: to the letter, a simple subject matches no complex one (GAP-4)', () => {
    const event = complex({ user: alice, session: login })
    expect(matches(event, alice, 'stream-literal')).toBe(false)
    expect(matches(alice, event, 'stream-literal')).toBe(false)
    expect(matches(event, alice, 'stream')).toBe(true)
    expect(matches(alice, event, 'stream')).toBe(true)
  })

  it('SUBID-3.2.8-2: aliases match what any of their names matches', () => {
    const both = aliases(alice, email('alice@b.example'))
    const session = complex({ user: email('alice@b.example'), session: login })
    expect(matches(both, session, 'session')).toBe(true)
    expect(matches(complex({ user: both }), session, 'session')).toBe(true)
    expect(matches(email('alice@b.example'), complex({ user: both }), 'session')).toBe(true)
    expect(matches(aliases(alice, bob), session, 'session')).toBe(false)
    expect(matches(both, aliases(bob, alice), 'stream')).toBe(true)
  })

  it('compares arrays in their order, and members in any (GAP-5)', () => {
    const [one, other] = [ipAddresses('192.0.2.1', '::1'), ipAddresses('::1', '192.0.2.1')]
    expect(matches(one, other, 'stream')).toBe(false)
    expect(matches(one, reordered(one), 'stream')).toBe(true)
  })

  it('tells one format from another with the same text', () => {
    expect(matches(opaque('a@b.example'), email('a@b.example'), 'session')).toBe(false)
  })
})

describe('indexTexts, lookupTexts and subjectKeys', () => {
  it('find everything that matches a session', () => {
    let found = 0
    fc.assert(
      fc.property(aSubject, aSubject, (event, session) => {
        if (!matches(event, session, 'session')) return
        found++
        expect(lookupTexts(session).some((text) => indexTexts(event).includes(text))).toBe(true)
      }),
      { numRuns: 5000 },
    )
    expect(found).toBeGreaterThan(50)
  })

  it('share a key wherever a stream matches', () => {
    fc.assert(
      fc.property(aSubject, aSubject, (event, added) => {
        if (!matches(event, added, 'stream')) return
        const keys = new Set(subjectKeys(added))
        expect(subjectKeys(event).some((key) => keys.has(key))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('file a complex subject under its narrowest member', () => {
    const subject = complex({ tenant: opaque('t'), user: alice, session: login })
    expect(indexTexts(subject)).toEqual(indexTexts(login))
    expect(indexTexts(complex({ tenant: opaque('t'), user: alice }))).toEqual(indexTexts(alice))
  })

  it('SSF-3.3-3: take members with other names too', () => {
    const members: Record<string, SubjectIdentifier> = { vehicle: opaque('v'), user: alice }
    const subject = complex(members)
    expect(subjectKeys(subject)).toEqual([subjectKey(opaque('v')), subjectKey(alice)])
    expect(indexTexts(subject)).toEqual(indexTexts(alice))
  })
})

describe('laneKey', () => {
  it('is the one of the user, so that what concerns one person keeps its order', () => {
    expect(laneKey(complex({ user: alice, device: laptop }))).toBe(laneKey(alice))
    expect(laneKey(complex({ user: alice, session: login }))).toBe(subjectKey(alice))
    expect(laneKey(complex({ device: laptop }))).toBe(principalKey(complex({ device: laptop })))
  })

  it('is the same for equal subjects', () => {
    fc.assert(
      fc.property(aComplexSubject, (subject) => {
        expect(isComplex(subject)).toBe(true)
        expect(laneKey(reordered(subject))).toBe(laneKey(subject))
      }),
    )
  })
})
