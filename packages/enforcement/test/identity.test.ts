import { describe, expect, it } from '@jest/globals'
import { email, issSub, opaque, phoneNumber, type SubjectInput } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled, AccountEnabled } from '@drawbridge/schema/risc'
import {
  createPolicy,
  memoryLedger,
  type EnforcementOptions,
  type Who,
} from '@drawbridge/enforcement'
import {
  alice,
  aliceSince,
  compliant,
  idp,
  laptop,
  noon,
  notCompliant,
  revoked,
  signal,
  startedNode,
} from './signals.ts'

const mail = email('alice@corp.example')
const number = opaque('4711')

/** Alice as the application knows her: by its own number. */
const numbered: Who = {
  subject: { user: number },
  began: new Date((noon - 60) * 1000),
  issuer: idp,
}

const known = (subject: SubjectInput): Who => ({ ...numbered, subject })

type Resolve = NonNullable<EnforcementOptions['resolve']>

describe('resolve', () => {
  it.each<[string, Resolve]>([
    ['at once', () => [number]],
    ['later', async () => [number]],
    ['among others', () => [opaque('1'), number]],
  ])('finds what the application calls somebody, %s', async (_, resolve) => {
    const { enforcement } = await startedNode({ resolve })
    expect(enforcement.check(numbered).outcome).toBe('allow')
    await enforcement.apply(signal(AccountDisabled, mail))
    expect(enforcement.check(numbered).outcome).toBe('refuse')
    expect(enforcement.check(known({ user: opaque('4712') })).outcome).toBe('allow')
  })
  it('is asked with the subject and the Transmitter', async () => {
    const asked: unknown[] = []
    const resolve: Resolve = (...args) => {
      asked.push(args)
      return []
    }
    const { enforcement } = await startedNode({ resolve })
    await enforcement.apply(signal(AccountDisabled, email('Alice@Corp.example')))
    expect(asked).toEqual([[mail, idp]])
  })
  it('that throws is no acknowledgement, and nothing is written', async () => {
    const ledger = memoryLedger()
    const resolve: Resolve = () => Promise.reject(new Error('the directory is away'))
    const { enforcement } = await startedNode({ ledger, resolve })
    await expect(enforcement.apply(signal(AccountDisabled, mail))).rejects.toThrow('directory')
    expect(await ledger.readAll()).toEqual([])
    expect(enforcement.check(known({ user: mail })).outcome).toBe('allow')
  })
  it('that does not know is told, and the entry counts all the same', async () => {
    const { enforcement, told } = await startedNode({ resolve: () => undefined })
    await enforcement.apply(signal(AccountDisabled, mail, { jti: 'whose' }))
    expect(told('signal:unresolved')).toMatchObject([{ cause: { jti: 'whose' }, subject: mail }])
    expect(enforcement.check(known({ user: mail })).outcome).toBe('refuse')
  })
  it('that knows that there is none is told nothing of', async () => {
    const { enforcement, told } = await startedNode({ resolve: () => [] })
    await enforcement.apply(signal(AccountDisabled, mail))
    expect(told('signal:unresolved')).toEqual([])
  })
  it('is not needed to give back: a lift finds what was resolved before', async () => {
    let isAway = false
    const { enforcement } = await startedNode({
      resolve: () => {
        if (isAway) throw new Error('the directory is away')
        return [number]
      },
    })
    await enforcement.apply(signal(AccountDisabled, mail))
    isAway = true
    await enforcement.apply(signal(AccountEnabled, mail, { at: noon + 1 }))
    expect(enforcement.check(numbered).outcome).toBe('allow')
  })
  it('gives no Transmitter a session of another login issuer', async () => {
    const { enforcement } = await startedNode({ resolve: () => [number] })
    await enforcement.apply(signal(AccountDisabled, mail, { iss: 'https://other.example' }))
    expect(enforcement.check(numbered).outcome).toBe('allow')
  })
  it('is part of the entry: another node needs not ask', async () => {
    const ledger = memoryLedger()
    const first = await startedNode({ ledger, resolve: () => [number] })
    await first.enforcement.apply(signal(AccountDisabled, mail))
    await first.enforcement.stop()
    const { enforcement } = await startedNode({ ledger })
    expect(enforcement.check(numbered).outcome).toBe('refuse')
  })
})

