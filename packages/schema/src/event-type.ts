import { SetError } from './errors.ts'
import { isObject } from './json.ts'

/** One thing that is wrong with a value, and where. */
export interface Issue {
  /** What is wrong, in lower case; names the member in double quotes. Holds no text of the peer. */
  readonly message: string
  /** The way to the member, outermost first; empty for the value itself. */
  readonly path?: readonly string[]
}

/**
 * The outcome of a validation: the value, or every issue with it. The shape is that of Standard
 * Schema.
 */
export type Validation<Value> =
  { readonly value: Value; readonly issues?: undefined } | { readonly issues: readonly Issue[] }

/**
 * One event type: what `transmit` and `handle` are given, and typed by.
 *
 * @see OpenID SSF 1.0, "The events Claim"
 */
export interface EventType<Payload extends object = object, Uri extends string = string> {
  /** The event type URI, the member name inside `events`. */
  readonly uri: Uri
  /**
   * The URI without what its family has in common, for people: `session-revoked`,
   * `prov:create:full`.
   */
  readonly name: string
  /** Whom such an event can be about. */
  readonly subjects: EventSubjects
  /** The members of the event object that are described, and checked. There may be others. */
  readonly members: readonly string[]
  /**
   * Checks an event object. Unknown members are no issue (SSF 1.0, "Extensibility"). Never throws
   * where the type has its specification here; see `defineEventType` for the others.
   */
  readonly validate: (payload: unknown) => Validation<Payload>
}

/**
 * Whom the events of a type can be about. Nothing is refused for it: it is there to choose a type
 * by, and to build forms and documentation of.
 *
 * @see OpenID SSF 1.0, "Subject Principals"
 */
export interface EventSubjects {
  /** The kinds of Subject Principal: `user`, `device`, `session`, `tenant`, `stream`. */
  readonly principals: readonly string[]
  /** The formats of Subject Identifier, where the specification of the type allows no other. */
  readonly formats?: readonly string[]
}

/** What a payload of an event type is: `PayloadOf<typeof SessionRevoked>`. */
export type PayloadOf<Type> = Type extends EventType<infer Payload> ? Payload : never

/** A standalone validator as the generator makes it: a predicate that leaves its errors on itself. */
export interface SchemaValidator {
  (value: unknown): boolean
  errors?:
    | readonly {
        readonly instancePath: string
        readonly message?: string
        readonly params: object
      }[]
    | null
}

/** What the generator knows of an event type. */
export interface GeneratedEventType<Uri extends string> {
  readonly uri: Uri
  /** The validator of its own members and, where its family has members in common, of those. */
  readonly validators: readonly [SchemaValidator, SchemaValidator?]
  readonly subjects: EventSubjects
  readonly members: readonly string[]
}

/** Makes an event type of generated validators. */
export function eventTypeOf<Payload extends object, Uri extends string>({
  uri,
  validators: [own, common],
  subjects,
  members,
}: GeneratedEventType<Uri>): EventType<Payload, Uri> {
  return {
    uri,
    name: nameOf(uri),
    subjects,
    members,
    validate: (payload) => {
      const issues = found(own, payload)
      // What is no object has been said once.
      if (common && isObject(payload)) issues.push(...found(common, payload))
      return issues.length > 0 ? { issues } : { value: payload as Payload }
    },
  }
}

const found = (validator: SchemaValidator, payload: unknown): Issue[] =>
  validator(payload) ? [] : (validator.errors ?? []).map(issueOf)

const scimEvents = 'urn:ietf:params:scim:event:'

/** The name that a URI gives its event type. */
export const nameOf = (uri: string): string =>
  uri.startsWith(scimEvents) ? uri.slice(scimEvents.length) : uri.slice(uri.lastIndexOf('/') + 1)

/** A peer decides how many issues there are, and we how long the message is. */
const mostNamed = 20

/**
 * Returns the payload when it fits its type.
 *
 * @throws SetError `ERR_SET_PAYLOAD` (`invalid_request`) that names the members that do not fit
 */
export function checkPayload<Payload extends object>(
  type: EventType<Payload>,
  payload: unknown,
): Payload {
  const result = type.validate(payload)
  if (!result.issues) return result.value
  const { issues } = result
  const rest = issues.length > mostNamed ? [`and ${issues.length - mostNamed} more`] : []
  const problems = [...issues.slice(0, mostNamed).map(describe), ...rest].join('; ')
  throw new SetError(
    'ERR_SET_PAYLOAD',
    'invalid_request',
    `the payload of "${type.name}" does not fit its definition: ${problems}`,
  )
}

type SchemaError = NonNullable<SchemaValidator['errors']>[number]

/** Says in our words what a validator made of a JSON Schema found. */
export function issueOf({ instancePath, message = 'is not valid', params }: SchemaError): Issue {
  const path = instancePath.split('/').slice(1)
  if ('missingProperty' in params) {
    return { message: `"${String(params.missingProperty)}" is missing`, path }
  }
  const allowed =
    'allowedValues' in params ? `: ${(params.allowedValues as unknown[]).join(', ')}` : ''
  // The schema `false`: what may not stand beside another member.
  const problem = message === 'boolean schema is false' ? 'must be absent' : message
  return { message: `${whatIsAt(path) ?? 'the payload'} ${problem}${allowed}`, path }
}

/** Names the member that an issue is about, where its own message does not. */
function describe({ message, path = [] }: Issue): string {
  const name = whatIsAt(path)
  return name === undefined || message.includes('"') ? message : `${name}: ${message}`
}

/** Quotes the outermost member; a name that only a peer can have chosen stays unsaid. */
function whatIsAt([member]: readonly string[]): string | undefined {
  if (member === undefined) return undefined
  return /^[\w-]{1,64}$/.test(member) ? `"${member}"` : 'a member'
}
