import type { Clock } from '@drawbridge/core'
import type { Authority } from '../authority/authority.ts'
import { limitsOf } from '../blast-radius/limits.ts'
import { isSoftened, type Protection } from '../blast-radius/protection.ts'
import type { Effect, Terms } from '../effect.ts'
import type { Tell } from '../enforcement-events.ts'
import { fold, type FoldRules } from '../fold.ts'
import { entryKey, type LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Written } from '../ledger/ledger.ts'
import type { EnforcementSettings } from '../options.ts'
import { linesOf, type Session } from '../session.ts'
import { sessionKinds, type Who } from '../who.ts'
import { awaitGrace } from './grace.ts'
import { createHookRunner, type HookOutcome } from './hook-runner.ts'
import { cappedHook, dueHooks, type DueHook } from './hooks.ts'

/** What carrying out needs. */
export interface CarryOutSettings extends EnforcementSettings {
  readonly authority: Authority
  readonly rules: FoldRules
  readonly protection: Protection
  readonly clock: Clock
  readonly tell: Tell
  read(who: Who): Session
  /** NumericDate, seconds. */
  now(): number
  /** The entry that stands under a key. */
  standing(key: string): LedgerEntry | undefined
}

/** Has the application carry out what the ledger says. */
export interface CarryOut {
  /** An entry is durable. */
  written(written: Written): void
  /** An entry was there when the ledger was opened. */
  found(entry: LedgerEntry): void
  /** What was held may end sessions now. */
  confirmed(entry: LedgerEntry): void
  /** What an entry took was given back, by an operator. */
  restored(entry: LedgerEntry, what: { readonly effect: Effect; readonly terms?: Terms }): void
  /** Waits for hooks that run, and for no grace period. */
  stop(): Promise<void>
}

