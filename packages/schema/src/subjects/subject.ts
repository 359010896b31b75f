import { isObject } from '../json.ts'

/** @see RFC 9493, "Account Identifier Format" */
export interface AccountSubject {
  readonly format: 'account'
  /** An `acct:` URI (RFC 7565). */
  readonly uri: string
}

/** @see RFC 9493, "Email Identifier Format" */
export interface EmailSubject {
  readonly format: 'email'
  readonly email: string
}

/** @see RFC 9493, "Issuer and Subject Identifier Format" */
export interface IssSubSubject {
  readonly format: 'iss_sub'
  readonly iss: string
  readonly sub: string
}

/** @see RFC 9493, "Opaque Identifier Format" */
export interface OpaqueSubject {
  readonly format: 'opaque'
  readonly id: string
}

/** @see RFC 9493, "Phone Number Identifier Format" */
export interface PhoneNumberSubject {
  readonly format: 'phone_number'
  /** E.164 with `+`, without spaces. */
  readonly phone_number: string
}

/** @see RFC 9493, "Decentralized Identifier (DID) Format" */
export interface DidSubject {
  readonly format: 'did'
  /** A DID or a DID URL. */
  readonly url: string
}

/** @see RFC 9493, "Uniform Resource Identifier (URI) Format" */
export interface UriSubject {
  readonly format: 'uri'
  readonly uri: string
}

/** @see OpenID SSF 1.0, "JWT ID Subject Identifier Format" */
export interface JwtIdSubject {
  readonly format: 'jwt_id'
  readonly iss: string
  readonly jti: string
}

/** @see OpenID SSF 1.0, "SAML Assertion ID Subject Identifier Format" */
export interface SamlAssertionIdSubject {
  readonly format: 'saml_assertion_id'
  readonly issuer: string
  readonly assertion_id: string
}

/** @see OpenID SSF 1.0, "IP Addresses Subject Identifier Format" */
export interface IpAddressesSubject {
  readonly format: 'ip-addresses'
  /** IPv4 and IPv6 addresses, as the Transmitter saw them. */
  readonly 'ip-addresses': readonly string[]
}

/**
 * A SCIM resource. Members besides `uri` are SCIM attributes that help to find it; two identifiers
 * with one `uri` name the same resource.
 *
 * @see RFC 9967, "Identifying the Subject of an Event"
 */
export interface ScimSubject {
  readonly format: 'scim'
  /** The path of the resource, such as `/Users/2819c223`. */
  readonly uri: string
  readonly externalId?: string
  readonly [attribute: string]: unknown
}

/**
 * Several names of one and the same principal: it matches what any of them matches.
 *
 * @see RFC 9493, "Aliases Identifier Format"
 */
export interface AliasesSubject {
  readonly format: 'aliases'
  readonly identifiers: readonly SubjectIdentifier[]
}

/**
 * A Subject Identifier of a format that this version does not know. Kept as it came; matches only
 * itself, member by member.
 *
 * @see OpenID SSF 1.0, "Subject Identifier Formats"
 */
export interface OtherSubject {
  readonly format: string & {}
  readonly [member: string]: unknown
}

/** A Subject Identifier of one format: a simple subject. */
export type SubjectIdentifier =
  | AccountSubject
  | AliasesSubject
  | DidSubject
  | EmailSubject
  | IpAddressesSubject
  | IssSubSubject
  | JwtIdSubject
  | OpaqueSubject
  | PhoneNumberSubject
  | SamlAssertionIdSubject
  | ScimSubject
  | UriSubject
  | OtherSubject

/**
 * The members of a complex subject: together they name one Subject Principal, and a member that is
 * absent is a wildcard. Other member names may occur.
 *
 * @see OpenID SSF 1.0, "Complex Subject Members"
 */
export interface ComplexSubjectMembers {
  readonly user?: SubjectIdentifier
  readonly device?: SubjectIdentifier
  readonly session?: SubjectIdentifier
  readonly application?: SubjectIdentifier
  readonly tenant?: SubjectIdentifier
  readonly org_unit?: SubjectIdentifier
  readonly group?: SubjectIdentifier
}

