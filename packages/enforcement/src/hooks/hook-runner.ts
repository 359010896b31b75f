import { backoffMs, createLanes, type Backoff, type Clock } from '@drawbridge/core'
import { entryKey, type LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Hook, HookCall, HookName, Hooks } from './hooks.ts'

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
  /** Told of every attempt. Must not throw. */
  report(outcome: HookOutcome): void
}

/** Runs hooks behind the enforcement. */
export interface HookRunner {
  /** Starts a hook, where there is one of that name. Never throws and never waits. */
  run(name: HookName, entry: LedgerEntry): void
  /** Resolves when every hook has finished or was given up; waits between attempts are cut short. */
  drain(): Promise<void>
}

/** Makes a hook runner. */
export function createHookRunner(settings: HookRunnerSettings): HookRunner {
  const lanes = createLanes()
  let draining = new AbortController()

  return {
    run: (name, entry) => {
      const hook = settings.hooks[name]
      if (!hook) return
      const call = callOf(name, entry)
      const task = { ...settings, name, hook, call }
      void lanes.run(entryKey(entry), () => runHook(task, draining.signal))
    },
    drain: async () => {
      draining.abort()
      await lanes.idle()
      draining = new AbortController()
    },
  }
}

type Call = Omit<HookCall, 'signal'>

function callOf(name: HookName, entry: LedgerEntry): Call {
  const { on, effect, cause, since, reaches } = entry
  // One signal can write several entries: each cause has a key of its own.
  const key = JSON.stringify([name, cause.iss, cause.jti, cause.name])
  return { key, subject: on, effect, cause, since, reaches }
}

interface Task extends HookRunnerSettings {
  readonly name: HookName
  readonly hook: Hook
  readonly call: Call
}

async function runHook(task: Task, hurry: AbortSignal): Promise<void> {
  const { retry, clock, name, call } = task
  for (let attempt = 1; attempt <= retry.attempts; attempt++) {
    try {
      await attemptHook(task)
      task.report({ name, key: call.key, attempt })
      return
    } catch (error) {
      task.report({ name, key: call.key, attempt, error })
    }
    if (attempt < retry.attempts) {
      await clock.sleep(backoffMs(retry, attempt, Math.random()), hurry)
    }
  }
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
    finished.abort()
  }
}
