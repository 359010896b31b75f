/**
 * What a signal does to a session that is alive.
 *
 * - `shorten`: it lives on for a limited time;
 * - `restrict`: it goes on without some of its grants;
 * - `reauthenticate`: refused until its user has authenticated again, after T;
 * - `suspend`: refused, nothing is destroyed, and it can be given back;
 * - `terminate`: ended.
 */
export type Effect = 'shorten' | 'restrict' | 'reauthenticate' | 'suspend' | 'terminate'

/** The effects from mild to hard. */
export const effects: readonly Effect[] = [
  'shorten',
  'restrict',
  'reauthenticate',
  'suspend',
  'terminate',
]

/** Tells whether a value is an effect that this release can carry out. */
export const isEffect = (value: unknown): value is Effect =>
  (effects as readonly unknown[]).includes(value)

/** How hard an effect is: a place in {@link effects}, so that two can be compared. */
export const hardness = (effect: Effect): number => effects.indexOf(effect)

/** The harder one of two effects; nothing is milder than any. */
export function harder(one: Effect | undefined, other: Effect): Effect {
  return one !== undefined && hardness(one) > hardness(other) ? one : other
}

/** The milder one of two effects. */
export const milder = (one: Effect, other: Effect): Effect =>
  hardness(one) < hardness(other) ? one : other

/** How long a session lives on. */
export interface ShortenTerms {
  /** From T, or from its beginning where that was later, in seconds. */
  readonly lifetimeSeconds: number
}

/** Which grants a session loses: those named, or all but those named. */
export type RestrictTerms =
  | { readonly take: readonly string[]; readonly leave?: never }
  | { readonly leave: readonly string[]; readonly take?: never }

/** What an authentication must be like to give a session back. */
export interface ReauthenticateTerms {
  /** The authentication context class that it needs, or a stronger one. Default: any. */
  readonly acr?: string
  /** How old the authentication may be at each request, in seconds. Default: any age after T. */
  readonly maxAgeSeconds?: number
  /**
   * How long after T a session waits for it; then it has ended, in seconds. Default: as long as it
   * takes.
   */
  readonly graceSeconds?: number
}

/** An effect with its terms, as rules and local signals write it. */
export type EffectWithTerms =
  | { readonly effect: 'shorten'; readonly terms: ShortenTerms }
  | { readonly effect: 'restrict'; readonly terms: RestrictTerms }
  | { readonly effect: 'reauthenticate'; readonly terms?: ReauthenticateTerms }
  | { readonly effect: 'suspend' | 'terminate'; readonly terms?: never }

/** The terms of any effect, as they are kept. */
export interface Terms {
  readonly lifetimeSeconds?: number
  readonly take?: readonly string[]
  readonly leave?: readonly string[]
  readonly acr?: string
  readonly maxAgeSeconds?: number
  readonly graceSeconds?: number
}

type TermCheck = readonly [isValid: (value: unknown) => boolean, what: string]

const isSeconds = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

/**
 * Tells whether a text can be a grant, or an authentication context class: both are asked for in
 * challenges, where they stand in quotes and apart by spaces.
 *
 * @see RFC 6749, "Access Token Scope"
 */
export const isScopeToken = (value: unknown): value is string =>
  typeof value === 'string' && /^[\u0021\u0023-\u005b\u005d-\u007e]+$/.test(value)

const seconds: TermCheck = [isSeconds, 'a number of seconds, 0 or more']
const grants: TermCheck = [
  (value) => Array.isArray(value) && (value as unknown[]).every(isScopeToken),
  'an array of grants: texts without spaces, quotes and backslashes',
]

const termChecks: Readonly<Record<Effect, Readonly<Record<string, TermCheck>>>> = {
  shorten: { lifetimeSeconds: seconds },
  restrict: { take: grants, leave: grants },
  reauthenticate: {
    acr: [isScopeToken, 'an authentication context class: a text without spaces and quotes'],
    maxAgeSeconds: seconds,
    graceSeconds: seconds,
  },
  suspend: {},
  terminate: {},
}

/**
 * Judges the terms of an effect.
 *
 * @param name What the caller calls the terms: `rules[3].terms`
 * @returns A sentence for each mistake
 */
export function termMistakes(effect: Effect, terms: unknown, name: string): readonly string[] {
  if (terms !== undefined && (typeof terms !== 'object' || terms === null)) {
    return [`"${name}" must be an object`]
  }
  const given = Object.entries(terms ?? {}).filter(([, value]) => value !== undefined)
  const checks = termChecks[effect]
  const mistakes = given.flatMap(([term, value]) => {
    const check = Object.hasOwn(checks, term) ? checks[term] : undefined
    if (!check) return [`"${name}.${term}" is not a term of ${effect}`]
    return check[0](value) ? [] : [`"${name}.${term}" must be ${check[1]}`]
  })
  const names = new Set(given.map(([term]) => term))
  if (effect === 'shorten' && !names.has('lifetimeSeconds')) {
    mistakes.push(`"${name}.lifetimeSeconds" must say how long sessions live on`)
  }
  if (effect === 'restrict' && names.has('take') === names.has('leave')) {
    mistakes.push(`"${name}" must have either "take" or "leave"`)
  }
  return mistakes
}

/**
 * Judges an effect with its terms.
 *
 * @param prefix What stands before `effect` and `terms` in what the caller calls them:
 *   `requestRules[0].takes.`
 * @returns A sentence for each mistake
 */
export function effectMistakes(
  takes: { readonly effect?: unknown; readonly terms?: unknown } | undefined,
  prefix = '',
): readonly string[] {
  const effect = takes?.effect
  return isEffect(effect)
    ? termMistakes(effect, takes?.terms, `${prefix}terms`)
    : [`"${prefix}effect" must be one of ${effects.join(', ')}`]
}
