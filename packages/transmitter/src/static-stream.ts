import type { OptionChecks } from '@drawbridge/core'
import { poll, push, type EventType, type Profile } from '@drawbridge/schema'
import type { SigningAlgorithm } from './keys/signing-algorithm.ts'
import type { DefaultSubjects } from './streams/subjects-judgement.ts'

/**
 * A stream that is set up here, for a Receiver that does not manage streams. It is made, changed
 * and deleted at `start` to be as it is written; a change keeps what waits. Only another `receiver`
 * makes another stream of it.
 */
export interface StaticStream {
  /** Letters, digits, `-`, `.`, `_` and `~`. */
  readonly stream_id: string
  /**
   * `id` of the Receiver that may poll, read and verify the stream; needed where it polls. To
   * change it is 403. Default: nobody, and `permitEvent` is given an empty `id`.
   */
  readonly receiver?: string
  /** The `aud` of its SETs. */
  readonly audience: string
  readonly delivery: StaticDelivery
  /** The event types it gets: some of `eventsSupported`. */
  readonly events: readonly EventType[]
  readonly description?: string
  /** Its profile, one of `profiles`. Default: that of the Transmitter. */
  readonly profile?: Profile
  /** How its SETs are signed. Default: as the Transmitter signs. */
  readonly algorithm?: SigningAlgorithm
  /** Which subjects it has. Default: `subjects.byDefault`. */
  readonly defaultSubjects?: DefaultSubjects
}

/** How the SETs of a static stream travel. */
export type StaticDelivery =
  | { readonly method: typeof poll }
  | {
      readonly method: typeof push
      readonly endpoint_url: string
      /** The value of the `Authorization` field of every push. */
      readonly authorization_header?: string
    }

/** What the check of static streams needs of the other options. */
export interface StaticStreamRules {
  readonly eventsSupported: readonly EventType[]
  readonly allowInsecureHttp: boolean
}

/** Notes the mistakes in static streams. */
export function checkStaticStreams(
  checks: OptionChecks,
  streams: readonly StaticStream[],
  rules: StaticStreamRules,
): void {
  checks.check(Array.isArray(streams), '"staticStreams" must be an array')
  if (!Array.isArray(streams)) return
  const ids = new Set(streams.map((stream) => stream?.stream_id))
  checks.check(
    ids.size === streams.length,
    '"staticStreams" must each have a "stream_id" of their own',
  )
  streams.forEach((stream, index) =>
    checkStaticStream(
      (member, holds, rule) =>
        checks.check(holds, `"staticStreams[${index}].${member}" must be ${rule}`),
      stream ?? {},
      rules,
    ),
  )
}

type Check = (member: string, holds: boolean, rule: string) => void

function checkStaticStream(
  check: Check,
  { stream_id, receiver, audience, delivery, events, defaultSubjects }: Partial<StaticStream>,
  { eventsSupported, allowInsecureHttp }: StaticStreamRules,
): void {
  check(
    'stream_id',
    typeof stream_id === 'string' && /^[A-Za-z0-9._~-]+$/.test(stream_id),
    'a text of letters, digits, "-", ".", "_" and "~"',
  )
  check('audience', isText(audience), 'a text')
  check('receiver', receiver === undefined || isText(receiver), 'a text')
  const supported = eventsSupported.map(({ uri }) => uri)
  check(
    'events',
    Array.isArray(events) && events.every((type) => supported.includes(type?.uri)),
    'some of "eventsSupported"',
  )
  check(
    'defaultSubjects',
    defaultSubjects === undefined || defaultSubjects === 'ALL' || defaultSubjects === 'NONE',
    '"ALL" or "NONE"',
  )
  if (delivery?.method === poll) {
    check('receiver', isText(receiver), 'the "id" of a Receiver: somebody has to poll')
    return
  }
  check('delivery.method', delivery?.method === push, `"${push}" or "${poll}"`)
  check(
    'delivery.endpoint_url',
    isPushUrl(delivery?.endpoint_url, allowInsecureHttp),
    'an https URL without credentials',
  )
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

function isPushUrl(value: unknown, allowInsecureHttp: boolean): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, username, password } = new URL(value)
  const isAllowed = protocol === 'https:' || (allowInsecureHttp && protocol === 'http:')
  return isAllowed && username === '' && password === ''
}
