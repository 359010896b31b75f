import { createEmitter } from '@drawbridge/core'
import { createCanonical, subjectOf } from '@drawbridge/schema'
import { createAuthority } from './authority/authority.ts'
import { canonicalMandates } from './authority/mandate.ts'
import { createActs } from './blast-radius/acts.ts'
import { createBlastRadius } from './blast-radius/blast-radius.ts'
import { createOperator } from './blast-radius/operator.ts'
import { createProtection } from './blast-radius/protection.ts'
import { dryRunOf } from './dry-run.ts'
import type { EnforcementEvents, Tell } from './enforcement-events.ts'
import type { Enforcement } from './enforcement.ts'
import type { FoldRules } from './fold.ts'
import type { AccessDecision, CheckOptions } from './guard/access-decision.ts'
import { createGuard } from './guard/guard.ts'
import { createCarryOut } from './hooks/carry-out.ts'
import { entryKey, issuerMeant, type LedgerEntry } from './ledger/ledger-entry.ts'
import type { Widen } from './ledger/ledger-index.ts'
import { createReplica, type Replica } from './ledger/replica.ts'
import { createLifecycle } from './lifecycle.ts'
import {
  createLocalSettings,
  entryOfLift,
  entryOfSignal,
  laterThan,
  transmitOnward,
  type Onward,
} from './local/local-signal.ts'
import { ruleRequest } from './local/rule-requests.ts'
import { readOptions, type EnforcementOptions } from './options.ts'
import { createRecordSignals, followedDwell } from './record-signals.ts'
import { canonicalSession, checkBegan, readSession, type Session } from './session.ts'
import type { Who } from './who.ts'
import { createSilences, silenceEntries, silenceKeys, silenceLifts } from './silence.ts'
import { createWatches } from './watch/watches.ts'

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
  const { clock, toleranceSeconds } = settings
  const emitter = createEmitter<EnforcementEvents>()
  const tell: Tell = (name, event) => {
    emitter.emit(name, { at: clock.now(), ...event } as never)
  }
  const canonical = createCanonical(settings.issuerAliases)
  const mandates = canonicalMandates(settings.mandates, canonical)
  const authority = createAuthority(mandates)
  const acts = createActs()
  const protection = createProtection(
    settings.protect.map((one) => canonical.subject(subjectOf(one, 'protect'))),
  )
  const rules: FoldRules = {
    authority,
    acrOrder: settings.acrOrder,
    rulingOf: acts.rulingOf,
    ...(!protection.isEmpty && { isProtected: ({ subject }) => protection.covers(subject) }),
  }
  const widen: Widen = ({ cause, on }) => authority.widened(cause.iss, on)
  const now = (): number => clock.now() / 1000
  const read = (who: Who): Session => {
    const session = readSession(who, toleranceSeconds)
    checkBegan(session, now())
    return canonicalSession(session, canonical)
  }
  const index: Replica['index'] = () => replica.index()

  const guard = createGuard({
    ...settings,
    read,
    rules,
    now,
    index,
    isShut: () => settings.onStale === 'refuse' && replica.isStale(),
  })
  const watches = createWatches({ ...settings, check: guard.check })
  const carryOut = createCarryOut({
    ...settings,
    authority,
    protection,
    rules,
    tell,
    read,
    now,
    standing: (key) => index()?.read(key),
  })

  const replica = createReplica({
    ...settings,
    widen,
    report: {
      changed: (entry) => {
        blastRadius.changed(entry)
        if (issuerMeant(entry.on) === undefined) {
          watches.changed(index()?.places(entryKey(entry)) ?? [])
        } else watches.changedAll()
      },
      followed: ({ act, cause, effect, lifted, since }) => {
        if (act) return
        const dwell = followedDwell(cause, since, clock)
        silences.heard(cause.iss)
        tell('signal:followed', { cause, effect, lifted: lifted === true, dwell })
      },
      recovered: (written) => {
        if (!written.entry.act) carryOut.written(written)
      },
      stale: (heardAt) => {
        tell('ledger:stale', { heardAt })
        watches.changedAll()
      },
      fresh: () => tell('ledger:fresh', {}),
      lost: (entries) => tell('ledger:lost', { entries }),
      doubted: (reason) => tell('ledger:doubted', { reason }),
    },
  })
  const local = createLocalSettings({ ...settings, canonical })
  const parts = { ...settings, acts, authority, canonical, mandates, now, replica, rules, tell }
  const blastRadius = createBlastRadius({ ...parts, local })
  const { written } = carryOut
  const signals = createRecordSignals({ ...parts, blastRadius, written })

  const silences = createSilences({
    ...settings,
    isSilent: (iss) =>
      silenceKeys(iss, settings, local).some((key) => isStanding(index()?.read(key))),
    fellSilent: (iss, heardAt) => {
      tell('transmitter:silent', { iss, heardAt })
      for (const entry of silenceEntries(iss, settings, local)) writeBehind(entry)
    },
    returned: (iss, heardAt) => {
      tell('transmitter:returned', { iss, silentMs: clock.now() - heardAt })
      for (const entry of silenceLifts(iss, settings, local)) writeBehind(entry)
    },
  })

  const { start, stop, run } = createLifecycle({
    open: async () => {
      await replica.open()
      silences.start()
      const entries = index()?.all() ?? []
      blastRadius.opened(entries)
      for (const entry of entries) carryOut.found(entry)
    },
    close: async () => {
      silences.stop()
      watches.close()
      await carryOut.stop()
      await replica.close()
      blastRadius.closed()
    },
  })

  const decide = (entry: LedgerEntry, onward: { readonly onward?: Onward }): Promise<void> => {
    const receipt = { receivedMs: clock.now() }
    return run(async () => {
      await signals.write(laterThan(index()?.read(entryKey(entry)), entry), receipt)
      await transmitOnward(entry, onward, settings)
    })
  }
  const writeBehind = (entry: LedgerEntry): void => {
    // Begun at once: this very request is judged by it.
    const later = laterThan(index()?.read(entryKey(entry)), entry)
    const writing = signals.write(later, { receivedMs: clock.now() })
    run(() => writing).catch(() => undefined)
  }
  const ruling = { ...settings, ...local, index, write: writeBehind }
  const operator = createOperator({
    ...parts,
    blastRadius,
    index,
    run,
    carriesOut: settings.hooks.terminate !== undefined,
    confirmed: carryOut.confirmed,
    restored: carryOut.restored,
  })

  return {
    ...operator,
    start,
    stop,
    apply: (event) => {
      const receipt = { receivedMs: clock.now() }
      silences.heard(event.iss)
      return run(() => signals.record(event, receipt))
    },
    heard: silences.heard,
    take: async (signal) => decide(entryOfSignal(signal, local), signal),
    giveBack: async (lift) => decide(entryOfLift(lift, local), lift),
    check: (who, checking: CheckOptions = {}) => {
      const decision = guard.check(who, checking)
      if (settings.requestRules.length === 0) return announce(decision, tell)
      const hasTaken = ruleRequest(who, decision, checking, ruling)
      return announce(hasTaken ? guard.check(who, checking) : decision, tell)
    },
    signal: watches.signal,
    explain: guard.explain,
    entriesFor: (who) => index()?.find(who) ?? [],
    dryRun: async (event, sessions) => {
      const entries = await signals.judge(event)
      return dryRunOf(entries, sessions, { index: index(), widen, rules, read, now })
    },
    events: emitter.watchable,
  }
}

const isStanding = (entry: LedgerEntry | undefined): boolean => entry !== undefined && !entry.lifted

function announce(decision: AccessDecision, tell: Tell): AccessDecision {
  if (decision.outcome === 'allow') {
    if (decision.observed) tell('request:observed', { causes: decision.observed })
    return decision
  }
  const { outcome, effect, causes } = decision
  tell('request:denied', { outcome, ...(effect && { effect }), causes })
  return decision
}
