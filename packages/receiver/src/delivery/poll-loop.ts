import { backoffMs, type Backoff, type Clock } from '@drawbridge/core'
import type { PollRequest, SetErrorReport } from '@drawbridge/schema'
import type { AcceptSet, Outcome, VerifiedSet } from '../handling/accept-set.ts'
import type { Peer } from '../peer/peer.ts'
import type { ConnectionEmitter } from '../receiver-events.ts'
import { readPollAnswer, type PolledSets } from './read-poll-answer.ts'

/** What {@link pollLoop} needs. */
export interface PollLoopParts {
  readonly url: string
  readonly peer: Peer
  readonly acceptSet: AcceptSet
  readonly emitter: ConnectionEmitter
  readonly clock: Clock
  readonly random: () => number
  /** Ends the loop: what was handled is still acknowledged. */
  readonly signal: AbortSignal
}

const backoff: Backoff = { firstMs: 200, longestMs: 30_000 }

/** A long poll is held for less than a minute. */
const longPollMs = 70_000

const maxEvents = 100

/** What the next poll says of the SETs of the last one. */
type Report = Pick<PollRequest, 'ack' | 'setErrs'>

/**
 * Polls until the signal aborts: each poll acknowledges what the one before brought. Nothing that a
 * peer answers ends the loop. Resolves after the last acknowledgement.
 *
 * @see RFC 8936, "SET Delivery"
 */
export async function pollLoop(parts: PollLoopParts): Promise<void> {
  const { signal, clock, emitter } = parts
  let report: Report = {}
  let failures = 0
  while (!signal.aborted) {
    try {
      const sets = await poll(parts, { ...report, maxEvents }, signal)
      const processed = await processSets(parts.acceptSet, sets)
      report = processed.report
      failures = processed.unfinished > 0 ? failures + 1 : 0
      // It comes again, from some peers at once: a handler that fails must not make the loop spin.
      if (failures > 0) await clock.sleep(backoffMs(backoff, failures, parts.random()), signal)
    } catch (cause) {
      if (signal.aborted) break
      failures++
      const asked = (cause as { retryAfterMs?: number } | null)?.retryAfterMs
      const retryInMs = asked ?? backoffMs(backoff, failures, parts.random())
      emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs })
      await clock.sleep(retryInMs, signal)
    }
  }
  if (!report.ack && !report.setErrs) return
  // The last word: acknowledge only (POLL-2.4.2-1). Where it fails the SETs come again, and are known.
  const last: PollRequest = { ...report, maxEvents: 0, returnImmediately: true }
  await poll(parts, last, undefined).catch((cause: unknown) =>
    emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs: 0 }),
  )
}

async function poll(
  { peer, url }: PollLoopParts,
  body: PollRequest,
  signal: AbortSignal | undefined,
): Promise<PolledSets> {
  const { status, body: answer } = await peer.request({
    method: 'POST',
    url,
    body,
    signal,
    timeoutMs: body.returnImmediately ? 5_000 : longPollMs,
    // The descriptions in `setErrs` are in English (POLL-2.6-2).
    headers: body.setErrs ? { 'content-language': 'en' } : {},
  })
  return readPollAnswer(status, answer)
}

/**
 * Takes in the SETs of one poll: oldest first, principals side by side.
 *
 * @returns What the next poll has to say of them, and how many it says nothing of
 */
async function processSets(
  acceptSet: AcceptSet,
  sets: PolledSets,
): Promise<{ readonly report: Report; readonly unfinished: number }> {
  const entries = Object.entries(sets)
  const verified = await Promise.all(
    entries.map(async ([jti, token]) => ({ jti, result: await verifyAs(acceptSet, jti, token) })),
  )
  const inOrder = verified.toSorted((one, other) => timeOf(one.result) - timeOf(other.result))
  const outcomes = await Promise.all(
    inOrder.map(async ({ jti, result }) => ({
      jti,
      outcome: 'finish' in result ? await result.finish() : result,
    })),
  )
  const ack: string[] = []
  const setErrs: Record<string, SetErrorReport> = {}
  for (const { jti, outcome } of outcomes) {
    if (outcome.kind === 'acknowledged') ack.push(jti)
    if (outcome.kind === 'rejected') setErrs[jti] = outcome.report
  }
  const report = {
    ...(ack.length > 0 ? { ack } : {}),
    ...(Object.keys(setErrs).length > 0 ? { setErrs } : {}),
  }
  const unfinished = outcomes.filter(({ outcome }) => outcome.kind === 'unfinished').length
  return { report, unfinished }
}

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

const timeOf = (result: VerifiedSet | Outcome): number =>
  'finish' in result ? result.event.time : 0
