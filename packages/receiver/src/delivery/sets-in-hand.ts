import { backoffMs, type Backoff, type Clock } from '@drawbridge/core'
import type { PollRequest, SetErrorReport } from '@drawbridge/schema'
import type { AcceptSet, Outcome, VerifiedSet } from '../handling/accept-set.ts'
import type { PolledSets } from './read-poll-answer.ts'

/** What a poll says of the SETs that were finished. */
export type Report = Pick<PollRequest, 'ack' | 'setErrs'>

/** The SETs that polls brought and the Transmitter was told nothing of. */
export interface SetsInHand {
  /** Whether SETs are being handled. */
  readonly isBusy: boolean
  /**
   * Begins with SETs: oldest first, principals side by side. Those in hand already are left alone,
   * and so are those that failed a short while ago.
   *
   * @returns How long all of them are to be left alone, in milliseconds; 0 where one was begun
   */
  begin(sets: PolledSets): Promise<number>
  /** What became of those that are finished. */
  report(): Report
  /** Forgets what the Transmitter was told. */
  told(report: Report): void
  /** Resolves when no SET is being handled. Never rejects. */
  settled(): Promise<void>
}

/** What {@link createSetsInHand} needs. */
export interface SetsInHandParts {
  readonly acceptSet: AcceptSet
  readonly clock: Clock
  readonly random: () => number
}

interface Failed {
  readonly failures: number
  /** When it may be tried again, in milliseconds since 1970. */
  readonly until: number
}

const backoff: Backoff = { firstMs: 200, longestMs: 30_000 }

/** SETs that never come again would stay for good. */
const mostFailed = 1000

/** Makes an empty hand. */
export function createSetsInHand({ acceptSet, clock, random }: SetsInHandParts): SetsInHand {
  const underWay = new Map<string, Promise<void>>()
  const failed = new Map<string, Failed>()
  const finished = new Map<string, Outcome>()

  const note = (jti: string, outcome: Outcome): void => {
    underWay.delete(jti)
    const failures = (failed.get(jti)?.failures ?? 0) + 1
    failed.delete(jti)
    if (outcome.kind !== 'unfinished') {
      finished.set(jti, outcome)
      return
    }
    // It comes again, from some peers at once: a handler that fails must not make the loop spin.
    failed.set(jti, { failures, until: clock.now() + backoffMs(backoff, failures, random()) })
    const [oldest] = failed.keys()
    if (failed.size > mostFailed && oldest !== undefined) failed.delete(oldest)
  }
  const waitMs = (jti: string): number =>
    underWay.has(jti) ? Infinity : Math.max(0, (failed.get(jti)?.until ?? 0) - clock.now())

  return {
    get isBusy() {
      return underWay.size > 0
    },
    begin: async (sets) => {
      const fresh = Object.entries(sets).filter(([jti]) => waitMs(jti) === 0 && !finished.has(jti))
      const verified = await Promise.all(
        fresh.map(async ([jti, token]) => ({ jti, result: await verifyAs(acceptSet, jti, token) })),
      )
      for (const { jti, result } of verified.toSorted(byTime)) {
        const outcome = 'finish' in result ? result.finish() : Promise.resolve(result)
        underWay.set(
          jti,
          outcome.then((one) => note(jti, one)),
        )
      }
      return fresh.length > 0 ? 0 : Math.min(...Object.keys(sets).map(waitMs))
    },
    report: () => reportOf(finished),
    told: ({ ack = [], setErrs = {} }) => {
      for (const jti of [...ack, ...Object.keys(setErrs)]) finished.delete(jti)
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay.values())
    },
  }
}

function reportOf(finished: ReadonlyMap<string, Outcome>): Report {
  const ack: string[] = []
  const setErrs: Record<string, SetErrorReport> = {}
  for (const [jti, outcome] of finished) {
    if (outcome.kind === 'acknowledged') ack.push(jti)
    if (outcome.kind === 'rejected') setErrs[jti] = outcome.report
  }
  return {
    ...(ack.length > 0 ? { ack } : {}),
    ...(Object.keys(setErrs).length > 0 ? { setErrs } : {}),
  }
}

interface Verified {
  readonly result: VerifiedSet | Outcome
}

const byTime = (one: Verified, other: Verified): number => timeOf(one) - timeOf(other)

const timeOf = ({ result }: Verified): number => ('finish' in result ? result.event.time : 0)

async function verifyAs(
  acceptSet: AcceptSet,
  jti: string,
  token: string,
): Promise<VerifiedSet | Outcome> {
  const result = await acceptSet.verify(token)
  if (!('finish' in result) || result.event.jti === jti) return result
  const description = '"jti" of the SET is not the key it was sent under'
  return { kind: 'rejected', report: { err: 'invalid_request', description } }
}
