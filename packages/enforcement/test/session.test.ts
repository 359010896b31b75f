import { describe, expect, it } from '@jest/globals'
import { email, issSub, opaque } from '@drawbridge/schema'
import { readEntry, readSession, type LedgerEntry, type Who } from '@drawbridge/enforcement'
import { alice, aliceSince, entryWith, idp, noon, revoked, startedNode } from './signals.ts'

function errorOf(work: () => unknown): { readonly code?: string; readonly message?: string } {
  try {
    work()
    return {}
  } catch (error) {
    return error as { readonly code?: string; readonly message?: string }
  }
}

describe('a session', () => {
  it('is read in whole seconds, the tolerance taken off where its clock is local', () => {
    const began = new Date(noon * 1000 + 999)
    expect(readSession({ subject: alice, began }, 30)).toEqual({
      subject: alice,
      issuer: idp,
      began: noon,
      kind: 'human',
    })
    expect(readSession({ subject: alice, began, beganIsLocal: true }, 30).began).toBe(noon - 30)
  })
  it('takes its issuer from its subject, or from the user of it, unless it is written', () => {
    const began = new Date(noon * 1000)
    const issuerOf = (who: Partial<Who>): string =>
      readSession({ subject: alice, began, ...who }, 30).issuer
    expect(issuerOf({})).toBe(idp)
    expect(issuerOf({ subject: { user: alice } })).toBe(idp)
    expect(issuerOf({ issuer: 'https://other.example' })).toBe('https://other.example')
  })
  it.each<[string, Partial<Record<keyof Who, unknown>>, RegExp]>([
    ['without began', { began: undefined }, /"who\.began"/],
    ['whose began is a number', { began: noon }, /"who\.began"/],
    ['whose began is no date', { began: new Date('yesterday') }, /"who\.began"/],
    ['without a subject', { subject: undefined }, /"who\.subject"/],
    ['with a subject of nothing', { subject: {} }, /"who\.subject"/],
    ['with a member that is none', { subject: { user: 'alice' } }, /"who\.subject\.user"/],
    ['whose issuer nobody knows', { subject: { user: opaque('1') } }, /"who\.issuer"/],
    ['whose issuer is empty', { issuer: '' }, /"who\.issuer"/],
    ['whose user names no issuer', { subject: { user: email('a@b.example') } }, /"who\.issuer"/],
    ['of an unknown kind', { kind: 'robot' }, /"who\.kind"/],
    ['with a class that is no text', { acr: 3 }, /"who\.acr"/],
    ['with grants that are no list', { grants: 'read write' }, /"who\.grants"/],
  ])('%s is named and not allowed, by no entry point', async (_, parts, pattern) => {
    const { enforcement } = await startedNode()
    const who = { ...aliceSince(0), ...parts } as Who
    for (const work of [
      () => readSession(who, 30),
      () => enforcement.check(who),
      () => enforcement.explain(who),
      () => enforcement.signal(who),
    ]) {
      const { code, message } = errorOf(work)
      expect(code).toBe('ERR_INVALID_ARG_VALUE')
      expect(message).toMatch(pattern)
    }
  })
  it('has all its mistakes named at once', () => {
    const who = { subject: { user: opaque('1') }, began: 1, kind: 'x', acr: 1, grants: 1 } as never
    for (const name of ['began', 'issuer', 'kind', 'acr', 'grants']) {
      expect(() => readSession(who, 30)).toThrow(`"who.${name}"`)
    }
  })
  it('has the issuer of its delegator where none is named', () => {
    const began = new Date(noon * 1000)
    const key = { subject: { credential: opaque('key-1') }, began }
    const bare = { subject: { device: opaque('d') }, began }
    const issuerOf = (delegator: Who): string => readSession({ ...key, delegator }, 0).issuer
    expect(issuerOf({ subject: { user: issSub(idp, 'alice') }, began })).toBe(idp)
    expect(issuerOf({ ...bare, issuer: 'https://other.example' })).toBe('https://other.example')
    expect(issuerOf({ ...bare, delegator: { ...bare, subject: issSub(idp, 'alice') } })).toBe(idp)
    const nobody = { ...key, delegator: bare }
    expect(() => readSession(nobody, 0)).toThrow(/"who.issuer" must say/)
    for (const broken of [null, 'x', { began }, { began, subject: 7 }]) {
      const who = { ...key, delegator: broken } as unknown as Who
      expect(() => readSession(who, 0)).toThrow(/"who.issuer" must say.*"who.delegator/)
    }
  })
  it('is told in no words of its own', () => {
    const who = { subject: { user: issSub(idp, 'secret-sub') } } as Who
    expect(() => readSession(who, 30)).toThrow(/^(?!.*secret-sub)/s)
  })
})

describe('an entry of a ledger', () => {
  const text = (more: object): string => JSON.stringify({ ...entryWith(), ...more })

  it('is read as it was written', () => {
    const entries: LedgerEntry[] = [
      entryWith(),
      entryWith({ reaches: 'all', lifted: true, expires: noon + 1, also: [opaque('4711')] }),
      entryWith({ effect: 'restrict', terms: { leave: ['read'] } }),
      entryWith({
        instead: [
          { kind: 'agent', effect: 'suspend' },
          { tenant: opaque('t'), effect: 'shorten', terms: { lifetimeSeconds: 5 } },
          { effect: null },
        ],
      }),
    ]
    for (const entry of entries) expect(readEntry(JSON.stringify(entry))).toEqual(entry)
  })
  it.each<[string, object]>([
    ['a member', { until: noon }],
    ['an effect', { effect: 'throttle' }],
    ['a reach', { reaches: 'began-after' }],
    ['a term', { effect: 'reauthenticate', terms: { method: 'passkey' } }],
    ['a term that it cannot carry out', { effect: 'shorten', terms: {} }],
    ['an effect for some', { instead: [{ kind: 'agent', effect: 'throttle' }] }],
    ['a condition for some', { instead: [{ region: 'eu', effect: 'suspend' }] }],
    ['a kind', { instead: [{ kind: 'robot', effect: 'suspend' }] }],
    ['a term for some', { instead: [{ effect: 'restrict', terms: { some: [] } }] }],
  ])('that is of a newer release is an error and not skipped: %s', (_, more) => {
    expect(errorOf(() => readEntry(text(more))).code).toBe('ERR_STORAGE_VERSION')
  })
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a number', '7'],
    ['no subject', JSON.stringify({ ...entryWith(), on: undefined })],
    ['no cause', JSON.stringify({ ...entryWith(), cause: undefined })],
    ['no time', text({ since: 'noon' })],
  ])('that is damaged is an error and not skipped: %s', (_, damaged) => {
    expect(errorOf(() => readEntry(damaged)).code).toBe('ERR_STORAGE_UNAVAILABLE')
  })
})

describe('an event type', () => {
  it('SSF-4.2.3-2: that nobody knows takes nothing, and is announced', async () => {
    const { enforcement, told } = await startedNode()
    const event = { ...revoked({ user: alice }), type: 'https://x.example/unknown' }
    await enforcement.apply(event)
    expect(told('signal:ignored')).toMatchObject([{ type: event.type, jti: event.jti }])
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
})
