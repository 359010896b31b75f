import { checkOptions } from '@drawbridge/core'
import {
  subjectOf,
  type EventType,
  type SecurityEvent,
  type SubjectInput,
} from '@drawbridge/schema'
import { ScimActivate, ScimDeactivate, ScimDelete } from '@drawbridge/schema/scim'
import {
  checkInputOptions,
  inputOptionNames,
  issueEvent,
  type InputOptions,
} from './issue-event.ts'
import { activeInPatch, activeInResource, type Active } from './scim-active.ts'

/** A SCIM request that the application is about to carry out. */
export interface ScimRequest {
  /** The HTTP method, in capitals. */
  readonly method: string
  /** The name of the resource type: `User`, `Group`. Only of users something is taken. */
  readonly resourceType: string
  /** The JSON of the body. Default: there is none, as with DELETE. */
  readonly body?: unknown
}

/** Whose request it is, and whom it is about. */
export interface ScimEventOptions extends InputOptions {
  /**
   * What sessions call the user: `issSub(issuer, sub)`, or the resource itself, `scim('/Users/1')`.
   * The `id` of a resource is no `sub`; often its `externalId` is. What was deactivated under one
   * subject is given back under the same one alone.
   */
  readonly subject: SubjectInput
}

/**
 * Makes a signal of a SCIM request by which an identity provider provisions users: a user was
 * deactivated, activated or deleted. Undefined for a request that says nothing of that: of a group,
 * a read, a change of other attributes. Pure, but for the time and the `jti`.
 *
 * A user whose `active` is removed, left out of a PUT or null has no value for it, and what that
 * means is the application's: nothing is taken, and nothing given back.
 *
 * @example
 *   app.patch('/scim/v2/Users/:id', async ({ method, params, body }, response) => {
 *     const subject = issSub(issuer, await externalIdOf(params.id))
 *     const event = scimEvent({ method, resourceType: 'User', body }, { issuer, subject })
 *     if (event) await enforcement.apply(event)
 *     response.json(await patchUser(params.id, body))
 *   })
 *
 * @throws SetError `ERR_SET_CLAIM` for what is no SCIM request: answer 400
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 * @see RFC 7644, "SCIM Protocol"; RFC 7643, "User" Resource Schema; RFC 9967, "SCIM Provisioning
 *   Events"
 */
export function scimEvent(
  request: ScimRequest,
  options: ScimEventOptions,
): SecurityEvent | undefined {
  checkScim(request ?? {}, options ?? {})
  if (request.resourceType !== 'User') return undefined
  const type = typeOf(request)
  return type && issueEvent({ type, subject: subjectOf(options.subject, 'subject') }, options)
}

function typeOf({ method, body }: ScimRequest): EventType | undefined {
  switch (method) {
    case 'DELETE':
      return ScimDelete
    case 'PATCH':
      return typeFor(activeInPatch(body))
    case 'PUT':
    case 'POST':
      return typeFor(activeInResource(body))
    default:
      return undefined
  }
}

function typeFor(active: Active): EventType | undefined {
  if (typeof active !== 'boolean') return undefined
  return active ? ScimActivate : ScimDeactivate
}

const methods: readonly unknown[] = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']

function checkScim(request: Partial<ScimRequest>, options: Partial<ScimEventOptions>): void {
  const checks = checkOptions('scimEvent')
  const { method, resourceType } = request
  checks.known(options, [...inputOptionNames, 'subject'])
  checks.check(methods.includes(method), `"method" must be one of ${methods.join(', ')}`)
  // "Users" is where they are; to overlook it would leave everybody in.
  const isMisspelt = resourceType !== 'User' && /^users?$/i.test(String(resourceType))
  checks.check(
    typeof resourceType === 'string' && resourceType !== '' && !isMisspelt,
    '"resourceType" must be the name of a resource type, such as User',
  )
  checkInputOptions(options, checks)
  try {
    subjectOf(options.subject as SubjectInput, 'subject')
  } catch (error) {
    checks.check(false, (error as Error).message)
  }
  checks.done()
}
