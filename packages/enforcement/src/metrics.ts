import type { Watchable } from '@drawbridge/core'
import type { EnforcementEvents } from './enforcement-events.ts'

/** Figures of one enforcement, counted since {@link enforcementMetrics} was called. */
export interface EnforcementMetrics {
  /** The figures in the text format of Prometheus, version 0.0.4. */
  text(): string
  /** Counts no more. */
  stop(): void
}

type Labels = Readonly<Record<string, string>>

/** From a millisecond to an hour, in seconds. */
const buckets: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600]

interface Histogram {
  readonly labels: Labels
  readonly counts: number[]
  sum: number
  count: number
}

/**
 * Counts what an enforcement does, for Prometheus. Dwell time is how long a change of risk took to
 * count on this node: from T (`from="event"`), from `iat` (`issued`), and from receipt
 * (`received`), by the type of the event and its Transmitter.
 *
 * @example
 *   const metrics = enforcementMetrics(enforcement.events)
 *   app.get('/metrics', (_, response) => response.type('text/plain').send(metrics.text()))
 */
export function enforcementMetrics(events: Watchable<EnforcementEvents>): EnforcementMetrics {
  const counters = new Map<string, { readonly labels: Labels; value: number }>()
  const histograms = new Map<string, Histogram>()

  const count = (name: string, labels: Labels = {}): void => {
    const line = `${name}${labelsOf(labels)}`
    const counter = counters.get(line) ?? { labels, value: 0 }
    counter.value++
    counters.set(line, counter)
  }
  const observe = (ms: number, labels: Labels): void => {
    // A Transmitter's clock may be ahead: what has not happened yet took no time.
    const seconds = Math.max(0, ms / 1000)
    const line = labelsOf(labels)
    const histogram = histograms.get(line) ?? newHistogram(labels)
    histograms.set(line, histogram)
    histogram.sum += seconds
    histogram.count++
    for (const [place, limit] of buckets.entries()) {
      if (seconds <= limit) histogram.counts[place] = (histogram.counts[place] ?? 0) + 1
    }
  }

  const stops = [
    watch(events, 'signal:applied', ({ cause, effect, lifted, changed, dwell }) => {
      const { type, iss } = cause
      count('signals_total', { type, iss, effect, outcome: outcomeOf(lifted, changed) })
      if (!changed) return
      observe(dwell.sinceEventMs, { from: 'event', type, iss })
      observe(dwell.sinceIssuedMs, { from: 'issued', type, iss })
      observe(dwell.sinceReceivedMs, { from: 'received', type, iss })
    }),
    watch(events, 'signal:followed', ({ cause: { type, iss }, dwell }) => {
      observe(dwell.sinceEventMs, { from: 'event', type, iss })
      observe(dwell.sinceIssuedMs, { from: 'issued', type, iss })
    }),
    watch(events, 'signal:unmatched', () => count('signals_unmatched_total')),
    watch(events, 'signal:outside-mandate', ({ reason }) => {
      count('signals_outside_mandate_total', { reason })
    }),
    watch(events, 'request:denied', ({ outcome, effect = 'none' }) => {
      count('requests_denied_total', { outcome, effect })
    }),
    watch(events, 'hook:failed', ({ name, givenUp }) => {
      count('hooks_failed_total', { name, given_up: String(givenUp) })
    }),
    watch(events, 'ledger:stale', () => count('ledger_stale_total')),
    watch(events, 'budget:exceeded', ({ iss }) => count('budgets_exceeded_total', { iss })),
    watch(events, 'transmitter:silent', ({ iss }) => count('transmitters_silent_total', { iss })),
  ]
  return {
    text: () =>
      [
        ...Array.from(counters, ([line, { value }]) => `drawbridge_${line} ${value}`).toSorted(),
        '# TYPE drawbridge_dwell_seconds histogram',
        ...[...histograms.values()].flatMap(linesOf),
        '',
      ].join('\n'),
    stop: () => {
      for (const stop of stops) stop()
    },
  }
}

function watch<Name extends keyof EnforcementEvents>(
  events: Watchable<EnforcementEvents>,
  name: Name,
  listener: (event: EnforcementEvents[Name]) => void,
): () => void {
  events.on(name, listener)
  return () => events.off(name, listener)
}

const outcomeOf = (lifted: boolean, changed: boolean): string =>
  changed ? (lifted ? 'lifted' : 'taken') : 'unchanged'

const newHistogram = (labels: Labels): Histogram => ({
  labels,
  counts: buckets.map(() => 0),
  sum: 0,
  count: 0,
})

function linesOf({ labels, counts, sum, count }: Histogram): readonly string[] {
  const name = 'drawbridge_dwell_seconds'
  return [
    ...buckets.map((limit, place) => {
      return `${name}_bucket${labelsOf({ ...labels, le: String(limit) })} ${counts[place]}`
    }),
    `${name}_bucket${labelsOf({ ...labels, le: '+Inf' })} ${count}`,
    `${name}_sum${labelsOf(labels)} ${sum}`,
    `${name}_count${labelsOf(labels)} ${count}`,
  ]
}

/** A peer's text stays inside of its quotes. */
function labelsOf(labels: Labels): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return all.length === 0 ? '' : `{${all.join(',')}}`
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