describe('addresses and numbers', () => {
  it.each<[string, SubjectInput, SubjectInput]>([
    ['an address of a signal', email('Alice@Corp.Example'), mail],
    ['an address of a session', mail, email('aLICE@CORP.example')],
  ])('%s is the same however it is written', async (_, said, user) => {
    const { enforcement } = await startedNode()
    const who = known({ user } as SubjectInput)
    const signalOf = enforcement.signal(who)
    await enforcement.apply(signal(AccountDisabled, said))
    expect(enforcement.check(who).outcome).toBe('refuse')
    expect(signalOf.aborted).toBe(true)
    await enforcement.apply(signal(AccountEnabled, user, { at: noon + 1 }))
    expect(enforcement.check(who).outcome).toBe('allow')
  })
})

describe('a telephone number', () => {
  it('of a Transmitter that is tolerated is the same however it is written', async () => {
    const { enforcement } = await startedNode()
    const who = known({ user: phoneNumber('+12065550100') })
    const strict = signal(AccountDisabled, phoneNumber('+12065550100'))
    const subject = { format: 'phone_number', phone_number: '+1 (206) 555-0100' } as const
    await enforcement.apply({ ...strict, subject })
    expect(enforcement.check(who).outcome).toBe('refuse')
  })
})

describe('issuer aliases', () => {
  const old = 'https://old.example'
  const issuerAliases = { [idp]: [old] }
  const inOldName = (seconds: number): Who =>
    aliceSince(seconds, { subject: { user: issSub(old, 'alice'), device: laptop } })

  it('are names of one issuer, of a session and of a SET alike', async () => {
    for (const [said, who] of [
      [revoked({ user: alice }), inOldName(-60)],
      [revoked({ user: issSub(old, 'alice') }, { iss: old }), aliceSince(-60)],
      [revoked({ user: alice }, { iss: old }), aliceSince(-60, { issuer: idp })],
      [notCompliant({ device: laptop }), aliceSince(-60, { issuer: old })],
    ] as const) {
      const { enforcement } = await startedNode({ issuerAliases })
      expect(enforcement.check(who).outcome).toBe('allow')
      await enforcement.apply(said)
      expect(enforcement.check(who).outcome).toBe('refuse')
    }
  })
  it('let one lift what it took under its other name', async () => {
    const { enforcement } = await startedNode({ issuerAliases })
    await enforcement.apply(notCompliant({ device: laptop }, { iss: old }))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
  it('hold in mandates: for who has them, and for whose sessions', async () => {
    const mdm = 'https://mdm.example'
    const { enforcement } = await startedNode({
      issuerAliases: { ...issuerAliases, [mdm]: ['https://mdm-old.example'] },
      mandates: { 'https://mdm-old.example': { issuers: [old] } },
    })
    await enforcement.apply(notCompliant({ device: laptop }, { iss: mdm }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
  })
  it('hold in rules: for whose SETs they are', async () => {
    for (const [iss, said] of [
      [idp, old],
      [old, idp],
      [old, old],
    ] as const) {
      const policy = createPolicy([{ on: SessionRevoked, iss, effect: 'terminate' }])
      const { enforcement } = await startedNode({ issuerAliases, policy })
      await enforcement.apply(revoked({ user: alice }, { iss: said }))
      expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    }
  })
  it('are not guessed', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }, { iss: old }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
})

describe('a signal that met nobody', () => {
  it('is told, and one that met somebody is not', async () => {
    const asked: unknown[] = []
    const { enforcement, told } = await startedNode({
      sessions: async (subject) => {
        asked.push(subject)
        return [aliceSince(-60)]
      },
    })
    await enforcement.apply(revoked({ user: alice }, { jti: 'met' }))
    await enforcement.apply(revoked({ user: opaque('nobody') }, { jti: 'nobody' }))
    await enforcement.stop()
    expect(asked.length).toBeGreaterThan(1)
    expect(told('signal:unmatched')).toMatchObject([{ cause: { jti: 'nobody' } }])
  })
  it('stays in the ledger', async () => {
    const { enforcement } = await startedNode({ sessions: () => [] })
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
  })
  it('is not told of where nobody has said which sessions there are, or for a lift', async () => {
    const without = await startedNode()
    await without.enforcement.apply(revoked({ user: alice }))
    const { enforcement, told } = await startedNode({ sessions: () => [aliceSince(-60)] })
    await enforcement.apply(notCompliant({ device: laptop }))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    await enforcement.stop()
    expect([...without.told('signal:unmatched'), ...told('signal:unmatched')]).toEqual([])
  })
})
