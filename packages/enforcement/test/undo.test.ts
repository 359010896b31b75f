import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { AccountDisabled, AccountEnabled } from '@drawbridge/schema/risc'
import { CredentialChange } from '@drawbridge/schema/caep'
import {
  createPolicy,
  memoryLedger,
  readEntry,
  type EnforcementOptions,
  type Ledger,
} from '@drawbridge/enforcement'
import { auditFiles } from '@drawbridge/enforcement/audit'
import { effectsOn, sessionOf, user, watchedNode, type WatchedNode } from './blast-radius.ts'
import { entryWith, idp, noon, passwordChanged, revoked, signal } from './signals.ts'

const everything = { iss: idp, since: new Date(0) }
const none = { shorten: 0, restrict: 0, reauthenticate: 0, suspend: 0, terminate: 0 }
const carriedOut: Partial<EnforcementOptions> = { hooks: { terminate: () => undefined } }

const revoke = async ({ enforcement }: WatchedNode, ...ids: readonly string[]): Promise<void> => {
  for (const id of ids) await enforcement.apply(revoked({ user: user(id) }))
}

/** A conditions' suspension, a cut's challenge, and a cut that ends. */
const takeThree = async ({ enforcement }: WatchedNode): Promise<void> => {
  await enforcement.apply(signal(AccountDisabled, user('a'), { jti: 'disabled' }))
  await enforcement.apply(passwordChanged({ user: user('b') }))
  await enforcement.apply(revoked({ user: user('c') }, { jti: 'ended' }))
}

