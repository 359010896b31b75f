import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { settled } from '@drawbridge/testkit'
import { signWith, type SigningKey } from '../src/keys/signing-key.ts'
import { createMinter, type Minter, type MinterContext } from '../src/minter.ts'
import { call, createStream, makeTransmitter, poll, user } from './support.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const sign = signWith(privateKey.export({ format: 'jwk' }), 'ES256')

const keyNamed = (kid: string): SigningKey => ({ kid, alg: 'ES256', sign, isOutside: false })
const kidOf = (set: string): string | undefined => decodeProtectedHeader(set).kid
const claimsOf = (number: number): string => JSON.stringify({ jti: `j${number}` })
const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, number) => claimsOf(number))

interface Bench extends Minter {
  /** How often a key was asked for: once for each signature, and once for each SET that is minted. */
  readonly asked: () => number
  /** Another object for a stream, as any change makes one. */
  change(streamId: string): void
  key: SigningKey
}

function bench(...ids: readonly string[]): Bench {
  const streams = new Map(ids.map((id) => [id, { algorithm: 'ES256' }]))
  let asked = 0
  const state = { key: keyNamed('one') }
  const context = {
    settings: { algorithm: 'ES256', profileNamed: () => undefined },
    streams: { find: (id: string) => streams.get(id) },
    keys: {
      signerFor: async () => {
        asked++
        return state.key
      },
    },
  }
  const minter = createMinter(context as unknown as MinterContext)
  return Object.assign(state, minter, {
    asked: () => asked,
    change: (id: string) => void streams.set(id, { algorithm: 'ES256' }),
  })
}

describe('signing ahead', () => {
  it('gives what was signed, once, and signs anew what was not', async () => {
    const minter = bench('s')
    minter.mintAhead('s', many(2))
    expect(minter.asked()).toBe(2)
    const first = await minter.mint('s', claimsOf(0))
    expect(minter.asked()).toBe(3)
    // ECDSA makes another signature each time.
    expect(await minter.mint('s', claimsOf(0))).not.toBe(first)
    const [one, other] = [minter.mint('s', claimsOf(1)), minter.mint('s', claimsOf(1))]
    expect(await one).not.toBe(await other)
    expect(kidOf(await minter.mint('s', claimsOf(7)))).toBe('one')
  })

  it('gives nothing that was signed with another key', async () => {
    const minter = bench('s')
    minter.mintAhead('s', many(1))
    await minter.mint('s', claimsOf(9))
    minter.key = keyNamed('two')
    expect(kidOf(await minter.mint('s', claimsOf(0)))).toBe('two')
  })

  it('gives nothing to a stream that has changed since, or to another one', async () => {
    const minter = bench('s', 't')
    const early = async (change: () => void): Promise<boolean> => {
      let signatures = 0
      minter.key = {
        ...keyNamed('one'),
        sign: (data) => {
          signatures++
          return sign(data)
        },
      }
      minter.mintAhead('s', many(1))
      await settled()
      change()
      await settled()
      const before = signatures
      await minter.mint('s', claimsOf(0))
      return signatures === before
    }
    expect(await early(() => undefined)).toBe(true)
    expect(await early(() => minter.change('s'))).toBe(false)
    expect(await early(() => minter.mintAhead('s', [claimsOf(1)]))).toBe(false)
    expect(await early(() => minter.mintAhead('t', many(1)))).toBe(true)
    expect(await early(() => minter.mintAhead('t', many(2000)))).toBe(false)
    // What takes the place of something does not add to it.
    const again = (): void => {
      for (let times = 0; times < 5; times++) minter.mintAhead('s', many(1000))
    }
    expect(await early(again)).toBe(true)
  })

  it('asks no signer outside, and nothing for a stream that is gone', async () => {
    const minter = bench('s')
    let signatures = 0
    const signOutside = async (): Promise<Uint8Array> => {
      signatures++
      return new Uint8Array(64)
    }
    minter.key = { kid: 'kms', alg: 'ES256', sign: signOutside, isOutside: true }
    minter.mintAhead('s', many(3))
    await minter.mint('s', claimsOf(0))
    expect(signatures).toBe(1)
    const asked = minter.asked()
    minter.mintAhead('gone', many(3))
    expect(minter.asked()).toBe(asked)
  })

  it('that fails is tried again when the SET is wanted, and only then told', async () => {
    const minter = bench('s')
    minter.key = { ...keyNamed('broken'), sign: () => Promise.reject(new Error('no')) }
    minter.mintAhead('s', many(1))
    await settled()
    await expect(minter.mint('s', claimsOf(0))).rejects.toThrow()
    minter.mintAhead('s', many(1))
    minter.key = keyNamed('one')
    expect(kidOf(await minter.mint('s', claimsOf(0)))).toBe('one')
  })
})

describe('a Receiver that works off a backlog', () => {
  it('gets every SET once, in order, by the key of that moment', async () => {
    const transmitter = makeTransmitter({ algorithm: 'ES256' })
    await transmitter.start()
    const id = await createStream(transmitter)
    const jtis: string[] = []
    for (let number = 0; number < 7; number++) {
      const { deliveries } = await transmitter.transmit(SessionRevoked, user(`u${number}`), {})
      jtis.push(deliveries[0]?.jti ?? '')
    }
    const got: string[] = []
    const kids: (string | undefined)[] = []
    let ack: string[] = []
    for (let round = 0; round < 4; round++) {
      const { sets } = await poll(transmitter, id, { maxEvents: 2, ack })
      ack = Object.keys(sets)
      got.push(...ack)
      kids.push(...new Set(Object.values(sets).map(kidOf)))
      // The key of now is not to be trusted any more: nothing that it has signed leaves.
      if (round === 1) await transmitter.rotateKeys({ compromised: true })
    }
    expect(got).toEqual(jtis)
    expect([kids[0] === kids[1], kids[1] === kids[2], kids[2] === kids[3]]).toEqual([
      true,
      false,
      true,
    ])
    const jwks = (await (await call(transmitter, 'GET /jwks')).json()) as {
      keys: { kid: string }[]
    }
    expect(jwks.keys.map(({ kid }) => kid)).toContain(kids[3])
    await transmitter.stop()
  })
})
