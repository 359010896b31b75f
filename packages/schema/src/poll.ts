import { PeerError, StreamError } from './errors.ts'
import { isObject, isStrings } from './json.ts'

/** How a Receiver says what is wrong with one SET. */
export interface SetErrorReport {
  readonly err: string
  readonly description: string
}

/** @see RFC 8936, "Polling HTTP Request" */
export interface PollRequest {
  /** At most so many SETs; absent: the Transmitter's own limit. */
  readonly maxEvents?: number
  /** Answer at once, also when there is nothing. Default `false`: a long poll. */
  readonly returnImmediately?: boolean
  /** The `jti`s of SETs that were received. */
  readonly ack?: readonly string[]
  /** The `jti`s of SETs that do not hold, each with the reason. */
  readonly setErrs?: Readonly<Record<string, SetErrorReport>>
}

/** @see RFC 8936, "Polling HTTP Response" */
export interface PollResponse {
  /** Compact SETs by `jti`. */
  readonly sets: Readonly<Record<string, string>>
  readonly moreAvailable?: boolean
}

/**
 * Reads the body of a poll. Unknown members are ignored.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member
 */
export function readPollRequest(value: unknown): PollRequest {
  if (!isObject(value)) throw invalid('the body must be a JSON object, "{}" for all defaults')
  const { maxEvents, returnImmediately, ack, setErrs } = value
  if (maxEvents !== undefined && !(Number.isSafeInteger(maxEvents) && Number(maxEvents) >= 0)) {
    throw invalid('"maxEvents" must be an integer of 0 or more')
  }
  if (returnImmediately !== undefined && typeof returnImmediately !== 'boolean') {
    throw invalid('"returnImmediately" must be true or false')
  }
  if (ack !== undefined && !isStrings(ack)) throw invalid('"ack" must be an array of "jti" values')
  if (setErrs !== undefined && !isReports(setErrs)) {
    throw invalid('"setErrs" must map "jti" values to objects with "err" and "description"')
  }
  return {
    ...(maxEvents === undefined ? {} : { maxEvents: Number(maxEvents) }),
    ...(returnImmediately === undefined ? {} : { returnImmediately }),
    ...(ack === undefined ? {} : { ack }),
    ...(setErrs === undefined ? {} : { setErrs: describe(setErrs) }),
  }
}

type Reports = Record<string, { readonly err: string; readonly description?: unknown }>

const isReports = (value: unknown): value is Reports =>
  isObject(value) &&
  Object.values(value).every((report) => isObject(report) && typeof report['err'] === 'string')

/** Peers leave the description out; what is no text is none. */
const describe = (reports: Reports): Record<string, SetErrorReport> =>
  Object.fromEntries(
    Object.entries(reports).map(([jti, { err, description }]) => [
      jti,
      { err, description: typeof description === 'string' ? description : '' },
    ]),
  )

/**
 * Reads the body of an answer to a poll. Unknown members are ignored. A value that is no string is
 * no SET either: it becomes an empty one, which is reported as one that cannot be read.
 *
 * @throws PeerError `ERR_PEER_ANSWER` when there are no `sets`
 * @see RFC 8936, "Polling HTTP Response"
 */
export function readPollResponse(value: unknown): PollResponse {
  const { sets, moreAvailable } = isObject(value) ? value : {}
  if (!isObject(sets)) throw new PeerError('ERR_PEER_ANSWER', 'the answer to a poll has no "sets"')
  const compact = Object.entries(sets).map(([jti, token]) => [
    jti,
    typeof token === 'string' ? token : '',
  ])
  return {
    sets: Object.fromEntries(compact) as Record<string, string>,
    ...(moreAvailable === true ? { moreAvailable } : {}),
  }
}

const invalid = (message: string): StreamError =>
  new StreamError('ERR_STREAM_REQUEST', 400, message)
