import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of a test. */
export interface Authority {
  /** Its own certificate, in PEM: what a client is to trust. */
  readonly ca: string
  /** Makes a certificate of a server with these names: DNS names and IPv4 addresses. */
  issue(...names: readonly string[]): Certificate
}

/**
 * Makes an authority with a P-256 key. Its certificates are valid from an hour ago until in a day.
 *
 * @see RFC 5280, "Certificate and Certificate Extensions Profile"
 */
export function createAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { privateKey } = keys
  const own = extension(basicConstraints, sequence(boolean(true)), 'critical')
  return {
    ca: certificate(
      { issuer: name, subject: name, of: keys.publicKey, extensions: [own] },
      privateKey,
    ),
    issue: (...names) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const extensions = [extension(subjectAltName, sequence(...names.map(generalName)))]
      const about = { issuer: name, subject: names[0] ?? '', of: pair.publicKey, extensions }
      return {
        cert: certificate(about, privateKey),
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

interface About {
  readonly issuer: string
  readonly subject: string
  readonly of: KeyObject
  readonly extensions: readonly Buffer[]
}

function certificate({ issuer, subject, of, extensions }: About, key: KeyObject): string {
  const now = Date.now()
  const body = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sequence(oid(ecdsaWithSha256)),
    distinguishedName(issuer),
    sequence(utcTime(now - 3_600_000), utcTime(now + 86_400_000)),
    distinguishedName(subject),
    of.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions)),
  )
  const signature = bitString(sign('sha256', body, key))
  return pem(sequence(body, sequence(oid(ecdsaWithSha256)), signature))
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const ecdsaWithSha256 = [1, 2, 840, 10045, 4, 3, 2]
const commonName = [2, 5, 4, 3]
const subjectAltName = [2, 5, 29, 17]
const basicConstraints = [2, 5, 29, 19]

const distinguishedName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid(commonName), tagged(0x0c, Buffer.from(name)))))

const generalName = (name: string): Buffer =>
  isIP(name) === 4
    ? tagged(0x87, Buffer.from(name.split('.').map(Number)))
    : tagged(0x82, Buffer.from(name))

const extension = (id: readonly number[], value: Buffer, critical?: 'critical'): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value))

// The few forms of DER that a certificate needs: tag, length, content.

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content])
}

const sequence = (...members: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(members))
const context = (index: number, content: Buffer): Buffer => tagged(0xa0 | index, content)
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes)
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]))
const bitString = (bytes: Buffer): Buffer => tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]))

/** `261124223000Z` */
const utcTime = (time: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(time).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

function oid([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(inSevenBits)]))
}

/** Seven bits to a byte; all but the last have the high bit set. */
function inSevenBits(value: number): number[] {
  const last = [value & 0x7f]
  return value < 0x80 ? last : [...inSevenBits(value >> 7).map((byte) => byte | 0x80), ...last]
}
