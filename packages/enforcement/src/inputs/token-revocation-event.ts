import { checkOptions, type OptionChecks } from '@drawbridge/core'
import {
  complex,
  identifierFormats,
  isObject,
  namesOf,
  readSubject,
  SetError,
  type SecurityEvent,
  type Subject,
  type SubjectIdentifier,
} from '@drawbridge/schema'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import {
  checkInputOptions,
  inputOptionNames,
  issueEvent,
  type InputOptions,
} from './issue-event.ts'

/** Whose request it is, and how it may name users. */
export interface TokenRevocationOptions extends InputOptions {
  /**
   * The Identifier Formats by which users may be named. Default: all that can name one. Leave out
   * those that sessions are not known by, and that `resolve` does not find.
   */
  readonly formats?: readonly string[]
}

/** They never name a user. */
const otherThings: readonly string[] = ['ip-addresses', 'jwt_id', 'saml_assertion_id']

const userFormats: readonly string[] = Object.keys(identifierFormats).filter(
  (format) => !otherThings.includes(format),
)

/**
 * Makes a signal of a Global Token Revocation request, which Okta sends as "Universal Logout": all
 * that the user began until now has ended, and so has what the user had consented to. Pure, but for
 * the time and the `jti`; who sends it must have been established.
 *
 * @throws SetError `ERR_SET_CLAIM` or `ERR_SET_SUBJECT`: answer 400
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 * @see draft-parecki-oauth-global-token-revocation-05, "Revocation Request"; RFC 9493, "Identifier
 *   Formats"
 */
export function tokenRevocationEvent(
  body: unknown,
  options: TokenRevocationOptions,
): SecurityEvent {
  const checks = checkOptions('tokenRevocationEvent')
  checks.known(options ?? {}, [...inputOptionNames, 'formats'])
  checkInputOptions(options ?? {}, checks)
  checkFormats(options?.formats, checks)
  checks.done()
  const subject = subjectIn(body, options.formats ?? userFormats)
  return issueEvent({ type: TokensRevoked, subject }, options)
}

/** Notes mistakes in the formats that are taken. */
export function checkFormats(formats: unknown, { check }: OptionChecks): void {
  const isList =
    Array.isArray(formats) &&
    formats.length > 0 &&
    formats.every((format: string) => userFormats.includes(format))
  check(
    formats === undefined || isList,
    `"formats" must be an array of some of ${userFormats.join(', ')}`,
  )
}

function subjectIn(body: unknown, formats: readonly string[]): Subject {
  if (!isObject(body)) throw invalid('the body must be a JSON object with the member "sub_id"')
  // Until -02 of the draft it was called "subject", and Okta's page on Universal Logout still does.
  const [name, ...others] = ['sub_id', 'subject'].filter((one) => Object.hasOwn(body, one))
  if (name === undefined) throw invalid('"sub_id" must be there')
  if (others.length > 0) throw invalid('"subject" must not be there beside "sub_id"')
  const subject = readSubject(body[name], name) as SubjectIdentifier
  const names = namesOf(subject)
  if (![subject, ...names].every(({ format }) => formats.includes(format))) {
    throw new SetError(
      'ERR_SET_SUBJECT',
      'invalid_request',
      `"${name}.format" must be one of ${formats.join(', ')}`,
    )
  }
  // An opaque id does not say what it names: a session or an application may have the same.
  return names.some(({ format }) => format === 'opaque') ? complex({ user: subject }) : subject
}

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_CLAIM', 'invalid_request', message)
