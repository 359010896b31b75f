import { checkOptions } from '@drawbridge/core'
import {
  issSub,
  jwtId,
  opaque,
  type ComplexSubjectInput,
  type IssSubSubject,
} from '@drawbridge/schema'
import { longestChain } from './delegation.ts'
import type { EndsWith, SessionKind, Who } from './who.ts'

/** The claims of a token that was verified, or of an ID Token. */
export type TokenClaims = Readonly<Record<string, unknown>>

/** What the claims do not say. */
export interface FromClaimsOptions {
  /**
   * When the grant began that the token comes from, for tokens without `auth_time`; `'iat'` for
   * tokens that are never refreshed or exchanged, where each is an authentication of its own.
   * Default: the claim `auth_time`; the `iat` of a client's own token (`sub` is `client_id`).
   */
  readonly began?: Date | 'iat'
  /** Default: `agent` with an `act` claim, `service` for a client's own token, else `human`. */
  readonly kind?: SessionKind
  /** More that is known of who acts: `{ device, tenant, credential, task }`. Default: nothing. */
  readonly subject?: ComplexSubjectInput
  /**
   * What a token with an `act` claim rests on: the session of its `sub`, or a grant that outlives
   * it. Default: `session`.
   */
  readonly endsWith?: EndsWith
}

/**
 * Says who makes a request from the claims of its token: `iss`, `sub`, `sid`, `jti`, `client_id`
 * (or `azp`), `act`, `acr`, `scope`, and when it began. Pure; the signature must have been
 * verified.
 *
 * With an `act` claim it is the actor who makes the request, on behalf of those who acted before it
 * and in the end of `sub`: nothing is allowed for their sake, and what a signal takes from one of
 * them is taken from the actor.
 *
 * @example
 *   const { payload } = await jwtVerify(token, keys, { issuer, audience })
 *   const decision = enforcement.check(fromClaims(payload), { requires: ['files:write'] })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names the claim; without `auth_time`, unless
 *   `began` says when the grant began: the `iat` of a refreshed token would escape every cut
 * @see RFC 9068, "Data Structure"; RFC 8693, "Actor Claim"; OpenID Connect Core 1.0, "ID Token"
 */
export function fromClaims(claims: TokenClaims, options: FromClaimsOptions = {}): Who {
  const { check, done } = checkOptions('fromClaims')
  const text = (name: string): string | undefined => textOf(claims, name)
  const iss = text('iss') ?? ''
  const sub = text('sub') ?? ''
  check(iss !== '', '"claims.iss" must be a text')
  check(sub !== '', '"claims.sub" must be a text')
  const client = text('client_id') ?? text('azp')
  const isOwnToken = client !== undefined && client === sub
  const began = dateBegan(claims, options.began ?? (isOwnToken ? 'iat' : undefined))
  check(
    began !== undefined,
    '"claims.auth_time" must be a NumericDate; without it, "began" must say when the grant began, or "iat" where tokens are never refreshed',
  )
  const user = issSub(iss, sub)
  const actors = actorsIn(claims, user)
  check(
    actors.length <= longestChain - 1,
    `"claims.act" must not name more than ${longestChain - 1} actors`,
  )
  done()
  const [sid, jti, acr] = ['sid', 'jti', 'acr'].map(text)
  const ofToken = {
    ...(client !== undefined && { application: opaque(client) }),
    ...(jti !== undefined && { token: jwtId(iss, jti) }),
  }
  const rests = { began: began ?? new Date(Number.NaN), issuer: iss }
  const person: Who = {
    ...rests,
    subject: { user, ...(sid !== undefined && { session: opaque(sid) }) },
    ...(acr !== undefined && { acr }),
  }
  const kind = options.kind ?? (claims['act'] ? 'agent' : isOwnToken ? 'service' : 'human')
  const grants = grantsOf(claims)
  const known = { kind, ...(grants && { grants }) }
  const [actor, ...before] = actors
  if (!actor) {
    return {
      ...person,
      subject: { ...membersOf(person), ...ofToken, ...options.subject },
      ...known,
    }
  }
  const delegator = before.reduceRight<Who>(
    (behalf, { subject, issuer }) => ({ began: rests.began, issuer, subject, delegator: behalf }),
    person,
  )
  return {
    began: rests.began,
    issuer: actor.issuer,
    subject: { ...ofToken, ...actor.subject, ...options.subject },
    ...known,
    delegator,
    ...(options.endsWith && { endsWith: options.endsWith }),
  }
}

/** A scope that is there and says nothing grants nothing; some servers write it as a list. */
function grantsOf(claims: TokenClaims): readonly string[] | undefined {
  const scope = Object.hasOwn(claims, 'scope') ? claims['scope'] : undefined
  if (scope === undefined) return undefined
  const named: readonly unknown[] = typeof scope === 'string' ? scope.split(' ') : [scope].flat()
  return named.filter((grant) => typeof grant === 'string' && grant !== '') as string[]
}

const membersOf = ({ subject }: Who): ComplexSubjectInput => subject as ComplexSubjectInput

/** One who acts, or has acted, for the `sub` of a token. */
interface Actor {
  readonly subject: ComplexSubjectInput
  readonly issuer: string
}

/**
 * Those who act, from the one who acts now back to the first. One that comes twice is named once:
 * what a signal takes from it is taken the first time.
 */
function actorsIn(claims: TokenClaims, user: IssSubSubject): readonly Actor[] {
  const actors = new Map<string, Actor>()
  let { act } = claims
  // One more than may be, so that the length tells.
  while (isClaims(act) && actors.size < longestChain) {
    const issuer = textOf(act, 'iss') ?? user.iss
    const [sub, client] = [textOf(act, 'sub'), textOf(act, 'client_id')]
    const subject = {
      ...(sub !== undefined && { user: issSub(issuer, sub) }),
      ...(sub === undefined && client !== undefined && { application: opaque(client) }),
    }
    const key = JSON.stringify(subject)
    const isUser = subject.user?.iss === user.iss && subject.user.sub === user.sub
    if (key !== '{}' && !isUser && !actors.has(key)) actors.set(key, { subject, issuer })
    act = act['act']
  }
  return [...actors.values()]
}

const isClaims = (value: unknown): value is TokenClaims =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function dateBegan(claims: TokenClaims, began: Date | 'iat' | undefined): Date | undefined {
  const authenticated = dateOf(claims['auth_time'])
  if (authenticated) return authenticated
  return began === 'iat' ? dateOf(claims['iat']) : began
}

const dateOf = (value: unknown): Date | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value > 0
    ? new Date(value * 1000)
    : undefined

function textOf(claims: TokenClaims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