describe('undo', () => {
  it('gives back conditions and cuts, says what and how many, and reports what was carried out', async () => {
    const node = await watchedNode(carriedOut)
    await takeThree(node)
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['suspend', 'reauthenticate', 'terminate'])
    expect(await node.enforcement.undo({ ...everything, by: 'olga' })).toEqual({
      signals: 2,
      lifted: { ...none, suspend: 1, reauthenticate: 1 },
      terminated: [
        {
          subject: expect.objectContaining({ user: user('c') }),
          cause: expect.objectContaining({ jti: 'ended' }),
          since: noon,
        },
      ],
    })
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['none', 'none', 'terminate'])
    expect(node.acts).toEqual([
      ['effects:undone', { iss: idp, since: 0, signals: 2, terminated: 1, by: 'olga' }],
    ])
  })
  it('gives back what was terminated as well, where the application carries nothing out', async () => {
    const node = await watchedNode()
    await takeThree(node)
    expect(await node.enforcement.undo(everything)).toMatchObject({
      signals: 3,
      lifted: { terminate: 1 },
      terminated: [],
    })
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['none', 'none', 'none'])
  })
  it('is of what was recorded since a time, whatever time the signals name', async () => {
    const node = await watchedNode()
    await node.enforcement.apply(signal(AccountDisabled, user('a'), { at: noon + 59 }))
    await node.clock.advance(1000)
    const since = new Date(node.clock.now())
    await node.enforcement.apply(signal(AccountDisabled, user('b'), { at: noon - 9000 }))
    await node.clock.advance(1000)
    expect(await node.enforcement.undo({ iss: idp, since })).toMatchObject({ signals: 1 })
    expect(effectsOn(node, ['a', 'b'])).toEqual(['suspend', 'none'])
  })
  it('is of one Transmitter, and of nothing that the application took', async () => {
    const other = 'https://other.example'
    const node = await watchedNode({ mandates: { [other]: { issuers: [idp] } } })
    await node.enforcement.apply(signal(AccountDisabled, user('a'), { iss: other }))
    await node.enforcement.take({ on: user('b'), cause: 'incident', effect: 'suspend' })
    expect(await node.enforcement.undo(everything)).toMatchObject({ signals: 0 })
    expect(effectsOn(node, ['a', 'b'])).toEqual(['suspend', 'suspend'])
  })
  it('is not undone by what comes late: repeated, or issued before it', async () => {
    const calls: string[] = []
    const node = await watchedNode({
      hooks: { suspend: () => calls.push('suspend'), terminate: () => calls.push('terminate') },
    })
    const known = signal(AccountDisabled, user('a'))
    await node.enforcement.apply(known)
    await node.enforcement.undo(everything)
    await node.clock.advance(60_000)
    await node.enforcement.apply(known)
    await node.enforcement.apply(signal(AccountDisabled, user('a'), { at: noon + 50 }))
    await node.enforcement.apply(revoked({ user: user('b') }, { at: noon + 59 }))
    expect(effectsOn(node, ['a', 'b'])).toEqual(['none', 'none'])
    expect(node.told('signal:applied').map(({ observed }) => observed)).toEqual([
      false,
      true,
      true,
      true,
    ])
    await node.enforcement.stop()
    expect(calls).toEqual(['suspend'])
  })
  it('ends with its moment: what is issued later counts, in the same second too', async () => {
    const node = await watchedNode()
    await takeThree(node)
    await node.enforcement.undo(everything)
    await node.clock.advance(1)
    await node.enforcement.apply(signal(AccountDisabled, user('a'), { at: noon + 60 }))
    expect(effectsOn(node, ['a'])).toEqual(['suspend'])
  })
  it('gives back what was held above a budget, and no answer takes it again', async () => {
    const mandates = { [idp]: { budget: { principals: 1, perSeconds: 600 } } }
    const node = await watchedNode({ mandates, ...carriedOut })
    await revoke(node, 'a', 'b', 'c')
    const result = await node.enforcement.undo(everything)
    expect(result).toMatchObject({ signals: 2, lifted: { suspend: 2 }, terminated: [{}] })
    await node.enforcement.confirm(idp)
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['terminate', 'none', 'none'])
  })
  it('leaves what was held and confirmed before, for that was carried out', async () => {
    const mandates = { [idp]: { budget: { principals: 1, perSeconds: 600 } } }
    const node = await watchedNode({ mandates, ...carriedOut })
    await revoke(node, 'a', 'b')
    await node.enforcement.confirm(idp)
    const result = await node.enforcement.undo(everything)
    expect(result).toMatchObject({ signals: 0, terminated: [{}, {}] })
    expect(effectsOn(node, ['a', 'b'])).toEqual(['terminate', 'terminate'])
  })
  it('gives back to some sessions what the same signal ended for others', async () => {
    const policy = createPolicy([
      { on: AccountDisabled, kind: 'agent', effect: 'terminate' },
      { on: AccountDisabled, effect: 'suspend' },
    ])
    const node = await watchedNode({ policy, ...carriedOut })
    await node.enforcement.apply(signal(AccountDisabled, user('a')))
    expect(await node.enforcement.undo(everything)).toMatchObject({
      signals: 1,
      lifted: { suspend: 1 },
      terminated: [{}],
    })
    const effectOf = (kind: 'agent' | 'human') =>
      node.enforcement.check({ ...sessionOf('a'), kind }).effect
    expect([effectOf('agent'), effectOf('human')]).toEqual(['terminate', undefined])
  })
  it('gives back what time has ended', async () => {
    const policy = createPolicy([
      { on: CredentialChange, effect: 'reauthenticate', terms: { graceSeconds: 90 } },
    ])
    const node = await watchedNode({ policy, ...carriedOut })
    await node.enforcement.apply(passwordChanged({ user: user('a') }))
    await node.enforcement.undo(everything)
    await node.clock.advance(600_000)
    expect(effectsOn(node, ['a'])).toEqual(['none'])
  })
  it('runs the hook restore, once, with what was taken', async () => {
    const calls: unknown[] = []
    const node = await watchedNode({
      hooks: { restore: ({ effect, cause }) => calls.push([effect, cause.jti]) },
    })
    await node.enforcement.apply(signal(AccountDisabled, user('a'), { jti: 'disabled' }))
    await node.enforcement.undo(everything)
    await node.enforcement.apply(signal(AccountEnabled, user('a'), { at: noon + 70 }))
    await node.enforcement.stop()
    expect(calls).toEqual([['suspend', 'disabled']])
  })
  it('counts nothing twice, and nothing that was lifted before', async () => {
    const node = await watchedNode(carriedOut)
    await takeThree(node)
    await node.enforcement.apply(signal(AccountEnabled, user('a'), { at: noon + 1 }))
    expect(await node.enforcement.undo(everything)).toMatchObject({ signals: 1 })
    expect(await node.enforcement.undo(everything)).toMatchObject({ signals: 0, terminated: [{}] })
    const other = await watchedNode()
    await takeThree(other)
    await other.enforcement.undo(everything)
    expect(await other.enforcement.undo(everything)).toMatchObject({ signals: 0 })
  })
  it('counts nothing that came in a quarantine, for it took nothing', async () => {
    const { enforcement } = await watchedNode()
    await enforcement.quarantine(idp, { reason: 'it is mad' })
    await enforcement.apply(revoked({ user: user('a') }))
    expect(await enforcement.undo(everything)).toMatchObject({ signals: 0, terminated: [] })
  })
  it.each([
    ['name', { name: 'amnesty', iss: idp }],
    ['member', { name: 'release', iss: idp, from: 1, tenants: [] }],
    ['time', { name: 'undo', iss: idp, from: 1 }],
  ])('is read by no release that does not know the %s of an act', (_, act) => {
    const entry = { ...entryWith(), act }
    expect(() => readEntry(JSON.stringify(entry))).toThrow('this release does not know')
  })
  it('is undone after a restart as well, by one entry of the ledger', async () => {
    const kept = memoryLedger()
    const ledger: Ledger = { ...kept }
    const first = await watchedNode({ ledger, ...carriedOut })
    await takeThree(first)
    const before = (await ledger.readAll()).length
    await first.enforcement.undo(everything)
    expect(await ledger.readAll()).toHaveLength(before + 1)
    await first.enforcement.stop()
    // A node without hooks leaves what the act says.
    const second = await watchedNode({ ledger })
    expect(effectsOn(second, ['a', 'b', 'c'])).toEqual(['none', 'none', 'terminate'])
    await second.enforcement.stop()
  })
  it('is remembered beside others, after a restart too', async () => {
    const kept = memoryLedger()
    const ledger: Ledger = { ...kept }
    const first = await watchedNode({ ledger })
    await takeThree(first)
    await first.enforcement.undo(everything)
    await first.clock.advance(60_000)
    await revoke(first, 'd')
    await first.enforcement.undo({ iss: idp, since: new Date(first.clock.now()) })
    await first.enforcement.stop()
    const second = await watchedNode({ ledger })
    expect(effectsOn(second, ['a', 'b', 'c', 'd'])).toEqual(['none', 'none', 'none', 'none'])
    await second.enforcement.stop()
  })
  it('is in the audit record with who did it, as every other act is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'undo-'))
    const mandates = { [idp]: { budget: { principals: 1, perSeconds: 600 } } }
    const node = await watchedNode({ mandates, protect: [user('c')] })
    const { enforcement } = node
    const audit = auditFiles(enforcement.events, { folder })
    await revoke(node, 'a', 'b')
    await enforcement.confirm(idp, { by: 'olga' })
    await revoke(node, 'c', 'd')
    await enforcement.release(idp, { by: 'otto' })
    await enforcement.quarantine(idp, { reason: 'it is mad', by: 'olga' })
    await enforcement.undo({ ...everything, by: 'otto' })
    await enforcement.endQuarantine(idp, { by: 'olga' })
    await audit.stop()
    const [file = ''] = await readdir(folder)
    const lines = (await readFile(join(folder, file), 'utf8')).trim().split('\n')
    await rm(folder, { recursive: true })
    const records = lines.map((line) => JSON.parse(line) as { event: string; by?: string })
    const acts = records.filter(({ event }) => !event.startsWith('signal:'))
    expect(acts.map(({ event, by }) => [event, by])).toEqual([
      ['budget:exceeded', undefined],
      ['budget:confirmed', 'olga'],
      ['budget:exceeded', undefined],
      ['subject:protected', undefined],
      ['budget:released', 'otto'],
      ['transmitter:quarantined', 'olga'],
      ['effects:undone', 'otto'],
      ['transmitter:reinstated', 'olga'],
    ])
    expect(records).toContainEqual(expect.objectContaining({ reason: 'it is mad' }))
  })
  it('names every mistake', async () => {
    const { enforcement } = await watchedNode()
    const wrong = { iss: 'local', since: new Date('never'), from: 1 } as never
    await expect(enforcement.undo(wrong)).rejects.toMatchObject({
      mistakes: [
        '"from" is not an option',
        '"iss" must not be "local": use "giveBack"',
        '"since" must be a valid Date',
      ],
    })
  })
})
