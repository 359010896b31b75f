import { isObject } from '../json.ts'

/** Judges a member: undefined where it holds, else what it must be: `'must be …'`. */
export type MemberCheck = (value: unknown) => string | undefined

/** One Identifier Format: what its identifiers must have. */
export interface IdentifierFormat {
  /** The required members. An identifier of the format is named by these and by nothing else. */
  readonly members: Readonly<Record<string, MemberCheck>>
  /** True where more members are described elsewhere. Default: these are all. */
  readonly open?: boolean
}

/** Identifier Formats by name. */
export type IdentifierFormats = Readonly<Record<string, IdentifierFormat>>

const text: MemberCheck = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a non-empty string'

const textLike =
  (pattern: RegExp, advice: string): MemberCheck =>
  (value) =>
    text(value) ?? (pattern.test(value as string) ? undefined : advice)

/**
 * `local@domain` without white space: RFC 9493 wants an addr-spec; deliverability cannot be
 * checked.
 */
const address = textLike(/^[^\s@]+(?:@[^\s@]+)?@[^\s@]+$/, 'must be an address such as a@b.example')
const acct = textLike(/^acct:[^\s@]+@[^\s@]+$/i, 'must be an acct URI such as acct:a@b.example')
const e164 = textLike(/^\+[1-9]\d{1,14}$/, 'must be an E.164 number such as +12065550100')
const didUrl = textLike(
  /^did:[a-z\d]+:[\w.:%-]+(?:[/?#][\w.~:/?#[\]@!$&'()*+,;=%-]*)?$/i,
  'must be a DID or a DID URL such as did:example:123456',
)
const anyUri = textLike(
  /^[a-z][a-z\d+.-]*:[\w.~:/?#[\]@!$&'()*+,;=%-]*$/i,
  'must be a URI with a scheme',
)

const addresses: MemberCheck = (value) =>
  Array.isArray(value) && value.length > 0 && value.every(isIpAddress)
    ? undefined
    : 'must be an array of IPv4 or IPv6 addresses'

const ipV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/** The URL parser judges IPv6 wherever JavaScript runs; `node:net` is not everywhere. */
const isIpAddress = (value: unknown): boolean =>
  typeof value === 'string' &&
  (ipV4.test(value) || (/^[\d:.a-f]+$/i.test(value) && URL.canParse(`http://[${value}]`)))

/** What identifiers need besides their format's own members is checked where they are read. */
const identifiers: MemberCheck = (value) =>
  Array.isArray(value) && value.length > 0 && value.every(isObject)
    ? undefined
    : 'must be an array of one or more Subject Identifiers'

/**
 * The Identifier Formats that are known everywhere. Others are kept as they come; peers that agree
 * on one of their own describe it in a profile.
 *
 * @see RFC 9493, "Identifier Formats"; OpenID SSF 1.0, "Subject Identifier Formats"; RFC 9967,
 *   "Identifying the Subject of an Event"
 */
export const identifierFormats: IdentifierFormats = {
  account: { members: { uri: acct } },
  aliases: { members: { identifiers } },
  did: { members: { url: didUrl } },
  email: { members: { email: address } },
  'ip-addresses': { members: { 'ip-addresses': addresses } },
  iss_sub: { members: { iss: text, sub: text } },
  jwt_id: { members: { iss: text, jti: text } },
  opaque: { members: { id: text } },
  phone_number: { members: { phone_number: e164 } },
  saml_assertion_id: { members: { issuer: text, assertion_id: text } },
  scim: { members: { uri: text }, open: true },
  uri: { members: { uri: anyUri } },
}

/** The format of a name, where it is known. */
export const formatOf = (
  name: string,
  formats: IdentifierFormats = identifierFormats,
): IdentifierFormat | undefined => (Object.hasOwn(formats, name) ? formats[name] : undefined)
