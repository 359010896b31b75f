import { createClient } from 'redis'
import type { Ledger, LedgerEntry } from '@drawbridge/enforcement'
import { redisLedger, type RedisLedgerOptions, type RedisLike } from '@drawbridge/enforcement/redis'
import { entryKey } from '../src/ledger/ledger-entry.ts'
import { merge, type LedgerDoubt, type LedgerFollower } from '../src/ledger/ledger.ts'
import { entryWith, noon } from './signals.ts'

/** A node of an application: a ledger, and a follower that keeps what it hears. */
export interface Node {
  readonly ledger: Ledger & Required<Pick<Ledger, 'follow'>>
  readonly follower: LedgerFollower
  readonly doubts: readonly LedgerDoubt[]
  /** What it knows, by key. */
  known(): readonly LedgerEntry[]
  heard(): number
  losses(): number
  /** Resolves when something is heard after which the condition holds, or at once when it does. */
  until(condition: () => boolean): Promise<void>
  /** Resolves at the next `heard`. */
  heardAgain(): Promise<void>
}

/** Heartbeats so quick that faults show soon; commands wait for a disk that others may use as well. */
export const quick: RedisLedgerOptions = { heartbeatMs: 50, commandTimeoutMs: 20_000 }

/** A client of which a test hears each command before it is sent. */
export interface Overheard extends RedisLike {
  /** What became of the connections made after it. */
  readonly counts: { made: number; destroyed: number }
}

export function overheard(
  redis: string | RedisLike,
  hear: (args: readonly string[]) => Promise<unknown> | undefined = () => undefined,
): Overheard {
  const client: RedisLike = typeof redis === 'string' ? createClient({ url: redis }) : redis
  const counts = { made: 0, destroyed: 0 }
  return {
    counts,
    ...(client.options && { options: client.options }),
    duplicate: (overrides) => {
      counts.made += 1
      const connection = client.duplicate(overrides)
      return {
        connect: () => connection.connect(),
        destroy: () => {
          counts.destroyed += 1
          connection.destroy()
        },
        on: (name, listener) => connection.on(name, listener),
        sendCommand: async (args) => {
          await hear(args)
          return connection.sendCommand(args)
        },
      }
    },
  }
}

/** Makes a node on a Redis; its ledger is not open yet. */
export function nodeOn(redis: string | RedisLike, options: RedisLedgerOptions = {}): Node {
  const client = typeof redis === 'string' ? createClient({ url: redis }) : redis
  const ledger = redisLedger(client, { ...quick, ...options }) as Node['ledger']
  const known = new Map<string, LedgerEntry>()
  const doubts: LedgerDoubt[] = []
  const waiting = new Map<() => boolean, () => void>()
  let heard = 0
  let losses = 0
  const look = (): void => {
    for (const [condition, resolve] of waiting) {
      if (!condition()) continue
      waiting.delete(condition)
      resolve()
    }
  }
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      waiting.set(condition, resolve)
      look()
    })
  const follower: LedgerFollower = {
    put: (entries) => {
      for (const entry of entries) {
        const key = entryKey(entry)
        known.set(key, merge(known.get(key), entry).entry)
      }
      look()
    },
    heard: () => {
      heard += 1
      look()
    },
    lost: () => {
      losses += 1
      look()
      return [...known.values()]
    },
    doubt: (reason) => void doubts.push(reason),
  }
  return {
    ledger,
    follower,
    doubts,
    known: () => [...known.values()],
    heard: () => heard,
    losses: () => losses,
    until,
    heardAgain: () => {
      const before = heard
      return until(() => heard > before)
    },
  }
}

/** Makes a node that follows. */
export async function followingOn(
  redis: string | RedisLike,
  options: RedisLedgerOptions = {},
): Promise<Node> {
  const node = nodeOn(redis, options)
  await node.ledger.open()
  await node.ledger.follow(node.follower)
  return node
}

/** Entries with different keys: `cause` names them. */
export const entriesNamed = (name: string, count: number): LedgerEntry[] =>
  Array.from({ length: count }, (_, at) =>
    entryWith({ since: noon + at, cause: { name: `${name}-${at}` } }),
  )

/** One entry, of a cause of its own. */
export const entryNamed = (name: string, expires?: number): LedgerEntry =>
  entryWith({ cause: { name }, ...(expires !== undefined && { expires }) })

/** Entries in an order of their own, to be compared. */
export const sorted = (entries: readonly LedgerEntry[]): readonly string[] =>
  entries.map((entry) => JSON.stringify(entry)).toSorted()
