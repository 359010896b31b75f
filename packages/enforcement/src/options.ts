import { checkOptions, systemClock, type Clock, type OptionChecks } from '@drawbridge/core'
import type { HookRetry } from './hooks/hook-runner.ts'
import { hookNames, type Hooks } from './hooks/hooks.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Policy } from './policy/policy.ts'

/** The options of `createEnforcement`. */
export interface EnforcementOptions {
  /** Where it is kept what signals decided: `sqliteLedger(file)`, or `memoryLedger()` for tests. */
  readonly ledger: Ledger
  /** What each signal does: `recommendedPolicy()`, or one of your own. */
  readonly policy: Policy
  /** What the application does when something is taken or given back. Default: nothing. */
  readonly hooks?: Hooks
  /**
   * How hooks are tried. Default: 5 attempts of at most 10 s, with waits from 500 ms to 30 s
   * between them.
   */
  readonly hookRetry?: Partial<HookRetry>
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
   * `max_age` in its query, to be passed on to the issuer. Default: a page that says what
   * happened.
   */
  readonly loginUrl?: string
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock
}

/** The options with their defaults. */
export type EnforcementSettings = Required<Omit<EnforcementOptions, 'loginUrl' | 'hookRetry'>> &
  Pick<EnforcementOptions, 'loginUrl'> & { readonly hookRetry: HookRetry }

const defaultRetry: HookRetry = {
  firstMs: 500,
  longestMs: 30_000,
  attempts: 5,
  timeoutMs: 10_000,
}

const optionNames = [
  'ledger',
  'policy',
  'hooks',
  'hookRetry',
  'toleranceSeconds',
  'longestSessionSeconds',
  'loginUrl',
  'clock',
]

/**
 * Checks the options and fills in the defaults.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function readOptions(options: EnforcementOptions): EnforcementSettings {
  const settings: EnforcementSettings = {
    hooks: {},
    toleranceSeconds: 30,
    longestSessionSeconds: 30 * 24 * 3600,
    clock: systemClock,
    ...options,
    hookRetry: { ...defaultRetry, ...options?.hookRetry },
  }
  const checks = checkOptions('createEnforcement')
  checks.known(options ?? {}, optionNames)
  checkParts(settings, checks)
  checkHooks(settings, checks)
  const { toleranceSeconds, longestSessionSeconds, loginUrl } = settings
  checks.check(isAtLeast(toleranceSeconds, 0), '"toleranceSeconds" must be 0 or more')
  checks.check(isAtLeast(longestSessionSeconds, 1), '"longestSessionSeconds" must be 1 or more')
  if (loginUrl !== undefined && !/^\/(?![/\\])/.test(loginUrl)) {
    checks.url('loginUrl', loginUrl.split('?', 1)[0], false)
  }
  checks.done()
  return settings
}

function checkParts({ ledger, policy, clock }: EnforcementSettings, { check }: OptionChecks): void {
  check(
    typeof ledger?.write === 'function' && typeof ledger.readAll === 'function',
    '"ledger" must be a Ledger: sqliteLedger(file), or memoryLedger() for tests',
  )
  check(
    typeof policy?.ruleFor === 'function',
    '"policy" must be a Policy: recommendedPolicy(), or createPolicy(rules)',
  )
  check(
    typeof clock?.now === 'function' && typeof clock.sleep === 'function',
    '"clock" must have "now" and "sleep"',
  )
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

const isAtLeast = (value: unknown, least: number): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= least
