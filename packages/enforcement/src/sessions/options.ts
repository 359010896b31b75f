import { checkOptions, systemClock, type Clock, type OptionChecks } from '@drawbridge/core'
import type { IssuerAliases } from '@drawbridge/schema'
import { createSessionKeys, type SessionKeys } from './session-keys.ts'

/** The options that every store of sessions has. */
export interface SessionStoreOptions {
  /**
   * The other names of an issuer, by the one that counts, as `createEnforcement` has them: a
   * session is then found by any. What was put before they changed has to be put again. Default:
   * none.
   */
  readonly issuerAliases?: IssuerAliases
  /** Time. Default: the machine's. */
  readonly clock?: Pick<Clock, 'now'>
}

/** What stores take from the options. */
export interface SessionStoreSettings {
  readonly keys: SessionKeys
  /** Milliseconds since 1970. */
  now(): number
}

/**
 * Checks the options that every store has, and what a store asks besides.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function readStoreOptions(
  factory: string,
  options: SessionStoreOptions,
  others: readonly string[] = [],
  checkOthers: (checks: OptionChecks) => void = () => undefined,
): SessionStoreSettings {
  const checks = checkOptions(factory)
  const { clock = systemClock, issuerAliases = {} } = options ?? {}
  checks.known(options ?? {}, ['clock', 'issuerAliases', ...others])
  checks.check(typeof clock?.now === 'function', '"clock" must have "now"')
  checks.check(
    typeof issuerAliases === 'object' && Object.values(issuerAliases).every(Array.isArray),
    '"issuerAliases" must have a list of names for each issuer',
  )
  checkOthers(checks)
  checks.done()
  return { keys: createSessionKeys(issuerAliases), now: () => clock.now() }
}
