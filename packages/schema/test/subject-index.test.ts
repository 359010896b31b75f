import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  aliases,
  complex,
  email,
  fileSubject,
  issSub,
  lookupSubject,
  matches,
  opaque,
  type StreamMatchRule,
  type Subject,
  type SubjectIdentifier,
} from '../src/index.ts'

const simple: fc.Arbitrary<SubjectIdentifier> = fc.oneof(
  fc.constantFrom('a', 'b').map((name) => email(`${name}@x.example`)),
  fc.constantFrom('a', 'b').map((sub) => issSub('https://idp.example', sub)),
  fc.constantFrom('a', 'b').map(opaque),
)
const identifier = fc.oneof(
  { weight: 4, arbitrary: simple },
  {
    weight: 1,
    arbitrary: fc
      .array(simple, { minLength: 1, maxLength: 3 })
      .map((identifiers) => aliases(...identifiers)),
  },
)
const name = fc.constantFrom('user', 'device', 'session', 'tenant', 'x-other')
const subject: fc.Arbitrary<Subject> = fc.oneof(
  identifier,
  fc.dictionary(name, identifier, { minKeys: 1, maxKeys: 4 }).map(complex),
)
const rule = fc.constantFrom<StreamMatchRule>('stream', 'stream-literal')

/** The subjects that an index over them finds for an event. */
function found(event: Subject, filed: readonly Subject[], by: StreamMatchRule): readonly Subject[] {
  const index = new Map<string, Set<Subject>>()
  const shapes = new Set<string>()
  for (const one of filed) {
    for (const { shape, whole, parts } of fileSubject(one, by)) {
      shapes.add(shape)
      for (const key of [whole, ...parts]) {
        index.set(key, (index.get(key) ?? new Set()).add(one))
      }
    }
  }
  const keys = lookupSubject(event, shapes, by).map(({ key }) => key)
  return filed.filter((one) => keys.some((key) => index.get(key)?.has(one)))
}

describe('the index of subjects', () => {
  it('SSF-8.1.3.1-2 SSF-8.1.3.1-4 SSF-8.1.3.1-5 SSF-8.1.3.1-6: finds exactly what matches', () => {
    fc.assert(
      fc.property(subject, fc.array(subject, { maxLength: 8 }), rule, (event, filed, by) => {
        expect(found(event, filed, by)).toEqual(filed.filter((one) => matches(event, one, by)))
      }),
      { numRuns: 3000 },
    )
  })

  it('says how narrow a subject is, and whether it covers what is looked up', () => {
    const user = opaque('u')
    const [{ shape: broad } = { shape: '' }] = fileSubject(user, 'stream')
    const [{ shape: narrow } = { shape: '' }] = fileSubject(
      complex({ user, device: opaque('d') }),
      'stream',
    )
    const [one, other] = lookupSubject(complex({ user }), [broad, narrow], 'stream')
    expect(one).toMatchObject({ width: 1, isWhole: true })
    expect(other).toMatchObject({ width: 2, isWhole: false })
  })

  it('a subject with too many members or names is refused by name', () => {
    const members = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`m${index}`, opaque('x')]),
    )
    expect(() => fileSubject(complex(members), 'stream')).toThrow('7 members')
    const many = aliases(...Array.from({ length: 65 }, (_, index) => opaque(`${index}`)))
    expect(() => fileSubject(many, 'stream')).toThrow('64 names')
    expect(() => lookupSubject(many, ['["user"]'], 'stream')).toThrow('64 names')
  })
})
