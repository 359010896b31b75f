import type { StoredKey } from '../store/transmitter-store.ts'

/** What the keys of one algorithm do at one moment. */
export interface Ring {
  /** Published, and will sign later. */
  readonly next: readonly StoredKey[]
  /** Signs. Undefined where there is no key. */
  readonly active: StoredKey | undefined
  /** Published, and signs no more. */
  readonly retiring: readonly StoredKey[]
  /** Not published any more. */
  readonly retired: readonly StoredKey[]
}

/** The times of a ring, in milliseconds. */
export interface RingPlan {
  /** How long a key is published before it signs. */
  readonly aheadMs: number
  /** How long it is published after another has taken its place. */
  readonly keepMs: number
  /** How long it signs. Undefined: until a rotation is called for. */
  readonly rotateAfterMs: number | undefined
}

/** What is written to the store. */
export interface RingChange {
  readonly keys: readonly StoredKey[]
  /** `kid`s. */
  readonly dropped: readonly string[]
}

/**
 * Tells what each key of one algorithm does.
 *
 * @param keys In the order of `active_from`
 * @param now In milliseconds since 1970
 */
export function ringAt(keys: readonly StoredKey[], now: number): Ring {
  // A clock that was turned back must not leave a Transmitter without a key.
  const active = keys.findLast(({ active_from }) => active_from <= now) ?? keys[0]
  const at = active ? keys.indexOf(active) : 0
  const before = keys.slice(0, at)
  return {
    next: keys.slice(at + 1),
    active,
    retiring: before.filter((key) => isPublished(key, now)),
    retired: before.filter((key) => !isPublished(key, now)),
  }
}

const isPublished = ({ published_until: until }: StoredKey, now: number): boolean =>
  until === undefined || until > now

/** The keys that Receivers are shown, the one that signs first. */
export function publishedOf({ next, active, retiring }: Ring): readonly StoredKey[] {
  return [...(active ? [active] : []), ...next, ...retiring]
}

/** When a rotation is due by the schedule, in milliseconds since 1970. Undefined: never. */
export function rotationDueAt(
  keys: readonly StoredKey[],
  { rotateAfterMs, aheadMs }: RingPlan,
): number | undefined {
  // The newest, also where it does not sign yet: there is never more than one next key.
  const newest = keys.at(-1)
  if (!newest || rotateAfterMs === undefined) return undefined
  return newest.active_from + rotateAfterMs - aheadMs
}

/** Lets a new key follow: those before it stay published until nothing of theirs is under way. */
export function follow(
  keys: readonly StoredKey[],
  next: StoredKey,
  { keepMs }: RingPlan,
): RingChange {
  const published_until = next.active_from + keepMs
  const ended = keys
    .filter((key) => key.published_until === undefined)
    .map((key) => ({ ...key, published_until }))
  return { keys: [...ended, next], dropped: [] }
}

/** Puts a new key in the place of all others, of which none is to be trusted any more. */
export function replaceAll(keys: readonly StoredKey[], successor: StoredKey): RingChange {
  return { keys: [successor], dropped: keys.map(({ kid }) => kid) }
}

/** Lets keys go that nobody signs with any more: published for a while, then dropped. */
export function retireAll(
  keys: readonly StoredKey[],
  now: number,
  { keepMs }: RingPlan,
): RingChange {
  return {
    keys: keys
      .filter((key) => key.published_until === undefined)
      .map((key) => ({ ...key, published_until: now + keepMs })),
    dropped: keys.filter((key) => !isPublished(key, now)).map(({ kid }) => kid),
  }
}