/** @see OpenID SSF 1.0, "Complex Subject Members" */
export interface ComplexSubject extends ComplexSubjectMembers {
  readonly format: 'complex'
}

/** What an event is about: `sub_id`. */
export type Subject = SubjectIdentifier | ComplexSubject

/** How an application writes a subject: as on the wire, or just the members of a complex one. */
export type SubjectInput = Subject | (ComplexSubjectInput & { readonly format?: undefined })

/** The members of a complex subject, others than the described ones too. */
export type ComplexSubjectInput = ComplexSubjectMembers & {
  readonly [member: string]: SubjectIdentifier | undefined
}

/** Names an account at a service: `account('acct:alice@service.example')`. */
export const account = (uri: string): AccountSubject => ({ format: 'account', uri })

/** Names a mailbox: `email('a@b.example')`. */
export const email = (address: string): EmailSubject => ({ format: 'email', email: address })

/** Names a principal by issuer and `sub`, as an ID Token does. */
export const issSub = (iss: string, sub: string): IssSubSubject => ({ format: 'iss_sub', iss, sub })

/** Names a thing by an identifier without meaning, such as a session or a device id. */
export const opaque = (id: string): OpaqueSubject => ({ format: 'opaque', id })

/** Names the holder of a telephone number: `phoneNumber('+12065550100')`. */
export const phoneNumber = (number: string): PhoneNumberSubject => ({
  format: 'phone_number',
  phone_number: number,
})

/** Names the subject of a decentralized identifier: `did('did:example:123456')`. */
export const did = (url: string): DidSubject => ({ format: 'did', url })

/** Names a thing by a URI. It is never dereferenced. */
export const uri = (text: string): UriSubject => ({ format: 'uri', uri: text })

/** Names a token by its issuer and `jti`. */
export const jwtId = (iss: string, jti: string): JwtIdSubject => ({ format: 'jwt_id', iss, jti })

/** Names a SAML assertion by its issuer and id. */
export const samlAssertionId = (issuer: string, id: string): SamlAssertionIdSubject => ({
  format: 'saml_assertion_id',
  issuer,
  assertion_id: id,
})

/** Names whoever was seen at these addresses. Their order counts when subjects are compared. */
export const ipAddresses = (...addresses: readonly string[]): IpAddressesSubject => ({
  format: 'ip-addresses',
  'ip-addresses': addresses,
})

/** Names a SCIM resource by its path: `scim('/Users/2819c223')`. */
export const scim = (
  path: string,
  attributes: Readonly<Record<string, unknown>> = {},
): ScimSubject => ({ ...attributes, format: 'scim', uri: path })

/** Names one principal by several simple subjects. */
export const aliases = (...identifiers: readonly SubjectIdentifier[]): AliasesSubject => ({
  format: 'aliases',
  identifiers,
})

/** Names one principal by several members: `complex({ user, device })`. */
export function complex(members: ComplexSubjectInput): ComplexSubject {
  // First: a member that is added to a spread object costs twenty times as much on Node 20.
  const subject: ComplexSubject & { format: 'complex' } = { format: 'complex', ...members }
  subject.format = 'complex'
  return subject
}

/** Tells whether a subject is a complex one. */
export const isComplex = (subject: Subject): subject is ComplexSubject =>
  subject.format === 'complex'

/** The members of a complex subject with their names, absent ones left out. */
export function subjectMembers(
  subject: ComplexSubject,
): readonly (readonly [name: string, identifier: SubjectIdentifier])[] {
  return Object.entries(subject).filter(
    (entry): entry is [string, SubjectIdentifier] => entry[0] !== 'format' && isObject(entry[1]),
  )
}

/** The names of a principal: the identifiers of aliases, else the identifier alone. */
export const namesOf = (identifier: SubjectIdentifier): readonly SubjectIdentifier[] =>
  identifier.format === 'aliases' ? (identifier as AliasesSubject).identifiers : [identifier]
