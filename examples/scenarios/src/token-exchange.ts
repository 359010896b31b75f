// Gives an agent that acts for a person a token that says so: whose access it uses, who uses it, and
// for which task.
import { jsonResponse } from '@drawbridge/core'
import type { JWTPayload } from 'jose'
import type { Agents, Consent } from './frame/agents.ts'

/** The `grant_type` of a token exchange. */
export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** What a token is to say, besides who issues it and when. */
export interface TokenToSign {
  readonly claims: JWTPayload
  readonly audience: string
  /** NumericDate, seconds. */
  readonly expires: number
}

/** What a token exchange needs of its issuer. */
export interface TokenExchangeSettings extends Pick<Agents, 'resource' | 'consents'> {
  /** NumericDate, seconds. */
  now(): number
  /** The claims of an access token that the issuer has signed; undefined for every other text. */
  verify(token: string): Promise<JWTPayload | undefined>
  sign(token: TokenToSign): Promise<string>
}

/** So long a token lives: what is consented to for longer, is exchanged for again. */
const lifetimeSeconds = 600

/**
 * Makes the exchange of a person's access token, and an agent's own, for one with which the agent
 * acts for the person. `act` names the agent and, within, those that have acted before it; `task`,
 * a parameter and a claim of our own, says what the person has consented to.
 *
 * @see RFC 8693, "Token Exchange Request and Response"; RFC 8707, "Access Token Request"
 */
export function createTokenExchange(
  settings: TokenExchangeSettings,
): (parameters: URLSearchParams) => Promise<Response> {
  const { resource, consents, now, verify, sign } = settings
  return async (form) => {
    // A parameter without a value counts as omitted.
    const parameters = new URLSearchParams([...form].filter(([, value]) => value !== ''))
    const mistake = mistakeIn(parameters)
    if (mistake !== undefined) return refuse('invalid_request', mistake)
    const subject = await verify(parameters.get('subject_token') ?? '')
    if (!subject) return refuse('invalid_request', unacceptable('subject'))
    const actor = await verify(parameters.get('actor_token') ?? '')
    if (!actor) return refuse('invalid_request', unacceptable('actor'))
    const task = parameters.get('task') ?? undefined
    // It is the consents that say who is a person, and who an agent.
    if (!consents.some((consent) => covers(consent, { subject, actor, task }))) {
      return refuse('invalid_request', 'the person has not consented to that')
    }
    const targets = [...parameters.getAll('resource'), ...parameters.getAll('audience')]
    if (targets.length === 0 || targets.some((target) => target !== resource)) {
      return refuse('invalid_target', 'tokens are exchanged for the gateway alone')
    }
    const scope = narrowed(parameters.get('scope'), grantsOf(subject), grantsOf(actor))
    if (scope === undefined) return refuse('invalid_scope', 'more than both of them have')
    // What no task was consented to for rests on the login, and lives no longer than its token.
    const began = Math.floor(now())
    const latest = began + lifetimeSeconds
    const expires = task === undefined ? Math.min(latest, subject.exp ?? 0) : latest
    const claims = claimsOf({ subject, actor, task }, scope)
    return jsonResponse(200, {
      access_token: await sign({ claims, audience: resource, expires }),
      issued_token_type: accessTokenType,
      token_type: 'Bearer',
      expires_in: expires - began,
      scope,
    })
  }
}

const required = ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type']
const repeatable = new Set(['resource', 'audience'])

/** A parameter that must not be as it is. */
function mistakeIn(parameters: URLSearchParams): string | undefined {
  for (const name of new Set(parameters.keys())) {
    if (!repeatable.has(name) && parameters.getAll(name).length > 1) return 'a parameter came twice'
  }
  for (const name of required) {
    if (!parameters.has(name)) return `"${name}" is missing`
  }
  for (const name of ['subject_token_type', 'actor_token_type', 'requested_token_type']) {
    const type = parameters.get(name)
    if (type !== null && type !== accessTokenType) return `"${name}" must be ${accessTokenType}`
  }
  return undefined
}

const unacceptable = (whose: string): string => `"${whose}_token" is not acceptable`

/** What somebody asks for: that one acts for another. */
interface Delegation {
  readonly subject: JWTPayload
  readonly actor: JWTPayload
  readonly task: string | undefined
}

const covers = ({ person, agent, task }: Consent, asked: Delegation): boolean =>
  person === asked.subject.sub && agent === asked.actor.sub && task === asked.task

/** The person's login as it was, the agent, and within it those that have acted before. */
function claimsOf({ subject, actor, task }: Delegation, scope: string): JWTPayload {
  const { sub = '', auth_time, sid, acr, act } = subject
  const { client_id } = actor
  return { sub, auth_time, sid, acr, client_id, scope, task, act: { sub: actor.sub, act } }
}

const grantsOf = ({ scope }: JWTPayload): readonly string[] =>
  typeof scope === 'string' ? scope.split(' ') : []

/** What is asked for, or all that both have; undefined where that is more, or nothing. */
function narrowed(
  asked: string | null,
  ofSubject: readonly string[],
  ofActor: readonly string[],
): string | undefined {
  const both = ofSubject.filter((grant) => ofActor.includes(grant))
  const wanted = asked?.split(' ') ?? both
  const isLess = wanted.length > 0 && wanted.every((grant) => both.includes(grant))
  return isLess ? wanted.join(' ') : undefined
}

/** @see RFC 8693, "Error Response" */
const refuse = (error: string, error_description: string): Response =>
  jsonResponse(400, { error, error_description })
