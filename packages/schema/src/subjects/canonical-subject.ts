import {
  isComplex,
  subjectMembers,
  type AliasesSubject,
  type ComplexSubject,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
} from './subject.ts'

/** One name for each issuer that is known by several: the others, by the one that counts. */
export type IssuerAliases = Readonly<Record<string, readonly string[]>>

/** Writes every subject in one way. */
export interface Canonical {
  /** Gives the name of an issuer that counts. */
  issuer(iss: string): string
  /**
   * Writes addresses in lower case, telephone numbers without punctuation, and issuers by the name
   * that counts. Gives the very same object back where nothing is to be changed.
   */
  subject(subject: Subject): Subject
}

/** An address in lower case: who writes it by hand does not tell upper case from lower. */
export const canonicalEmail = (address: string): string => address.toLowerCase()

/** A telephone number without what people put in to read it. */
export const canonicalPhoneNumber = (number: string): string => number.replace(/[\s().-]/g, '')

/**
 * Makes the one way in which subjects are written before they are compared. Pure.
 *
 * @see RFC 9493, "Email Identifier Format", "Phone Number Identifier Format"
 */
export function createCanonical(issuerAliases: IssuerAliases = {}): Canonical {
  const names = new Map(
    Object.entries(issuerAliases).flatMap(([name, others]) =>
      others.map((other) => [other, name] as const),
    ),
  )
  const issuer = (iss: string): string => names.get(iss) ?? iss

  const writers: Readonly<Record<string, Writer>> = {
    email: { member: 'email', write: canonicalEmail },
    phone_number: { member: 'phone_number', write: canonicalPhoneNumber },
    iss_sub: { member: 'iss', write: issuer },
    jwt_id: { member: 'iss', write: issuer },
  }

  const identifier = (one: SubjectIdentifier): SubjectIdentifier => {
    if (one.format === 'aliases') {
      const { identifiers } = one as AliasesSubject
      const written = identifiers.map(identifier)
      const isSame = written.every((name, place) => name === identifiers[place])
      return isSame ? one : { ...one, identifiers: written }
    }
    const writer = Object.hasOwn(writers, one.format) ? writers[one.format] : undefined
    return writer ? rewrite(one, writer) : one
  }

  return {
    issuer,
    subject: (subject) =>
      isComplex(subject) ? complexOf(subject, identifier) : identifier(subject),
  }
}

/** How the text of one member is written. */
interface Writer {
  readonly member: string
  write(text: string): string
}

function rewrite(one: SubjectIdentifier, { member, write }: Writer): SubjectIdentifier {
  const text = (one as OtherSubject)[member]
  const canonical = typeof text === 'string' ? write(text) : text
  return canonical === text ? one : { ...one, [member]: canonical }
}

function complexOf(
  subject: ComplexSubject,
  write: (identifier: SubjectIdentifier) => SubjectIdentifier,
): ComplexSubject {
  const members = subjectMembers(subject)
  const written = members.map(([name, one]) => [name, write(one)] as const)
  const isSame = written.every(([, one], place) => one === members[place]?.[1])
  return isSame ? subject : { ...Object.fromEntries(written), format: 'complex' }
}
