/** How a Receiver answered a push, as far as it matters. */
export interface Answer {
  /** The HTTP status, 0 when there was no answer. */
  readonly status: number
  /** The first few KiB of the body; empty when there is none. */
  readonly body: string
  /** `Retry-After`, as it came. */
  readonly retryAfter?: string
  /** Where there was no answer: what happened, such as `ECONNREFUSED`. */
  readonly failure?: string
}

/**
 * What an answer means.
 *
 * - `delivered`: the Receiver has it.
 * - `retry`: this attempt failed, the next may not.
 * - `refused`: this SET will never do: it belongs to the dead letters, its lane goes on.
 * - `stream-at-fault`: no SET will do until somebody puts the stream right: it backs off, and nothing
 *   is lost.
 */
export type Outcome = 'delivered' | 'retry' | 'refused' | 'stream-at-fault'

/** An outcome with the reason in a few printable words. */
export interface Verdict {
  readonly outcome: Outcome
  readonly reason: string
}

const longestReason = 200

/**
 * Judges the answer to a push. Total: every status, also one that does not exist, has a verdict.
 *
 * @see RFC 8935, "Failure Response"; "Security Event Token Delivery Error Codes"
 */
export function verdict({ status, body, failure }: Answer): Verdict {
  const { err, description } = status === 400 ? readError(body) : {}
  return {
    outcome: outcome(status, body === '', err),
    reason: printable(
      failure ?? `${status}${err ? ` ${err}` : ''}${description ? `: ${description}` : ''}`,
    ),
  }
}

function outcome(status: number, bodyIsEmpty: boolean, err: string | undefined): Outcome {
  if (status === 202) return 'delivered'
  // 200 with a page is a catch-all route that would swallow revocations.
  if ((status === 200 || status === 204) && bodyIsEmpty) return 'delivered'
  if (status === 413) return 'refused'
  if (status === 400) return outcomeOfError(err)
  if (status === 408 || status === 429) return 'retry'
  if (status >= 200 && status < 500) return 'stream-at-fault'
  return 'retry'
}

/**
 * Judges an error code, which a Receiver gives with a 400 or in the `setErrs` of a poll. Codes are
 * compared to the letter; one that is not known says that the two do not agree about the stream.
 *
 * @see RFC 8935, "Security Event Token Delivery Error Codes"
 */
export function outcomeOfError(err: string | undefined): Exclude<Outcome, 'delivered'> {
  return outcomesOfErrors.get(err) ?? 'stream-at-fault'
}

/** Any other error says that the two do not agree about the stream. */
const outcomesOfErrors: ReadonlyMap<string | undefined, Exclude<Outcome, 'delivered'>> = new Map([
  ['invalid_request', 'refused'],
  ['invalid_state', 'refused'],
  // What a draft of SSF called it.
  ['setData', 'refused'],
  // The next attempt signs anew, perhaps with a key that the Receiver has fetched by then.
  ['invalid_key', 'retry'],
])

function readError(body: string): { err?: string; description?: string } {
  try {
    const { err, description } = JSON.parse(body) as Record<string, unknown>
    return {
      ...(typeof err === 'string' ? { err } : {}),
      ...(typeof description === 'string' ? { description } : {}),
    }
  } catch {
    return {}
  }
}

/** Bounds the text of a peer and leaves out what is not printable ASCII. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, longestReason)
}
