/** A SET error code of the IANA registry "Security Event Token Error Codes". */
export type SetErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'access_denied'
  | 'invalid_state'

/**
 * Every stable `code` of an error that Drawbridge makes; `docs/errors.md` says what to do about
 * each.
 */
export type ErrorCode =
  | 'ERR_SET_MALFORMED'
  | 'ERR_SET_TYPE'
  | 'ERR_SET_CLAIM'
  | 'ERR_SET_PAYLOAD'
  | 'ERR_SET_SUBJECT'
  | 'ERR_SET_SIGNATURE'
  | 'ERR_SET_KEY'
  | 'ERR_SET_ISSUER'
  | 'ERR_SET_AUDIENCE'
  | 'ERR_SET_STATE'
  | 'ERR_STREAM_REQUEST'
  | 'ERR_STREAM_NOT_FOUND'
  | 'ERR_STREAM_STATIC'
  | 'ERR_STREAM_CONFLICT'
  | 'ERR_STREAM_RATE'
  | 'ERR_PEER_UNREACHABLE'
  | 'ERR_PEER_ANSWER'
  | 'ERR_PEER_ISSUER'
  | 'ERR_SIGNER'
  | 'ERR_STORAGE_UNAVAILABLE'
  | 'ERR_STORAGE_VERSION'
  | 'ERR_STORAGE_SECRET'

/** What the application asks of an error besides its message. */
export interface ErrorDetails {
  /** The error that led to this one. Never sent to a peer. */
  readonly cause?: unknown
}

/** The root of every error that Drawbridge makes. Tell errors apart by `code` or `name`. */
export class SharedSignalsError extends Error {
  override name = 'SharedSignalsError'
  /** Stable; the key into `docs/errors.md`. */
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details)
    this.code = code
  }
}

/** A SET that does not hold. `err` is what the Transmitter is told. */
export class SetError extends SharedSignalsError {
  override name = 'SetError'
  /** The code for the wire (RFC 8935, "Security Event Token Error Codes"). */
  readonly err: SetErrorCode
  constructor(code: ErrorCode, err: SetErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, details)
    this.err = err
  }
}

/** A stream management request that cannot be done. `status` is the HTTP answer. */
export class StreamError extends SharedSignalsError {
  override name = 'StreamError'
  readonly status: number
  /** Seconds to wait, where the status is 429. */
  readonly retryAfterSeconds?: number
  constructor(
    code: ErrorCode,
    status: number,
    message: string,
    details: ErrorDetails & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(code, message, details)
    this.status = status
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** A peer that cannot be reached or does not answer as the specification says. */
export class PeerError extends SharedSignalsError {
  override name = 'PeerError'
}

/** A store that cannot be opened, read or written. */
export class StorageError extends SharedSignalsError {
  override name = 'StorageError'
}
