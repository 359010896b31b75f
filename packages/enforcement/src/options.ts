import { checkOptions, systemClock, type Clock, type OptionChecks } from '@drawbridge/core'
import { subjectOf, type IssuerAliases, type Subject, type SubjectInput } from '@drawbridge/schema'
import { isTenantWide } from './authority/authority.ts'
import { checkMandates, type Mandates } from './authority/mandate.ts'
import { effectMistakes, isScopeToken } from './effect.ts'
import type { SiteData } from './guard/denial-response.ts'
import type { HookRetry } from './hooks/hook-runner.ts'
import { hookNames, type Hooks } from './hooks/hooks.ts'
import { localIssuer } from './ledger/ledger-entry.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Transmit } from './local/local-signal.ts'
import type { RequestRule } from './local/request-rule.ts'
import type { Policy } from './policy/policy.ts'
import type { Who } from './who.ts'
import { checkSilence, type SilenceRules } from './silence.ts'

/** The options of `createEnforcement`. */
export interface EnforcementOptions {
  /**
   * Where it is kept what signals decided: `sqliteLedger(file)` for one process,
   * `redisLedger(client)` for several, or `memoryLedger()` for tests.
   */
  readonly ledger: Ledger
  /** What each signal does: `recommendedPolicy()`, or one of your own. */
  readonly policy: Policy
  /** Which Transmitter may touch whose sessions, by `iss`. Default: each those it logged in itself. */
  readonly mandates?: Mandates
  /**
   * Break-glass accounts: whatever anybody's signal says, the application's own included, they are
   * asked to authenticate again at most. A simple subject names a user. Default: none.
   */
  readonly protect?: readonly SubjectInput[]
  /**
   * What happens when a Transmitter is not heard of, by `iss`. Only on nodes that receive: what
   * they find counts on all. Default: nothing is noticed.
   */
  readonly silence?: SilenceRules
  /** Rules that look at requests: change windows, data boundaries. Default: none. */
  readonly requestRules?: readonly RequestRule[]
  /** What the application does when something is taken or given back. Default: nothing. */
  readonly hooks?: Hooks
  /**
   * How hooks are tried. Default: 5 attempts of at most 10 s, with waits from 500 ms to 30 s
   * between them.
   */
  readonly hookRetry?: Partial<HookRetry>
  /** How many hooks run side by side. Default: 16. */
  readonly parallelHooks?: number
  /**
   * Finds the application's live sessions by what a signal names. Hooks and the count of signals
   * that met nobody use it; access does not wait for it. Default: none are known.
   */
  readonly sessions?: (subject: Subject) => readonly Who[] | Promise<readonly Who[]>
  /**
   * Finds what the application calls somebody: other subjects that its sessions are known by;
   * undefined where it does not know. Asked before the ledger is written; what it throws means that
   * the SET is not acknowledged. Default: sessions are known by what Transmitters call them.
   */
  readonly resolve?: (
    subject: Subject,
    iss: string,
  ) => readonly SubjectInput[] | undefined | Promise<readonly SubjectInput[] | undefined>
  /** Other names of issuers, by the name that counts. Default: each has one name. */
  readonly issuerAliases?: IssuerAliases
  /** Transmits what the application takes or gives back itself: `transmitter.transmit`. */
  readonly transmit?: Transmit
  /**
   * The grants that there are. Where it is given, a rule or a request that names another one is an
   * error. Default: any.
   */
  readonly grants?: readonly string[]
  /**
   * Authentication context classes from weak to strong: a stronger one satisfies who asks for a
   * weaker one. Default: each satisfies itself alone.
   */
  readonly acrOrder?: readonly string[]
  /**
   * How long a ledger that nodes share may be unheard before this node is stale, in milliseconds.
   * Default: 30,000.
   */
  readonly maxStalenessMs?: number
  /**
   * What a stale node does with requests that nothing it knows is in the way of: `refuse` (503), or
   * `allow`. Default: `refuse`.
   */
  readonly onStale?: 'refuse' | 'allow'
  /**
   * How much later than T a session may have begun by this machine's clock and still count as begun
   * before it, in seconds. Default: 30.
   */
  readonly toleranceSeconds?: number
  /**
   * How long a session, with all its refreshing, can live at most, in seconds: so long a cut is
   * remembered. A session that lives longer escapes it. Default: 30 days.
   */
  readonly longestSessionSeconds?: number
  /**
   * Where a browser is sent whose user can get on by authenticating: a path, or an https URL. Gets
   * `max_age`, and `acr_values` where it matters, in its query, to be passed on to the issuer.
   * Default: a page that says what happened.
   */
  readonly loginUrl?: string
  /**
   * The name of the application's own session cookie, removed in the answer when the session has
   * ended. Default: none is.
   */
  readonly clearCookie?: string
  /** What a browser is told to forget when the session has ended. Default: nothing. */
  readonly clearSiteData?: readonly SiteData[]
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock
  /** Between 0 and 1, for waits. Default: `Math.random`. */
  readonly random?: () => number
}

