import type { Clock } from '@drawbridge/core'
import { namesIn } from '../delegation.ts'
import type { AccessDecision, CheckOptions } from '../guard/access-decision.ts'
import type { Who } from '../who.ts'
import { AccessEndedError } from './access-ended.ts'

/** How long and for what a session is watched. */
export interface WatchOptions extends CheckOptions {
  /**
   * Aborts when what is watched for is over, so that the watch is given up. Default: it lasts as
   * long as sessions can, and everybody who watches the same session shares it.
   */
  readonly until?: AbortSignal
}

/** What watches need. */
export interface WatchSettings {
  readonly clock: Clock
  /** How long a watch without an end lasts, in seconds. */
  readonly longestSessionSeconds: number
  check(who: Who, options: CheckOptions): AccessDecision
}

/** Watches sessions for those who go on without asking at every step. */
export interface Watches {
  /** Gives a signal that aborts as soon as a check would not allow. */
  signal(who: Who, options?: WatchOptions): AbortSignal
  /** Asks again for all that is filed under these texts. */
  changed(places: Iterable<string>): void
  /** Asks again for all. */
  changedAll(): void
  /** Gives up all watches; nothing aborts. */
  close(): void
  /** How many sessions are watched. */
  readonly size: number
}

interface Watch {
  readonly who: Who
  readonly requires: CheckOptions
  readonly controller: AbortController
  readonly places: readonly string[]
  /** Under which all who watch the same find it. */
  readonly name?: string
  /** Milliseconds since 1970. */
  readonly lastsUntil: number
  /** Asks no more to be told when `until` aborts. */
  release(): void
  /** When time alone may end the access, in milliseconds since 1970. */
  endsAt: number
}

/** How often it is looked whether time alone has ended something. */
const everyMs = 1000

/** Makes the watches. */
export function createWatches({ clock, longestSessionSeconds, check }: WatchSettings): Watches {
  const files = new Map<string, Set<Watch>>()
  const shared = new Map<string, Watch>()
  const all = new Set<Watch>()
  const timed = new Set<Watch>()
  let ticking: AbortController | undefined

  const restIfIdle = (): void => {
    if (timed.size > 0) return
    ticking?.abort()
    ticking = undefined
  }

  const drop = (watch: Watch): void => {
    all.delete(watch)
    timed.delete(watch)
    watch.release()
    if (watch.name !== undefined) shared.delete(watch.name)
    for (const place of watch.places) {
      const file = files.get(place)
      file?.delete(watch)
      if (file?.size === 0) files.delete(place)
    }
    restIfIdle()
  }

  const judge = (watch: Watch): void => {
    const decision = check(watch.who, watch.requires)
    if (decision.outcome !== 'allow') {
      drop(watch)
      watch.controller.abort(new AccessEndedError(decision))
      return
    }
    watch.endsAt = decision.expiresAt?.getTime() ?? Infinity
    if (watch.endsAt === Infinity) {
      timed.delete(watch)
      restIfIdle()
      return
    }
    timed.add(watch)
    ticking ??= startTicking()
  }

  const startTicking = (): AbortController => {
    const stop = new AbortController()
    const tick = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        await clock.sleep(everyMs, stop.signal)
        for (const watch of timed) if (watch.endsAt <= clock.now()) judge(watch)
      }
    }
    void tick()
    return stop
  }

  const add = (watch: Watch): void => {
    // Sets keep their order, so the oldest watches come first.
    for (const old of all) {
      if (old.lastsUntil > clock.now()) break
      drop(old)
    }
    all.add(watch)
    if (watch.name !== undefined) shared.set(watch.name, watch)
    for (const place of watch.places) {
      const file = files.get(place) ?? new Set()
      files.set(place, file.add(watch))
    }
    judge(watch)
  }

  return {
    signal: (who, { until, ...requires } = {}) => {
      if (until?.aborted) return AbortSignal.abort(until.reason)
      const decision = check(who, requires)
      if (decision.outcome !== 'allow') return AbortSignal.abort(new AccessEndedError(decision))
      const name = until ? undefined : nameOf(who, requires)
      const standing = name === undefined ? undefined : shared.get(name)
      if (standing) return standing.controller.signal
      const watch: Watch = {
        who,
        requires,
        controller: new AbortController(),
        places: [...new Set(namesIn(who))],
        lastsUntil: clock.now() + longestSessionSeconds * 1000,
        release: () => until?.removeEventListener('abort', giveUp),
        endsAt: Infinity,
        ...(name !== undefined && { name }),
      }
      const giveUp = (): void => drop(watch)
      until?.addEventListener('abort', giveUp)
      add(watch)
      return watch.controller.signal
    },
    changed: (places) => {
      const met = new Set<Watch>()
      for (const place of places) for (const watch of files.get(place) ?? []) met.add(watch)
      for (const watch of met) judge(watch)
    },
    changedAll: () => {
      for (const watch of all) judge(watch)
    },
    close: () => {
      for (const watch of all) drop(watch)
    },
    get size() {
      return all.size
    },
  }
}

/** The same for the same session and the same grants. */
function nameOf(who: Who, requires: CheckOptions): string {
  const { subject, began, beganIsLocal, issuer, kind, acr, grants, delegator, endsWith } = who
  const own = [subject, began, beganIsLocal, issuer, kind, acr, grants]
  return JSON.stringify([...own, delegator, endsWith, requires.requires])
}
