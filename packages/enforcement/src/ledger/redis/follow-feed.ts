import { backoffMs, type Clock } from '@drawbridge/core'
import { isExpired, readEntry, type LedgerEntry } from '../ledger-entry.ts'
import type { LedgerFollower } from '../ledger.ts'
import type { Connection } from './connection.ts'
import type { RedisEntries } from './entries.ts'
import { compareIds, itemsOf, textsOf } from './feed-item.ts'
import { checkScript, establishScript, runScript, type LedgerKeys } from './scripts.ts'

/** The newest item of the feed that a write of this node was acknowledged with. */
export interface Acknowledged {
  id: string
}

/** What following needs. */
export interface FollowSettings {
  /** For the follower alone: its commands block. */
  readonly connection: Connection
  readonly entries: RedisEntries
  readonly keys: LedgerKeys
  readonly acknowledged: Acknowledged
  readonly heartbeatMs: number
  readonly commandTimeoutMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Ends the following. */
  readonly signal: AbortSignal
}

/** Where in which copy of the ledger a node has read to. The item at the position was there. */
interface Place {
  readonly epoch: string
  readonly position: string
}

/** What has become of a place: it is still there, items after it were removed, or it never was. */
type Continuity = 'whole' | 'trimmed' | 'lost'

/** How many items one command reads, and how many entries are written back at a time. */
const batch = 500

const backoff = { firstMs: 50, longestMs: 1000 }

/**
 * Reads all entries, then follows the feed until the signal aborts.
 *
 * @returns When all entries are read: the end of the following, which never rejects
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` or `ERR_STORAGE_VERSION`
 */
export async function followFeed(
  follower: LedgerFollower,
  settings: FollowSettings,
): Promise<{ readonly ended: Promise<void> }> {
  const { clock, random, signal } = settings
  let place = await synchronise(follower, settings)
  follower.heard()
  let continuity: Continuity = 'whole'
  let unwritten: readonly LedgerEntry[] | undefined

  const heal = async (): Promise<void> => {
    if (unwritten) await writeBack(unwritten, settings)
    const next = await synchronise(follower, settings)
    // Lost while the rest was read: the old epoch is remembered until nothing is missing.
    if (!unwritten && next.epoch !== place.epoch) continuity = 'lost'
    else {
      unwritten = undefined
      continuity = 'whole'
      place = next
      follower.heard()
    }
  }

  const turn = async (): Promise<void> => {
    // Once for each loss, however often the writing back has to be begun again.
    if (continuity === 'lost') unwritten ??= follower.lost()
    if (continuity !== 'whole') return heal()
    const read = await readOn(place, follower, settings)
    continuity = read.continuity
    if (continuity === 'whole') place = read.place
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted;) {
      try {
        await turn()
        failures = 0
      } catch {
        failures += 1
        await clock.sleep(backoffMs(backoff, failures, random()), signal)
      }
    }
  }
  return { ended: run() }
}

/** Takes in all entries and finds the place from where the feed goes on. */
async function synchronise(
  follower: LedgerFollower,
  { connection, entries, keys, acknowledged }: FollowSettings,
): Promise<Place> {
  acknowledged.id = '0-0'
  const places = [keys.entries, keys.feed]
  const made = await runScript(connection, establishScript, places, [crypto.randomUUID()])
  const [epoch, position] = made as [string, string]
  // After the position is known: what is written meanwhile comes by the feed.
  for await (const texts of entries.pages(connection)) take(texts, follower)
  return { epoch, position }
}

/** Waits for new items, takes them in and finds out whether any are missing. */
async function readOn(
  place: Place,
  follower: LedgerFollower,
  settings: FollowSettings,
): Promise<{ readonly continuity: Continuity; readonly place: Place }> {
  const { connection, keys, acknowledged, heartbeatMs, commandTimeoutMs } = settings
  const { position } = place
  const due = acknowledged.id
  const limits = ['COUNT', String(batch), 'BLOCK', String(heartbeatMs)]
  const answer = await connection.send(
    ['XREAD', ...limits, 'STREAMS', keys.feed, position],
    heartbeatMs + commandTimeoutMs,
  )
  const items = itemsOf(answer)
  take(textsOf(items), follower)
  const read = { ...place, position: items.at(-1)?.[0] ?? position }
  const continuity = await check(place, settings)
  // With a full batch there is more to come.
  const isComplete = items.length < batch
  if (continuity !== 'whole' || !isComplete) return { continuity, place: read }
  // What this node was told is written has to be there.
  if (compareIds(read.position, due) < 0) return { continuity: 'lost', place: read }
  follower.heard()
  return { continuity, place: read }
}

/**
 * Asks, after items were read, whether the item before them is still there: then none was removed
 * in between, for the feed is trimmed from its beginning.
 */
async function check(
  { epoch, position }: Place,
  { connection, keys }: FollowSettings,
): Promise<Continuity> {
  const answer = await runScript(connection, checkScript, [keys.entries, keys.feed], [position])
  const [now, found, first] = answer as [string, number, string]
  if (now !== epoch) return 'lost'
  if (found > 0) return 'whole'
  // A feed that begins earlier and does not hold the item is another one: an old copy.
  return first === '' || compareIds(first, position) > 0 ? 'trimmed' : 'lost'
}

/** Puts what can be read, and only then fails for what cannot. */
function take(texts: readonly string[], follower: LedgerFollower): void {
  const entries: LedgerEntry[] = []
  let failure: unknown
  for (const text of texts) {
    try {
      entries.push(readEntry(text))
    } catch (error) {
      failure ??= error
    }
  }
  if (entries.length > 0) follower.put(entries)
  if (failure !== undefined) throw failure
}

async function writeBack(
  known: readonly LedgerEntry[],
  { entries, clock }: FollowSettings,
): Promise<void> {
  const now = clock.now() / 1000
  const standing = known.filter((entry) => !isExpired(entry, now))
  for (let at = 0; at < standing.length; at += batch) {
    await Promise.all(standing.slice(at, at + batch).map((entry) => entries.write(entry)))
  }
}