type Optional = 'loginUrl' | 'clearCookie' | 'sessions' | 'resolve' | 'transmit' | 'grants'

/** The options with their defaults. */
export type EnforcementSettings = Required<Omit<EnforcementOptions, Optional | 'hookRetry'>> &
  Pick<EnforcementOptions, Optional> & { readonly hookRetry: HookRetry }

const defaultRetry: HookRetry = {
  firstMs: 500,
  longestMs: 30_000,
  attempts: 5,
  timeoutMs: 10_000,
}

const defaults = {
  mandates: {},
  protect: [],
  silence: {},
  requestRules: [],
  hooks: {},
  parallelHooks: 16,
  issuerAliases: {},
  acrOrder: [],
  maxStalenessMs: 30_000,
  onStale: 'refuse',
  toleranceSeconds: 30,
  longestSessionSeconds: 30 * 24 * 3600,
  clearSiteData: [],
  clock: systemClock,
  random: Math.random,
} as const

const optionNames: readonly string[] = [
  ...Object.keys(defaults),
  'ledger',
  'policy',
  'hookRetry',
  'sessions',
  'resolve',
  'transmit',
  'grants',
  'loginUrl',
  'clearCookie',
]

/**
 * Checks the options and fills in the defaults.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function readOptions(options: EnforcementOptions): EnforcementSettings {
  const settings: EnforcementSettings = {
    ...defaults,
    ...options,
    hookRetry: { ...defaultRetry, ...options?.hookRetry },
  }
  const checks = checkOptions('createEnforcement')
  checks.known(options ?? {}, optionNames)
  checkParts(settings, checks)
  checkNumbers(settings, checks)
  checkHooks(settings, checks)
  checkMandates(settings.mandates, checks)
  checkProtected(settings.protect, checks)
  checkSilence(settings.silence, checks)
  checks.check(
    ![settings.issuerAliases].flatMap(Object.entries).flat(2).includes(localIssuer),
    `"issuerAliases" must not have "${localIssuer}": it stands for the application itself`,
  )
  checkGrants(settings, checks)
  checkAcrs(settings, checks)
  checkAnswers(settings, checks)
  checks.done()
  return settings
}

function checkParts(settings: EnforcementSettings, { check }: OptionChecks): void {
  const { ledger, policy, clock, requestRules } = settings
  check(
    typeof ledger?.write === 'function' && typeof ledger.readAll === 'function',
    '"ledger" must be a Ledger: sqliteLedger(file), redisLedger(client), or memoryLedger() for tests',
  )
  check(
    typeof policy?.rulesFor === 'function',
    '"policy" must be a Policy: recommendedPolicy(), or createPolicy(rules)',
  )
  check(
    typeof clock?.now === 'function' && typeof clock.sleep === 'function',
    '"clock" must have "now" and "sleep"',
  )
  check(
    Array.isArray(requestRules) && requestRules.every((rule) => typeof rule?.judge === 'function'),
    '"requestRules" must be an array of rules, such as changeWindow(options)',
  )
  for (const [place, rule] of (Array.isArray(requestRules) ? requestRules : []).entries()) {
    const { cause, takes } = (rule ?? {}) as Partial<RequestRule>
    const name = `requestRules[${place}]`
    check(typeof cause === 'string' && cause !== '', `"${name}.cause" must be a word for the cause`)
    for (const mistake of effectMistakes(takes, `${name}.takes.`)) check(false, mistake)
  }
  for (const name of ['sessions', 'resolve', 'transmit', 'random'] as const) {
    const value: unknown = settings[name]
    check(value === undefined || typeof value === 'function', `"${name}" must be a function`)
  }
}

function checkNumbers(settings: EnforcementSettings, { check }: OptionChecks): void {
  const least = {
    toleranceSeconds: 0,
    longestSessionSeconds: 1,
    maxStalenessMs: 1,
    parallelHooks: 1,
  }
  for (const [name, value] of Object.entries(least)) {
    const given: unknown = settings[name as keyof typeof least]
    check(isAtLeast(given, value), `"${name}" must be ${value} or more`)
  }
  const { onStale } = settings
  check(onStale === 'refuse' || onStale === 'allow', '"onStale" must be refuse or allow')
}

function checkHooks({ hooks, hookRetry }: EnforcementSettings, { check }: OptionChecks): void {
  for (const [name, hook] of Object.entries(hooks)) {
    const known = (hookNames as readonly string[]).includes(name)
    check(known, `"hooks.${name}" is not a hook: there are ${hookNames.join(', ')}`)
    check(hook === undefined || typeof hook === 'function', `"hooks.${name}" must be a function`)
  }
  for (const [name, value] of Object.entries(hookRetry)) {
    check(name in defaultRetry, `"hookRetry.${name}" is not an option`)
    check(isAtLeast(value, 1), `"hookRetry.${name}" must be 1 or more`)
  }
}

/** Who protects a whole tenant has no signals for it any more. */
function checkProtected(protect: unknown, { check }: OptionChecks): void {
  check(Array.isArray(protect), '"protect" must be an array of subjects')
  for (const [place, one] of (Array.isArray(protect) ? (protect as unknown[]) : []).entries()) {
    const name = `protect[${place}]`
    try {
      const subject = subjectOf(one as SubjectInput, name)
      check(!isTenantWide(subject), `"${name}" must name somebody, and not a tenant as a whole`)
    } catch (error) {
      check(false, (error as Error).message)
    }
  }
}

