import { backoffMs, type Backoff, type Clock } from '@drawbridge/core'
import type { PollRequest } from '@drawbridge/schema'
import type { Peer } from '../peer/peer.ts'
import type { ConnectionEmitter } from '../receiver-events.ts'
import { readPollAnswer, type PolledSets } from './read-poll-answer.ts'
import { createSetsInHand, type Report, type SetsInHandParts } from './sets-in-hand.ts'

/** What {@link pollLoop} needs. */
export interface PollLoopParts extends SetsInHandParts {
  readonly url: string
  readonly peer: Peer
  readonly emitter: ConnectionEmitter
  /** Ends the loop: what was handled is still acknowledged. */
  readonly signal: AbortSignal
}

const backoff: Backoff = { firstMs: 200, longestMs: 30_000 }

/** A long poll is held for less than a minute. */
const longPollMs = 70_000

const maxEvents = 100

/** A handler that takes longer keeps neither the others' acknowledgements nor new SETs waiting. */
const patienceMs = 1000

/** A peer that keeps no poll waiting, and has nothing new, is asked so often. */
const shortPollMs = 1000

/**
 * Polls until the signal aborts: each poll acknowledges what was handled since the one before.
 * Nothing that a peer answers ends the loop. Resolves after the last acknowledgement.
 *
 * @see RFC 8936, "SET Delivery"
 */
export async function pollLoop(parts: PollLoopParts): Promise<void> {
  const { signal, clock, emitter, random } = parts
  const inHand = createSetsInHand(parts)
  let failures = 0
  while (!signal.aborted) {
    const report = inHand.report()
    // While SETs are being handled nobody can wait for a long poll to end: they are to be told of.
    const returnImmediately = inHand.isBusy ? { returnImmediately: true } : {}
    const askedAt = clock.now()
    try {
      const sets = await poll(parts, { ...report, maxEvents, ...returnImmediately }, signal)
      const tookMs = clock.now() - askedAt
      inHand.told(report)
      failures = 0
      const aloneMs = await inHand.begin(sets)
      if (inHand.isBusy) await atMost(patienceMs, inHand.settled(), clock)
      const pauseMs = hasNews(sets, report) ? Math.min(aloneMs, patienceMs) : shortPollMs - tookMs
      if (pauseMs > 0) await clock.sleep(pauseMs, signal)
    } catch (cause) {
      if (signal.aborted) break
      failures++
      const asked = (cause as { retryAfterMs?: number } | null)?.retryAfterMs
      const retryInMs = asked ?? backoffMs(backoff, failures, random())
      emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs })
      await clock.sleep(retryInMs, signal)
    }
  }
  await inHand.settled()
  await sayLast(parts, inHand.report())
}

/** The last word: acknowledge only. Where it fails the SETs come again, and are known. */
async function sayLast(parts: PollLoopParts, report: Report): Promise<void> {
  if (!report.ack && !report.setErrs) return
  const { emitter, clock } = parts
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

/** Whether there is a SET that the poll did not tell of: some peers forget what they are told. */
const hasNews = (sets: PolledSets, { ack = [], setErrs = {} }: Report): boolean =>
  Object.keys(sets).some((jti) => !ack.includes(jti) && !Object.hasOwn(setErrs, jti))

/** Resolves with `work`, which never rejects, or when the time is over. */
async function atMost(ms: number, work: Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController()
  await Promise.race([work, clock.sleep(ms, over.signal)])
  over.abort()
}
