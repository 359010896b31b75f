import {
  nameOf,
  type EventSubjects,
  type EventType,
  type Issue,
  type Validation,
} from './event-type.ts'

/**
 * A validator of any library that speaks Standard Schema, version 1.
 *
 * @see Standard Schema, "The Interface"
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    /** The library that made the schema. */
    readonly vendor: string
    /** Says of a value whether it fits; has to say so at once to be of use here. */
    readonly validate: (
      value: unknown,
    ) => StandardResult<Output> | PromiseLike<StandardResult<Output>>
    /** Never there at run time. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a Standard Schema says of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One thing that a Standard Schema finds wrong. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** An event type of one's own, as {@link defineEventType} takes it. */
export interface EventTypeDefinition<Uri extends string, Validate> {
  /** The event type URI: one that nobody else uses. */
  readonly uri: Uri
  /**
   * Checks an event object: a schema of a library that speaks Standard Schema, or a function. Has
   * to answer at once, and should let members pass that it does not know (SSF 1.0,
   * "Extensibility").
   */
  readonly validate: Validate
  /** For people. Default: what follows the last `/` of the URI. */
  readonly name?: string
  /** Whom such an event can be about. Default: nobody knows. */
  readonly subjects?: EventSubjects
}

/**
 * Makes an event type that no specification has. It is used like those: `transmit(PaymentBlocked,
 * …)`, `handle(PaymentBlocked, …)`.
 *
 * The payload's type is what the schema puts out. The texts of its issues are kept, up to 200
 * characters; what the schema throws is passed on. `validate` is called once with `{}` to see that
 * it answers at once.
 *
 * @example
 *   const PaymentBlocked = defineEventType({
 *     uri: 'https://bank.example/event-type/payment-blocked',
 *     validate: z.looseObject({ amount: z.number() }),
 *   })
 *
 * @throws TypeError `ERR_INVALID_ARG_VALUE` that names every mistake: a `uri` that is none, a
 *   `validate` of another kind or that is asynchronous. The event type's own `validate` throws it
 *   too, when a schema turns out to be asynchronous later
 * @see OpenID SSF 1.0, "Events"
 */
export function defineEventType<Payload extends object, Uri extends string>(
  definition: EventTypeDefinition<Uri, StandardSchema<Payload>>,
): EventType<Payload, Uri>
export function defineEventType<Payload extends object, Uri extends string>(
  definition: EventTypeDefinition<Uri, (payload: unknown) => Validation<Payload>>,
): EventType<Payload, Uri>
export function defineEventType(definition: EventTypeDefinition<string, unknown>): EventType {
  const { uri, validate, name, subjects = { principals: [] } } = definition
  const run = validatorOf(validate)
  const mistakes: string[] = []
  if (typeof uri !== 'string' || !URL.canParse(uri)) mistakes.push('"uri" must be a URI')
  if (!run) mistakes.push('"validate" must be a Standard Schema, version 1, or a function')
  else if (isAsynchronous(run)) mistakes.push(asynchronous)
  if (!run || mistakes.length > 0) throw invalidArgument('defineEventType', mistakes)
  return {
    uri,
    name: name ?? nameOf(uri),
    subjects,
    members: [],
    validate: (payload) => validationOf(run(payload)),
  }
}

/** A caller's mistake in the arguments of one factory: every one that was found. */
export const invalidArgument = (factory: string, mistakes: readonly string[]): TypeError =>
  Object.assign(new TypeError(`${factory}: ${mistakes.join('; ')}`), {
    code: 'ERR_INVALID_ARG_VALUE',
    mistakes,
  })

const asynchronous = '"validate" must answer at once: it returned a promise'

type Run = (value: unknown) => unknown

function validatorOf(validate: unknown): Run | undefined {
  // Schemas of some libraries are functions as well, which answer in another way when called.
  const standard = (validate as Partial<StandardSchema> | null | undefined)?.['~standard']
  if (standard === undefined) {
    return typeof validate === 'function' ? (validate as Run) : undefined
  }
  if (standard?.version !== 1 || typeof standard.validate !== 'function') return undefined
  return (value) => standard.validate(value)
}

function isAsynchronous(run: Run): boolean {
  try {
    return isPromise(run({}))
  } catch {
    return false
  }
}

/** Tells whether a value is a promise. One that nobody waits for has its rejection handled. */
function isPromise(value: unknown): boolean {
  const { then } = (value ?? {}) as Partial<PromiseLike<unknown>>
  if (typeof then !== 'function') return false
  then.call(value, undefined, () => undefined)
  return true
}

function validationOf(result: unknown): Validation<object> {
  if (isPromise(result)) throw invalidArgument('defineEventType', [asynchronous])
  const { issues } = (result ?? {}) as Partial<StandardResult<object>>
  if (Array.isArray(issues)) return { issues: (issues as StandardIssue[]).map(mapped) }
  if (typeof result !== 'object' || result === null || !('value' in result)) {
    const mistake = '"validate" must return an object with "value" or with "issues"'
    throw invalidArgument('defineEventType', [mistake])
  }
  return { value: result.value as object }
}

const longestMessage = 200

function mapped({ message, path }: StandardIssue): Issue {
  return {
    message: message.slice(0, longestMessage),
    path: (path ?? []).map((segment) =>
      String(typeof segment === 'object' ? segment.key : segment),
    ),
  }
}