/** Makes the side of the enforcement that the application's hooks see. */
export function createCarryOut(settings: CarryOutSettings): CarryOut {
  const { authority, clock, protection, rules, tell, read, now, standing } = settings
  let stopping = new AbortController()

  const sessionsOf = async ({ on, also = [] }: LedgerEntry): Promise<readonly Who[]> => {
    const { sessions } = settings
    if (!sessions) return []
    if (also.length === 0) return sessions(on)
    const found = await Promise.all([on, ...also].map(async (one) => sessions(one)))
    // One that is known by several names is still one.
    return [...new Map(found.flat().map((who) => [JSON.stringify(who), who])).values()]
  }
  const effectsOn = (entry: LedgerEntry, who: Who): readonly string[] =>
    fold([entry], read(who), now(), rules).taken.map(({ effect }) => effect)

  const takesFrom = ({ name, entry }: DueHook, who: Who): boolean => {
    if (name === 'restore') return linesOf(read(who)).some((line) => authority.reach(entry, line))
    const effects = effectsOn(entry, who)
    return name === 'rotate' ? effects.length > 0 : effects.includes(name)
  }

  const runner = createHookRunner({
    ...settings,
    retry: settings.hookRetry,
    takesFrom,
    sessionsOf: async (due) => {
      const found = await sessionsOf(due.entry)
      return filtered(found, (who) => takesFrom(due, who))
    },
    report: reportHooks(tell, settings.hookRetry),
  })

  const leftOf = (due: DueHook): DueHook | undefined => {
    const { cause, on } = due.entry
    const { isObserved, hardest } = limitsOf(due.entry, settings)
    // A credential that was made useless cannot be given back.
    const isHeldBack = due.name === 'rotate' && rules.rulingOf?.(due.entry)?.hardest === 'suspend'
    // A hook that looks nobody up itself must not be told of people who are others' to name.
    if (isHeldBack || isObserved || !authority.mayName(cause.iss, on)) return undefined
    return protection.hookFor(cappedHook(due, hardest))
  }
  const runAll = (dues: readonly DueHook[]): void => {
    const byName = new Map<string, DueHook>()
    for (const due of dues) {
      const left = leftOf(due)
      // Two effects that come to the same are one task: that of the rule which says so itself.
      if (!left) continue
      const earlier = byName.get(left.name)
      const task = earlier && left !== due ? earlier : left
      byName.set(left.name, earlier ? forKindsOf(task, earlier, left) : left)
    }
    for (const left of byName.values()) runner.run(left)
  }
  const run = (due: DueHook): void => runAll([due])
  const waitForGrace = (entry: LedgerEntry): void => {
    const { isObserved, hardest } = limitsOf(entry, settings)
    if (isObserved || hardest !== 'terminate') return
    void awaitGrace(entry, { clock, standing, run }, stopping.signal)
  }
  const countUnmatched = async ({ changed, entry }: Written): Promise<void> => {
    if (!settings.sessions || !changed || entry.lifted || entry.observed) return
    const { cause, on: subject } = entry
    for await (const slice of slicesOf(await sessionsOf(entry))) {
      if (slice.some((who) => effectsOn(entry, who).length > 0)) return
    }
    tell('signal:unmatched', { cause, subject })
  }
  const isOfProtected = (entry: LedgerEntry, who: Who): boolean => {
    return linesOf(read(who)).some((line) => {
      return protection.covers(line.subject) && authority.reach(entry, line) !== undefined
    })
  }
  const watchProtected = async ({ changed, entry }: Written): Promise<void> => {
    const { cause, on: subject, effect } = entry
    if (protection.isEmpty || !changed || entry.lifted || !isSoftened(entry)) return
    if (limitsOf(entry, settings).isObserved) return
    if (protection.names(entry)) return tell('subject:protected', { cause, subject, effect })
    for await (const slice of slicesOf(await sessionsOf(entry))) {
      if (slice.some((who) => isOfProtected(entry, who))) {
        return tell('subject:protected', { cause, subject, effect })
      }
    }
  }

  return {
    written: (outcome) => {
      const { before, changed, entry } = outcome
      // What an operator gave back is not given back once more.
      const isBack = entry.lifted && before && limitsOf(before, settings).isObserved
      if (!isBack) runAll(dueHooks(outcome))
      if (changed) waitForGrace(entry)
      // What the application's function throws is seen where hooks use it.
      void countUnmatched(outcome).catch(() => undefined)
      void watchProtected(outcome).catch(() => undefined)
    },
    confirmed: (entry) => {
      const isNew = ({ name }: DueHook): boolean => name === 'terminate' || name === 'rotate'
      runAll(dueHooks({ changed: true, entry }).filter(isNew))
      waitForGrace(entry)
    },
    restored: (entry, what) => {
      const { cause, on } = entry
      if (authority.limits(cause.iss).isObserved || !authority.mayName(cause.iss, on)) return
      runner.run({ name: 'restore', entry, ...what })
    },
    found: (entry) => {
      if (standing(entryKey(entry)) === entry) waitForGrace(entry)
    },
    stop: async () => {
      stopping.abort()
      await runner.drain()
      stopping = new AbortController()
    },
  }
}

/** A task that is for the kinds of two. */
function forKindsOf(due: DueHook, one: DueHook, other: DueHook): DueHook {
  const { kinds: _, ...task } = due
  if (!one.kinds || !other.kinds) return task
  const either = new Set([...one.kinds, ...other.kinds])
  return either.size === sessionKinds.length ? task : { ...task, kinds: [...either] }
}

/**
 * Well below a millisecond of work: requests are answered in between, however many sessions there
 * are.
 */
const sliceLength = 20

async function* slicesOf(sessions: readonly Who[]): AsyncGenerator<readonly Who[]> {
  for (let start = 0; start < sessions.length; start += sliceLength) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve))
    yield sessions.slice(start, start + sliceLength)
  }
}

async function filtered(
  sessions: readonly Who[],
  keep: (who: Who) => boolean,
): Promise<readonly Who[]> {
  const kept: Who[] = []
  for await (const slice of slicesOf(sessions)) kept.push(...slice.filter(keep))
  return kept
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
