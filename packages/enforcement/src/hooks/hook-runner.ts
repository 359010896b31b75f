import { backoffMs, createLanes, type Backoff, type Clock } from '@drawbridge/core'
import { entryKey } from '../ledger/ledger-entry.ts'
import { sessionKinds, type Who } from '../who.ts'
import type { DueHook, Hook, HookCall, HookName, Hooks } from './hooks.ts'

/** How often and how long hooks are tried. */
export interface HookRetry extends Backoff {
  /** How often a hook is called before it is given up. */
  readonly attempts: number
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number
}

/** An attempt that is over. */
export interface HookOutcome {
  readonly name: HookName
  readonly key: string
  /** Which attempt it was, from 1. */
  readonly attempt: number
  /** What went wrong, where something did. */
  readonly error?: unknown
}

/** What the runner needs. */
export interface HookRunnerSettings {
  readonly hooks: Hooks
  readonly retry: HookRetry
  readonly clock: Clock
  /** Between 0 and 1. */
  random(): number
  /** How many hooks run side by side. */
  readonly parallelHooks: number
  /** Tells whether a hook reaches a session. */
  takesFrom(due: DueHook, who: Who): boolean
  /** Finds the sessions that an entry takes something from, or that a lift gives back to. */
  sessionsOf(due: DueHook): Promise<readonly Who[]>
  /** Told of every attempt. Must not throw. */
  report(outcome: HookOutcome): void
}

/** Runs hooks behind the enforcement. */
export interface HookRunner {
  /** Starts a hook, where there is one of that name. Never throws and never waits. */
  run(due: DueHook): void
  /** Resolves when every hook has finished or was given up; waits between attempts are cut short. */
  drain(): Promise<void>
}

/** Makes a hook runner. */
export function createHookRunner(settings: HookRunnerSettings): HookRunner {
  const lanes = createLanes()
  const slots = createSlots(settings.parallelHooks)
  let draining = new AbortController()

  return {
    run: (due) => {
      const { name, entry } = due
      const hook = settings.hooks[name]
      if (!hook) return
      const call = callOf(due, settings)
      const task = { ...settings, name, hook, call }
      // A rotation that takes its time must not keep sessions from being ended.
      const lane = name === 'rotate' ? `rotate ${entryKey(entry)}` : entryKey(entry)
      void lanes.run(lane, () => runHook(task, slots, draining.signal))
    },
    drain: async () => {
      draining.abort()
      await lanes.idle()
      draining = new AbortController()
    },
  }
}

type Call = Omit<HookCall, 'signal'>

function callOf(due: DueHook, { sessionsOf, takesFrom }: HookRunnerSettings): Call {
  const { name, entry, effect, terms = {}, kinds = sessionKinds } = due
  const { on, cause, since, reaches } = entry
  // One signal can write several entries: each cause has a key of its own.
  const key = JSON.stringify([name, cause.iss, cause.jti, cause.name])
  return {
    name,
    key,
    subject: on,
    effect,
    terms,
    cause,
    since,
    reaches,
    kinds,
    takesFrom: (who) => takesFrom(due, who),
    sessions: () => sessionsOf(due),
  }
}

interface Task extends HookRunnerSettings {
  readonly name: HookName
  readonly hook: Hook
  readonly call: Call
}

async function runHook(task: Task, slots: Slots, hurry: AbortSignal): Promise<void> {
  const { retry, clock, name, call } = task
  for (let attempt = 1; attempt <= retry.attempts; attempt++) {
    try {
      await slots.use(() => attemptHook(task))
      task.report({ name, key: call.key, attempt })
      return
    } catch (error) {
      task.report({ name, key: call.key, attempt, error })
      if (attempt === retry.attempts) return
      await clock.sleep(waitMs(error, backoffMs(retry, attempt, task.random())), hurry)
    }
  }
}

const longestRetryAfterMs = 3_600_000

/** A peer that said when to come back is not asked before, whatever the back-off. */
function waitMs(error: unknown, backoff: number): number {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown }
  const asked = typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : 0
  return Math.max(backoff, Math.min(asked, longestRetryAfterMs))
}

async function attemptHook({ hook, call, retry, clock }: Task): Promise<void> {
  const limit = new AbortController()
  const finished = new AbortController()
  const timeout = clock.sleep(retry.timeoutMs, finished.signal).then(() => {
    if (finished.signal.aborted) return
    limit.abort()
    throw new Error(`the hook did not finish within ${retry.timeoutMs} ms`)
  })
  try {
    await Promise.race([(async () => hook({ ...call, signal: limit.signal }))(), timeout])
  } finally {
    finished.abort(null)
  }
}

/** Bounds what runs at the same time. */
interface Slots {
  use(work: () => Promise<void>): Promise<void>
}

function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []
  return {
    use: async (work) => {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else free++
      }
    },
  }
}