/** A grant that is misspelt would be one that nothing takes. */
function checkGrants({ grants, policy }: EnforcementSettings, { check }: OptionChecks): void {
  if (grants === undefined) return
  const isList = Array.isArray(grants) && grants.every(isScopeToken)
  check(isList, '"grants" must be an array of grants: texts without spaces and quotes')
  for (const [place, { terms }] of (policy?.rules ?? []).entries()) {
    const named = terms && ('take' in terms || 'leave' in terms) ? (terms.take ?? terms.leave) : []
    for (const grant of named ?? []) {
      check(
        isList && grants.includes(grant),
        `"policy.rules[${place}].terms" names "${grant}", which is not in "grants"`,
      )
    }
  }
}

/** Of two that nobody has put in order, neither satisfies who asks for the other. */
function checkAcrs({ acrOrder, policy }: EnforcementSettings, { check }: OptionChecks): void {
  check(
    Array.isArray(acrOrder) && new Set(acrOrder).size === acrOrder.length,
    '"acrOrder" must be an array of authentication context classes, each once',
  )
  const asked = new Set(
    (policy?.rules ?? []).flatMap(({ terms }) =>
      terms && 'acr' in terms ? (terms.acr ?? []) : [],
    ),
  )
  check(
    asked.size < 2 || [...asked].every((acr) => acrOrder.includes(acr)),
    '"acrOrder" must have every "acr" that the policy asks for, from weak to strong',
  )
}

function checkAnswers(settings: EnforcementSettings, checks: OptionChecks): void {
  const { loginUrl, clearCookie, clearSiteData } = settings
  if (loginUrl !== undefined && !/^\/(?![/\\])/.test(loginUrl)) {
    checks.url('loginUrl', loginUrl.split('?', 1)[0], false)
  }
  checks.check(
    clearCookie === undefined || /^[!#$%&'*+.^_`|~\w-]+$/.test(clearCookie),
    '"clearCookie" must be the name of a cookie',
  )
  const data: readonly string[] = [
    'cache',
    'clientHints',
    'cookies',
    'storage',
    'executionContexts',
    '*',
  ]
  checks.check(
    Array.isArray(clearSiteData) && clearSiteData.every((one) => data.includes(one)),
    `"clearSiteData" must be an array of ${data.join(', ')}`,
  )
}

const isAtLeast = (value: unknown, least: number): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= least
