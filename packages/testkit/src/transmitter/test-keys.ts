import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto'

/** How a test Transmitter signs. */
export type TestAlgorithm = 'ES256' | 'RS256'

/** The keys of a test Transmitter: one signs, and some are published. */
export interface TestKeys {
  /** Signs a text as the payload of a compact JWS, with members of the header changed or added. */
  sign(payload: string, header?: Readonly<Record<string, unknown>>): string
  /** The JWK Set as it is published. */
  jwks(): { readonly keys: readonly object[] }
  /** Signs with a new key from now on. What was published stays so, unless `dropOld`. */
  rotate(options?: { readonly dropOld?: boolean }): void
}

interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

/** Makes the keys of a test Transmitter. */
export function createTestKeys(alg: TestAlgorithm): TestKeys {
  let made = 0
  const make = (): TestKey => ({ kid: `key-${++made}`, ...pairOf(alg) })
  let active = make()
  let published: readonly TestKey[] = [active]
  return {
    sign: (payload, header = {}) => {
      const head = { alg, kid: active.kid, typ: 'secevent+jwt', ...header }
      const input = `${base64url(JSON.stringify(head))}.${base64url(payload)}`
      const { privateKey: key } = active
      const signature = signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
    jwks: () => ({
      keys: published.map(({ kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        alg,
        use: 'sig',
      })),
    }),
    rotate: ({ dropOld = false } = {}) => {
      active = make()
      published = dropOld ? [active] : [...published, active]
    },
  }
}

const pairOf = (
  alg: TestAlgorithm,
): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } =>
  alg === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 })
