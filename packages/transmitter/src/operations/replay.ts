import { checkOptions } from '@drawbridge/core'
import {
  matches,
  subjectOf,
  type SetClaims,
  type Subject,
  type SubjectInput,
} from '@drawbridge/schema'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import type { DeliveredEntry, OutboxEntry } from '../store/transmitter-store.ts'
import { findReceivingStream, type OperationContext, type Running } from './operation-context.ts'

/** What is replayed. */
export interface ReplayOptions {
  /** What was recorded then or later, in milliseconds since 1970. */
  readonly from: number
  /** What was recorded before. Default: until now. */
  readonly to?: number
  /** Only what matches this subject, by the rule of `subjects.matching`. Default: all subjects. */
  readonly subject?: SubjectInput
  /**
   * `same`: the same SETs, which a Receiver that has them ignores. `new`: with another `jti` and
   * the `iat` of now under the same `txn`, which it takes as news. Default: `same`.
   */
  readonly as?: 'same' | 'new'
}

/** What was replayed. */
export interface Replayed {
  /** How many SETs wait for the Receiver once more. */
  readonly count: number
  /**
   * What was recorded since is all there, in milliseconds since 1970; of what was before, some may
   * be.
   */
  readonly keptSince: number
  /** Whether the time asked for is all within what is kept. */
  readonly isComplete: boolean
}

/**
 * Sends a Receiver once more what it took, in the order in which it was recorded. Needs
 * `retention.deliveredSeconds`. Whether the Receiver may still learn of each is looked at again
 * when it is delivered. Verifications and Stream Updated Events are not repeated.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND`; `ERR_STREAM_CONFLICT` where the stream is disabled
 * @throws OptionsError `ERR_INVALID_ARG_VALUE`
 */
export type Replay = (streamId: string, options: ReplayOptions) => Promise<Replayed>

const atOnce = 500

/** Makes the replay of one Transmitter. */
export function createReplay(running: Running): Replay {
  return async (streamId, options) => {
    check(options)
    const context = running()
    findReceivingStream(context, streamId)
    const { settings } = context.management
    const now = settings.clock.now()
    const { from, to = now + 1 } = options
    const keptSince = now - settings.retention.deliveredSeconds * 1000
    const entries = await wantedEntries(context, streamId, { ...options, to })
    let count = 0
    for (let begin = 0; begin < entries.length; begin += atOnce) {
      const part = entries.slice(begin, begin + atOnce)
      count += (await context.store.append(part.map((entry) => again(context, entry, options))))
        .length
      context.delivery.wake(streamId)
    }
    return { count, keptSince, isComplete: from >= keptSince }
  }
}

function check({ from, to, as }: ReplayOptions): void {
  const checks = checkOptions('replay')
  checks.check(Number.isFinite(from), '"from" must be a time in milliseconds since 1970')
  checks.check(to === undefined || to > from, '"to" must be a time after "from"')
  checks.check(as === undefined || as === 'same' || as === 'new', '"as" must be "same" or "new"')
  checks.done()
}

/** All before any goes out: what is delivered again meanwhile is kept too, and would come again. */
async function wantedEntries(
  { store, management }: OperationContext,
  streamId: string,
  { from, to, subject }: ReplayOptions & { readonly to: number },
): Promise<readonly DeliveredEntry[]> {
  const rule = management.settings.subjects.matching
  const wanted = subject === undefined ? undefined : subjectOf(subject)
  const isAbout = (about: Subject): boolean => !wanted || matches(about, wanted, rule)
  const entries: DeliveredEntry[] = []
  for (let skip = 0; ; skip += atOnce) {
    const page = await store.readDelivered(streamId, { from, to, skip, limit: atOnce })
    entries.push(...page.filter((entry) => isWanted(entry, isAbout)))
    if (page.length < atOnce) return entries
  }
}

const ownTypes: readonly string[] = [Verification.uri, StreamUpdated.uri]

function isWanted({ claims }: DeliveredEntry, isAbout: (subject: Subject) => boolean): boolean {
  const { sub_id: subject, events } = JSON.parse(claims) as SetClaims
  return !Object.keys(events).some((type) => ownTypes.includes(type)) && isAbout(subject)
}

/** The same keeps its time, or the next replay of that time would miss it. News is of now. */
function again(
  { management, makeJti }: OperationContext,
  { stream_id, jti, kind, lane, claims, recorded_at }: DeliveredEntry,
  { as }: ReplayOptions,
): OutboxEntry {
  if (as !== 'new') return { stream_id, jti, kind, lane, claims, recorded_at }
  const now = management.settings.clock.now()
  const renewed = { jti: makeJti(), iat: Math.floor(now / 1000) }
  const newClaims = JSON.stringify({ ...(JSON.parse(claims) as SetClaims), ...renewed })
  return { stream_id, jti: renewed.jti, kind, lane, claims: newClaims, recorded_at: now }
}
