import { SetError } from './errors.ts'

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
  /** The last segment of the URI, for people: `session-revoked`. */
  readonly name: string
  /** Checks an event object. Unknown members are no issue (SSF 1.0, "Extensibility"). Never throws. */
  readonly validate: (payload: unknown) => Validation<Payload>
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

/** Makes an event type of a generated validator. */
export function eventTypeOf<Payload extends object, Uri extends string>(
  uri: Uri,
  validator: SchemaValidator,
): EventType<Payload, Uri> {
  return {
    uri,
    name: uri.slice(uri.lastIndexOf('/') + 1),
    validate: (payload) =>
      validator(payload)
        ? { value: payload as Payload }
        : { issues: (validator.errors ?? []).map(issueOf) },
  }
}

/**
 * Returns the payload when it fits its type.
 *
 * @throws SetError `ERR_SET_PAYLOAD` (`invalid_request`) that names every member that does not fit
 */
export function checkPayload<Payload extends object>(
  type: EventType<Payload>,
  payload: unknown,
): Payload {
  const result = type.validate(payload)
  if (!result.issues) return result.value
  const problems = result.issues.map(({ message }) => message).join('; ')
  throw new SetError(
    'ERR_SET_PAYLOAD',
    'invalid_request',
    `the payload of "${type.name}" does not fit its definition: ${problems}`,
  )
}

type SchemaError = NonNullable<SchemaValidator['errors']>[number]

function issueOf({ instancePath, message = 'is not valid', params }: SchemaError): Issue {
  const path = instancePath.split('/').slice(1)
  if ('missingProperty' in params) {
    return { message: `"${String(params.missingProperty)}" is missing`, path }
  }
  const allowed =
    'allowedValues' in params ? `: ${(params.allowedValues as unknown[]).join(', ')}` : ''
  return {
    message: `${path.length > 0 ? `"${path[0]}"` : 'the payload'} ${message}${allowed}`,
    path,
  }
}
