import type { OptionChecks } from '@drawbridge/core'
import type { PublicJwk, Signer } from './signer.ts'
import { isSigningAlgorithm, type SigningAlgorithm } from './signing-algorithm.ts'

/** How the signing keys of a Transmitter come and go. */
export interface KeyOptions {
  /**
   * How long a key signs before the next takes its place, in days. Default: until
   * `transmitter.rotateKeys()` is called.
   */
  readonly rotateAfterDays?: number
  /**
   * How long a key is published before it signs, and therefore how long Receivers may cache the JWK
   * Set (`max-age`), in seconds, from 60 to 86,400. Default: 300.
   */
  readonly publishAheadSeconds?: number
  /**
   * How long a key is published after the next has taken its place, in seconds; at least 60, for
   * SETs that are under way. Default: 86,400.
   */
  readonly keepSeconds?: number
}

/** The same with the defaults filled in. */
export type KeySettings = KeyOptions &
  Required<Pick<KeyOptions, 'publishAheadSeconds' | 'keepSeconds'>>

/** Checks the options that are about keys. */
export function checkKeyOptions(
  checks: OptionChecks,
  { keys = {}, signers = [] }: { readonly keys?: KeyOptions; readonly signers?: readonly Signer[] },
): void {
  const { rotateAfterDays: days, publishAheadSeconds: ahead, keepSeconds: keep } = keys
  const known = ['rotateAfterDays', 'publishAheadSeconds', 'keepSeconds']
  for (const name of Object.keys(keys)) {
    checks.check(known.includes(name), `"keys.${name}" is not an option`)
  }
  checks.check(isWithin(days, 1, 36_500), '"keys.rotateAfterDays" must be an integer of 1 or more')
  checks.check(
    isWithin(ahead, 60, 86_400),
    '"keys.publishAheadSeconds" must be an integer from 60 to 86400',
  )
  checks.check(
    isWithin(keep, 60, Number.MAX_SAFE_INTEGER),
    '"keys.keepSeconds" must be an integer of 60 or more',
  )
  if (!Array.isArray(signers)) {
    checks.check(false, '"signers" must be an array of signers')
    return
  }
  for (const [index, signer] of signers.entries()) checkSigner(checks, signer, `signers[${index}]`)
  const kids = new Set(signers.map((signer) => signer?.kid))
  checks.check(kids.size === signers.length, '"kid" of each of "signers" must be another')
}

const isWithin = (value: unknown, least: number, most: number): boolean =>
  value === undefined ||
  (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)

function checkSigner(checks: OptionChecks, signer: Partial<Signer> | undefined, at: string): void {
  const { kid, alg, publicJwk = {}, sign } = signer ?? {}
  checks.check(typeof kid === 'string' && kid !== '', `"${at}.kid" must be a text`)
  checks.check(typeof sign === 'function', `"${at}.sign" must be a function`)
  checks.check(
    !('d' in publicJwk || 'k' in publicJwk),
    `"${at}.publicJwk" must be a public key, without what is private in it`,
  )
  if (!isSigningAlgorithm(alg)) {
    checks.check(false, `"${at}.alg" must be "RS256", "PS256", "ES256" or "EdDSA"`)
    return
  }
  const { fits, means } = keyTypes[alg]
  checks.check(fits(publicJwk), `"${at}.publicJwk" must be ${means}`)
}

interface KeyType {
  readonly fits: (jwk: PublicJwk) => boolean
  /** What would be right. */
  readonly means: string
}

/** @see RFC 7518, "Digital Signature with RSASSA-PKCS1-v1_5" */
const shortestModulusBits = 2048

const rsa: KeyType = {
  fits: ({ kty, n, e }) => kty === 'RSA' && bitsOf(n) >= shortestModulusBits && bitsOf(e) > 1,
  means: `an RSA key of ${shortestModulusBits} bits or more, with "kty", "n" and "e"`,
}

const keyTypes: Readonly<Record<SigningAlgorithm, KeyType>> = {
  RS256: rsa,
  PS256: rsa,
  ES256: {
    fits: ({ kty, crv, x, y }) => kty === 'EC' && crv === 'P-256' && bitsOf(x) > 0 && bitsOf(y) > 0,
    means: 'a P-256 key, with "kty", "crv", "x" and "y"',
  },
  EdDSA: {
    fits: ({ kty, crv, x }) => kty === 'OKP' && crv === 'Ed25519' && bitsOf(x) > 0,
    means: 'an Ed25519 key, with "kty", "crv" and "x"',
  },
}

/** The length of a number in base64url, without zeros at its beginning. */
function bitsOf(value: unknown): number {
  if (typeof value !== 'string') return 0
  const hex = Buffer.from(value, 'base64url').toString('hex')
  return hex === '' ? 0 : BigInt(`0x${hex}`).toString(2).length
}
