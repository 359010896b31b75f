import { createEmitter } from '@drawbridge/core'
import type { SecurityEvent } from '@drawbridge/schema'
import type { DwellTime, Enforcement, EnforcementEvents } from './enforcement.ts'
import type { AccessDecision } from './guard/access-decision.ts'
import { createGuard } from './guard/guard.ts'
import { createHookRunner, type HookOutcome } from './hooks/hook-runner.ts'
import { hookFor } from './hooks/hooks.ts'
import { createLedgerIndex, type LedgerIndex } from './ledger/ledger-index.ts'
import type { LedgerEntry } from './ledger/ledger-entry.ts'
import type { Written } from './ledger/ledger.ts'
import { createLifecycle } from './lifecycle.ts'
import { readOptions, type EnforcementOptions } from './options.ts'
import { entriesOf } from './policy/entries-of.ts'
import type { Who } from './session.ts'

const purgeEverySeconds = 3600

/** Emits an event with the time of now. */
type Tell = <Name extends keyof EnforcementEvents>(
  name: Name,
  event: Omit<EnforcementEvents[Name], 'at'>,
) => void

/**
 * Makes the enforcement: signals go in by `apply`, requests are answered by `check`.
 *
 * @example
 *   const enforcement = createEnforcement({
 *     ledger: sqliteLedger('enforcement.db'),
 *     policy: recommendedPolicy(),
 *   })
 *   receiver.handle('*', enforcement.apply)
 *   await enforcement.start()
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 */
export function createEnforcement(options: EnforcementOptions): Enforcement {
  const settings = readOptions(options)
  const { ledger, clock, hookRetry: retry } = settings
  const emitter = createEmitter<EnforcementEvents>()
  const tell: Tell = (name, event) => {
    emitter.emit(name, { at: clock.now(), ...event } as never)
  }
  const hooks = createHookRunner({ ...settings, retry, report: reportHooks(tell, retry) })
  const now = (): number => clock.now() / 1000
  let index: LedgerIndex | undefined
  let purged = 0
  const guard = createGuard({ ...settings, now, index: () => index })

  const purge = async (): Promise<void> => {
    purged = now()
    index?.purge(purged)
    await ledger.purge(purged)
  }

  const open = async (): Promise<void> => {
    try {
      await ledger.open()
      await purge()
      index = createLedgerIndex(await ledger.readAll())
    } catch (error) {
      await ledger.close()
      throw error
    }
  }

  const close = async (): Promise<void> => {
    await hooks.drain()
    index = undefined
    await ledger.close()
  }

  const write = async (
    entry: LedgerEntry,
    event: SecurityEvent,
    receivedMs: number,
  ): Promise<void> => {
    const written = await ledger.write(entry)
    index?.put(written.entry)
    tell('signal:applied', {
      cause: entry.cause,
      effect: entry.effect,
      lifted: entry.lifted === true,
      changed: written.changed,
      dwell: dwellTime(event, receivedMs, clock.now()),
    })
    runHook(written)
  }

  const record = async (event: SecurityEvent, receivedMs: number): Promise<void> => {
    const entries = entriesOf(event, { ...settings, received: receivedMs / 1000 })
    if (entries.length === 0) {
      const { type, iss, jti } = event
      tell('signal:ignored', { type, iss, jti })
    }
    // Together, so that the entries of one signal share a commit.
    await Promise.all(entries.map((entry) => write(entry, event, receivedMs)))
    // What cannot be purged is past its time all the same, and the signal is in the ledger.
    if (now() - purged > purgeEverySeconds) await purge().catch(() => undefined)
  }

  const runHook = (written: Written): void => {
    const name = hookFor(written)
    if (name) hooks.run(name, written.entry)
  }

  const { start, stop, run } = createLifecycle({ open, close })
  return {
    start,
    stop,
    apply: (event) => {
      const receivedMs = clock.now()
      return run(() => record(event, receivedMs))
    },
    check: (who: Who) => announce(guard.check(who), tell),
    explain: guard.explain,
    events: emitter.watchable,
  }
}

function announce(decision: AccessDecision, tell: Tell): AccessDecision {
  if (decision.outcome === 'allow') return decision
  const { outcome, effect, causes } = decision
  tell('request:denied', { outcome, ...(effect && { effect }), causes })
  return decision
}

function reportHooks(
  tell: Tell,
  { attempts }: { readonly attempts: number },
): (outcome: HookOutcome) => void {
  return ({ name, key, attempt, ...failure }) => {
    if (!('error' in failure)) tell('hook:succeeded', { name, key, attempt })
    else {
      const givenUp = attempt >= attempts
      tell('hook:failed', { name, key, attempt, givenUp, error: failure.error })
    }
  }
}

const dwellTime = (event: SecurityEvent, receivedMs: number, nowMs: number): DwellTime => ({
  sinceEventMs: nowMs - event.time * 1000,
  sinceIssuedMs: nowMs - event.iat * 1000,
  sinceReceivedMs: nowMs - receivedMs,
})
