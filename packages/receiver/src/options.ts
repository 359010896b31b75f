import { checkOptions, type Clock } from '@drawbridge/core'
import type { EventType, Profile } from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { scimEventTypes } from '@drawbridge/schema/scim'
import type { Authorize } from './peer/authorize.ts'
import type { Inbox } from './handling/inbox.ts'

/** What {@link createReceiver} is given. */
export interface ReceiverOptions {
  /** The Transmitter's issuer, an `https` URL, exactly as it stands in its metadata and in `iss`. */
  readonly issuer: string
  /** What names this Receiver in `aud`. A SET for anybody else is refused. */
  readonly audience: string
  /** Gives the access token for the Transmitter's API: `staticToken(…)`, or a function of yours. */
  readonly authorize: Authorize
  /** Has SETs pushed. Without it they are polled. */
  readonly push?: {
    /** The public URL of this Receiver's push endpoint; its path is the one that is served. */
    readonly url: string
    /**
     * The value of the `Authorization` field that every push must carry. Default: none is asked
     * for.
     */
    readonly authorizationHeader?: string
  }
  /** The event types to ask for. Default: all that `@drawbridge/schema` knows. */
  readonly events?: readonly EventType[]
  /**
   * What this Transmitter sends instead of the final 1.0 form: a value of
   * `@drawbridge/schema/profiles`. Each tolerance that is used is a `set:noticed`. Default:
   * `strict`.
   */
  readonly profile?: Profile
  /**
   * Members of complex subjects that the handlers can process. An event with any other that the
   * Transmitter calls critical is discarded. Default: the seven of SSF 1.0.
   *
   * @see OpenID SSF 1.0, "Receiver Subject Processing"
   */
  readonly subjectMembers?: readonly string[]
  /** Remembers which SETs were handled. Default: `memoryInbox()`, the newest 100,000. */
  readonly inbox?: Inbox
  /**
   * How long a handler may take before its event counts as not handled, in milliseconds. Default
   * 30,000.
   */
  readonly handlerTimeoutMs?: number
  /**
   * Algorithms a SET may be signed with. Default: the profile's, else RS256, PS256, ES256 and
   * EdDSA.
   */
  readonly algorithms?: readonly string[]
  /** Origins besides the issuer's that may be sent the access token. Default: none. */
  readonly trustedOrigins?: readonly string[]
  /** Allows `http` URLs everywhere. For tests and demos on loopback. Default `false`. */
  readonly allowInsecureHttp?: boolean
  /** Makes HTTP requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Default: the machine's clock. */
  readonly clock?: Clock
  /** From 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
}

/** Every option of {@link ReceiverOptions} by name. */
const names = [
  'issuer',
  'audience',
  'authorize',
  'push',
  'events',
  'profile',
  'subjectMembers',
  'inbox',
  'handlerTimeoutMs',
  'algorithms',
  'trustedOrigins',
  'allowInsecureHttp',
  'fetch',
  'clock',
  'random',
]

/** The event types that are asked for by default. */
export const knownEventTypes: readonly EventType[] = [
  ...caepEventTypes,
  ...riscEventTypes,
  ...scimEventTypes,
]

/** @throws OptionsError that names every mistake in the options */
export function checkReceiverOptions(options: ReceiverOptions): void {
  const { check, known, url, done } = checkOptions('createReceiver')
  const insecure = options.allowInsecureHttp === true
  known(options, names)
  url('issuer', options.issuer, insecure)
  check(
    typeof options.audience === 'string' && options.audience !== '',
    '"audience" must be a non-empty string: what "aud" has for this Receiver',
  )
  check(
    typeof options.authorize === 'function',
    '"authorize" must be a function that gives an access token, such as staticToken("…")',
  )
  if (options.push !== undefined) url('push.url', options.push?.url, insecure)
  check(
    options.profile === undefined || typeof options.profile?.read === 'function',
    '"profile" must be a profile, such as tolerant of "@drawbridge/schema/profiles"',
  )
  check(
    options.handlerTimeoutMs === undefined || options.handlerTimeoutMs > 0,
    '"handlerTimeoutMs" must be a number above 0',
  )
  check(
    (options.algorithms ?? []).every((name) => name !== 'none' && !name.startsWith('HS')),
    '"algorithms" must name signatures with public keys, such as "RS256"',
  )
  check(
    (options.trustedOrigins ?? []).every(
      (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
    ),
    '"trustedOrigins" must be origins, such as "https://signals.example"',
  )
  done()
}
