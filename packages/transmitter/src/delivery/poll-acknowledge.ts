import type { PollRequest, SetErrorReport } from '@drawbridge/schema'
import { keptAt } from './kept-at.ts'
import type { Offer } from './offer-book.ts'
import type { Offers } from './offers.ts'
import { retryMs, type PollParts } from './poll-parts.ts'
import { judgeReports, type ReportOutcome } from './poll-reports.ts'
import { printable } from './verdict.ts'

/** What a poll has acknowledged. */
export interface Acknowledged {
  /** Resolves when it is durable. The poll is answered after that. */
  readonly durable: Promise<unknown>
}

/**
 * Applies `ack` and `setErrs`, before anything is selected. What is on offer is not selected again,
 * and where nothing waits for it, the commit goes on while the next SETs are signed.
 *
 * @see RFC 8936, "Acknowledging SETs"; "Error Response"
 */
export async function acknowledge(parts: PollParts, request: PollRequest): Promise<Acknowledged> {
  const { ack = [], setErrs = {} } = request
  const offers = ack.map((jti) => find(parts, jti)?.offer)
  const mustWait = offers.some((offer) => offer?.keepsOrder ?? true)
  const durable = settle(parts, ack)
  // It is waited for in its turn: until then, nobody handles what it throws.
  durable.catch(() => undefined)
  const reports = Object.entries(setErrs)
  if (mustWait) await durable
  if (reports.length > 0) await report(parts, reports, await durable)
  return { durable }
}

/** Takes off what was acknowledged, and gives how much of it was on offer. */
async function settle(parts: PollParts, ack: readonly string[]): Promise<number> {
  const { store, streamId, clock, emitter, settings, health } = parts
  if (ack.length === 0) return 0
  const at = clock.now()
  await store.settle(streamId, ack, keptAt(settings, at))
  const known = ack.filter((jti) => forget(parts, jti))
  if (known.length === 0) return 0
  health.fault = undefined
  health.refusalsInARow = 0
  health.taken += known.length
  health.lastDeliveredAt = at
  for (const jti of known) emitter.emit('set:delivered', { at, stream_id: streamId, jti })
  return known.length
}

async function report(
  parts: PollParts,
  reports: readonly (readonly [string, SetErrorReport])[],
  acknowledged: number,
): Promise<void> {
  const { health } = parts
  const { refusalsInARow: inARow } = health
  const errs = reports.map(([, { err }]) => err)
  const judged = judgeReports(errs, { inARow, acknowledged })
  health.refusalsInARow = judged.inARow
  for (const [index, [jti, { err, description }]] of reports.entries()) {
    const reason = printable(description === '' ? err : `${err}: ${description}`)
    const outcome = judged.outcomes[index] ?? 'stream-at-fault'
    await carryOut(parts, { jti, reason, outcome })
  }
}

interface Reported {
  readonly jti: string
  readonly reason: string
  readonly outcome: ReportOutcome
}

async function carryOut(parts: PollParts, { jti, reason, outcome }: Reported): Promise<void> {
  const { store, streamId, clock, emitter, health } = parts
  const at = clock.now()
  const about = { at, stream_id: streamId, jti }
  const found = find(parts, jti)
  if (found) {
    found.offer.failures++
    found.offer.takenBefore ??= health.taken
  }
  if (outcome === 'refused' || (found && hasHadItsTime(parts, found.offer))) {
    const isBuried = await store.bury(streamId, jti, { reason, at })
    forget(parts, jti)
    if (isBuried) emitter.emit('set:refused', { ...about, reason })
    return
  }
  if (!found) return
  if (outcome === 'stream-at-fault') health.fault = { since: at, ...health.fault, reason }
  const attempt = found.offer.failures
  const retryInMs = retryMs(parts, attempt)
  found.offers.postpone(jti, at + retryInMs)
  emitter.emit('delivery:failed', { ...about, reason, attempt, retryInMs })
}

/** As with pushes: a SET that is reported again and again while others are taken is given up. */
function hasHadItsTime(
  { health, settings, clock }: PollParts,
  { failures, recordedAt, takenBefore }: Offer,
): boolean {
  const { maxAttempts, maxAgeSeconds } = settings.push
  const isOwnFault = takenBefore !== undefined && health.taken > takenBefore
  const isOld = clock.now() - recordedAt >= maxAgeSeconds * 1000
  return isOwnFault && failures >= maxAttempts && isOld
}

function find(
  { offers }: PollParts,
  jti: string,
): { readonly offer: Offer; readonly offers: Offers } | undefined {
  for (const kind of [offers.announcements, offers.events]) {
    const offer = kind.find(jti)
    if (offer) return { offer, offers: kind }
  }
  return undefined
}

const forget = ({ offers }: PollParts, jti: string): boolean =>
  offers.announcements.forget(jti) || offers.events.forget(jti)
