import type { OptionChecks } from '@drawbridge/core'

/** How a Receiver comes by its stream. */
export interface StreamOptions {
  /**
   * Whether the stream is found or made by the Transmitter's API. `false` is for one that was
   * agreed otherwise, such as in the console of the Transmitter: nothing is asked of it but its
   * metadata and keys, and polls. There is no `ownStream` then, and nothing to wait for in
   * `verified()`. Default: true.
   */
  readonly managed?: boolean
  /** The `stream_id` of a stream that is not managed. Default: it is not known. */
  readonly streamId?: string
  /** Where a stream that is not managed is polled. */
  readonly poll?: {
    /** At the issuer's origin, or one of the `trustedOrigins`. */
    readonly endpointUrl: string
  }
}

/** What else has to agree with it. */
interface RelatedOptions {
  readonly issuer: string
  readonly push?: object
  readonly replaceOnConflict?: boolean
  readonly trustedOrigins?: readonly string[]
}

/** Checks what says how a stream that is not managed is reached. */
export function checkStreamOptions(
  { check, url }: Pick<OptionChecks, 'check' | 'url'>,
  settings: StreamOptions & RelatedOptions,
  insecure: boolean,
): void {
  const { managed = true, push, poll, streamId, trustedOrigins = [] } = settings
  check(typeof managed === 'boolean', '"managed" must be true or false')
  check(
    streamId === undefined || (typeof streamId === 'string' && streamId !== ''),
    '"streamId" must be a non-empty string',
  )
  if (managed) {
    check(
      streamId === undefined && poll === undefined,
      '"streamId" and "poll" are for streams that are not managed: write "managed: false" too',
    )
    return
  }
  check(
    (push === undefined) !== (poll === undefined),
    'either "push" or "poll" must be given where "managed" is false: nobody is asked for a stream',
  )
  check(
    settings.replaceOnConflict !== true,
    '"replaceOnConflict" is for streams that are managed: leave it out',
  )
  if (poll === undefined) return
  url('poll.endpointUrl', poll?.endpointUrl, insecure)
  check(
    !URL.canParse(poll?.endpointUrl ?? '') ||
      [originOf(settings.issuer), ...trustedOrigins].includes(originOf(poll.endpointUrl)),
    '"poll.endpointUrl" must be at the origin of "issuer": where another is right, add it to "trustedOrigins"',
  )
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '')
