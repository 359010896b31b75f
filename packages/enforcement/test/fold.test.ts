import { describe, expect, it } from '@jest/globals'
import { email, opaque, type SubjectInput } from '@drawbridge/schema'
import { fold, readSession, type Effect, type Who } from '@drawbridge/enforcement'
import { alice, aliceSince, entryWith, idp, laptop, noon, type EntryParts } from './signals.ts'

const later = noon + 600

/** The effect of one entry on one session. */
const effectOf = (entry: EntryParts, who: Who): Effect | undefined =>
  fold([entryWith(entry)], readSession(who, 30), later).effect

const complex = (members: object) => ({ format: 'complex', ...members }) as EntryParts['on'] & {}

describe('a cut', () => {
  it.each([
    [-1, 'terminate'],
    [0, 'terminate'],
    [0.999, 'terminate'],
    [1, undefined],
  ])('at noon meets a session that began %d s after it with %s', (seconds, effect) => {
    expect(effectOf({}, aliceSince(seconds))).toBe(effect)
  })
  it('counts the same second as before, whatever the fractions say', () => {
    expect(effectOf({ since: noon + 0.1 }, aliceSince(0.9))).toBe('terminate')
  })
  it('grants a tolerance where only the local time is known', () => {
    expect(effectOf({}, aliceSince(30, { beganIsLocal: true }))).toBe('terminate')
    expect(effectOf({}, aliceSince(31, { beganIsLocal: true }))).toBeUndefined()
    expect(effectOf({}, aliceSince(30))).toBeUndefined()
  })
  it('needs no time where it names the session itself', () => {
    const session = opaque('s-1')
    expect(effectOf({ on: complex({ user: alice, session }) }, aliceSince(99))).toBe('terminate')
    expect(effectOf({ on: session }, aliceSince(99))).toBe('terminate')
    expect(effectOf({ on: opaque('s-2') }, aliceSince(-99))).toBeUndefined()
  })
  it('that asks to authenticate again is satisfied in the session it names', () => {
    const challenge: EntryParts = { on: opaque('s-1'), effect: 'reauthenticate' }
    expect(effectOf(challenge, aliceSince(0))).toBe('reauthenticate')
    expect(effectOf(challenge, aliceSince(1))).toBeUndefined()
  })
  it('is forgotten when it expires', () => {
    expect(effectOf({ expires: later + 1 }, aliceSince(-1))).toBe('terminate')
    expect(effectOf({ expires: later }, aliceSince(-1))).toBeUndefined()
  })
})

describe('a condition', () => {
  it('holds whenever the session begins, until it is lifted', () => {
    const condition: EntryParts = { on: laptop, effect: 'suspend', reaches: 'all' }
    expect(effectOf(condition, aliceSince(500))).toBe('suspend')
    expect(effectOf({ ...condition, lifted: true }, aliceSince(-1))).toBeUndefined()
  })
})

describe('matching', () => {
  it.each<[string, object, boolean]>([
    ['user and device of the session', { user: alice, device: laptop }, true],
    ['the device, of whatever user', { device: laptop }, true],
    ['another device of the user', { user: alice, device: opaque('phone') }, false],
    ['a tenant, which the session does not say', { device: laptop, tenant: opaque('t') }, false],
  ])('CAEP-3.1-3 SSF-3.3.1-2: an event about %s', (_, members, hit) => {
    expect(effectOf({ on: complex(members) }, aliceSince(-1)) === 'terminate').toBe(hit)
  })
  it('SSF-3.3.1-2: a member that the event leaves out is a wildcard', () => {
    const subject: SubjectInput = { user: alice }
    expect(effectOf({ on: complex({ user: alice }) }, aliceSince(-1))).toBe('terminate')
    expect(effectOf({ on: complex({ user: alice }) }, { ...aliceSince(-1), subject })).toBe(
      'terminate',
    )
  })
})

describe('the mandate', () => {
  it('is the login issuer of the session and no other', () => {
    const foreign: EntryParts = { cause: { iss: 'https://other.example' } }
    expect(effectOf(foreign, aliceSince(-1))).toBeUndefined()
    expect(effectOf(foreign, aliceSince(-1, { issuer: 'https://other.example' }))).toBe('terminate')
    expect(effectOf({}, aliceSince(-1, { issuer: 'https://other.example' }))).toBeUndefined()
  })
  it('is not had by an issuer that begins alike', () => {
    expect(effectOf({ cause: { iss: `${idp}/` } }, aliceSince(-1))).toBeUndefined()
  })
})

describe('several entries', () => {
  it('combine to the hardest effect, and each is listed', () => {
    const entries = [
      entryWith({ effect: 'suspend', on: laptop, reaches: 'all' }),
      entryWith({ effect: 'terminate' }),
      entryWith({ effect: 'reauthenticate', cause: { name: 'credential-change' } }),
    ]
    const session = readSession(aliceSince(-1), 30)
    const { effect, taken } = fold(entries, session, later)
    expect(effect).toBe('terminate')
    expect(taken.map(({ entry }) => entry)).toEqual(entries)
  })
})

describe('readSession', () => {
  it('names everything that is missing at once', () => {
    const who = { subject: { user: email('not an address') }, began: new Date('?') } as Who
    expect(() => readSession(who, 30)).toThrow(/"who.began".*"who.subject.user.email"/)
  })
  it('refuses a session that no Transmitter could reach', () => {
    const who: Who = { subject: { user: email('a@b.example') }, began: new Date() }
    expect(() => readSession(who, 30)).toThrow(/"who.issuer"/)
    expect(readSession({ ...who, issuer: idp }, 30).issuer).toBe(idp)
  })
})
