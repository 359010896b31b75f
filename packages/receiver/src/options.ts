import { checkOptions, type Clock, type OptionChecks } from '@drawbridge/core'
import type { EventType, Profile } from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { scimEventTypes } from '@drawbridge/schema/scim'
import type { LivenessOptions } from './liveness.ts'
import { checkStreamOptions, type StreamOptions } from './stream-options.ts'
import type { Authorize } from './peer/authorize.ts'
import type { Acknowledge } from './handling/accept-set.ts'
import type { Inbox } from './handling/inbox.ts'

/** What a Receiver is told of one Transmitter. */
export interface TransmitterSettings extends LivenessOptions, StreamOptions {
  /** The Transmitter's issuer, an `https` URL, exactly as it stands in its metadata and in `iss`. */
  readonly issuer: string
  /**
   * Where the metadata is, for a Transmitter that has it at another place than the well-known URL
   * of its issuer. Its `issuer` is judged all the same. Default: the well-known URL, and those of
   * drafts that the profile lists.
   */
  readonly metadataUrl?: string
  /** Names it in this Receiver and in its events. Default: the issuer. */
  readonly name?: string
  /** What names this Receiver in `aud`. A SET for anybody else is refused. */
  readonly audience: string
  /**
   * Gives the access token for the Transmitter's API: `staticToken(…)`, or a function of yours. Not
   * needed where the stream is not managed and SETs are pushed.
   */
  readonly authorize?: Authorize
  /** Has SETs pushed. Without it they are polled. */
  readonly push?: {
    /**
     * The public URL of this Receiver's push endpoint; its path is the one that is served. Each
     * Transmitter has its own.
     */
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
  /**
   * Algorithms a SET may be signed with. Default: the profile's, else RS256, PS256, ES256 and
   * EdDSA.
   */
  readonly algorithms?: readonly string[]
  /**
   * Whether the one stream that the Transmitter allows may be replaced when it is another one than
   * this Receiver wants: what it served gets nothing any more. Default: false.
   */
  readonly replaceOnConflict?: boolean
  /** Origins besides the issuer's that may be sent the access token. Default: none. */
  readonly trustedOrigins?: readonly string[]
}

/** What {@link createReceiver} is given for all Transmitters. */
export interface SharedOptions {
  /**
   * Knows which SETs were handled, and keeps those that are acknowledged before:
   * `sqliteInbox(file)` of `@drawbridge/receiver/sqlite` survives a crash. Default:
   * `memoryInbox()`, the newest 100,000.
   */
  readonly inbox?: Inbox
  /**
   * When a SET is acknowledged: when it is `handled`, or for slow handlers when it is `stored` in
   * the `inbox`, which then has to be given. Default: `handled`.
   */
  readonly acknowledge?: Acknowledge
  /**
   * How often the handlers of a stored SET are tried before it is a dead letter. Default: 20, which
   * is about an hour.
   */
  readonly maxAttempts?: number
  /**
   * How long a handler may take before its event counts as not handled, in milliseconds. Default
   * 30,000.
   */
  readonly handlerTimeoutMs?: number
  /**
   * How many events are handled at a time, whether they were pushed or polled. Others wait. Events
   * about one principal are handled one after the other in any case. Default: 16.
   */
  readonly maxConcurrentHandlers?: number
  /**
   * Allows `http` URLs everywhere, and connections to this machine. For tests and demos on
   * loopback. Default `false`.
   */
  readonly allowInsecureHttp?: boolean
  /**
   * Hosts that may have an address which is not a public one, by the name or address in the URL:
   * Transmitters and authorization servers in one's own network. Without this, no URL of a peer
   * leads there. Default: none.
   */
  readonly allowedHosts?: readonly string[]
  /**
   * Certificates of authorities that are trusted besides those that Node comes with, in PEM one
   * after the other: the authority of an internal network. On Node alone. Default: none.
   */
  readonly ca?: string
  /**
   * Makes HTTP requests. Default: one that connects to public addresses and `allowedHosts` alone,
   * judged at the socket on Node and by the URL elsewhere. One of your own has to see to that
   * itself.
   */
  readonly fetch?: typeof globalThis.fetch
  /** Default: the machine's clock. */
  readonly clock?: Clock
  /** From 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
}

/** What {@link createReceiver} is given where it has a Transmitter from the start. */
export interface ReceiverOptions extends SharedOptions, TransmitterSettings {}

/** Every option of {@link SharedOptions} by name. */
const sharedNames = [
  'inbox',
  'acknowledge',
  'maxAttempts',
  'handlerTimeoutMs',
  'maxConcurrentHandlers',
  'allowInsecureHttp',
  'allowedHosts',
  'ca',
  'fetch',
  'clock',
  'random',
] as const satisfies readonly (keyof SharedOptions)[]

/** Every member of {@link TransmitterSettings} by name. */
const transmitterNames = [
  'issuer',
  'metadataUrl',
  'name',
  'audience',
  'authorize',
  'push',
  'managed',
  'streamId',
  'poll',
  'events',
  'profile',
  'subjectMembers',
  'algorithms',
  'replaceOnConflict',
  'verifyEverySeconds',
  'silentAfterSeconds',
  'trustedOrigins',
] as const satisfies readonly (keyof TransmitterSettings)[]

/** The event types that are asked for by default. */
export const knownEventTypes: readonly EventType[] = [
  ...caepEventTypes,
  ...riscEventTypes,
  ...scimEventTypes,
]

/** What the options say of their Transmitter; undefined where they name none. */
export function settingsOf(options: SharedOptions): TransmitterSettings | undefined {
  const given = Object.entries(options).filter(([name]) =>
    (transmitterNames as readonly string[]).includes(name),
  )
  return given.length > 0
    ? (Object.fromEntries(given) as unknown as TransmitterSettings)
    : undefined
}

/** @throws OptionsError that names every mistake in the options */
export function checkReceiverOptions(options: SharedOptions): void {
  const checks = checkOptions('createReceiver')
  checks.known(options, [...sharedNames, ...transmitterNames])
  const own = settingsOf(options)
  if (own) checkSettings(checks, own, options.allowInsecureHttp === true)
  checks.check(
    options.handlerTimeoutMs === undefined || options.handlerTimeoutMs > 0,
    '"handlerTimeoutMs" must be a number above 0',
  )
  for (const name of ['maxAttempts', 'maxConcurrentHandlers'] as const) {
    const value = options[name]
    checks.check(
      value === undefined || (Number.isSafeInteger(value) && value > 0),
      `"${name}" must be an integer of 1 or more`,
    )
  }
  const { inbox, acknowledge } = options
  checks.check(
    inbox === undefined || typeof inbox.store === 'function',
    '"inbox" must be an inbox, such as sqliteInbox(file)',
  )
  checks.check(
    acknowledge === undefined || acknowledge === 'handled' || acknowledge === 'stored',
    '"acknowledge" must be "handled" or "stored"',
  )
  checks.check(
    acknowledge !== 'stored' || inbox !== undefined,
    '"inbox" must be given where "acknowledge" is "stored": what is acknowledged must survive a crash',
  )
  const { allowedHosts, ca } = options
  checks.check(
    allowedHosts === undefined ||
      (Array.isArray(allowedHosts) && allowedHosts.every((host) => typeof host === 'string')),
    '"allowedHosts" must be an array of host names or addresses',
  )
  checks.check(
    ca === undefined || (typeof ca === 'string' && ca.includes('-----BEGIN CERTIFICATE-----')),
    '"ca" must be certificates in PEM',
  )
  checks.check(
    ca === undefined || options.fetch === undefined,
    '"ca" is for the default "fetch": one of your own has to see to that itself',
  )
  checks.done()
}

/** @throws OptionsError that names every mistake in the settings of one Transmitter */
export function checkTransmitterSettings(
  settings: TransmitterSettings,
  allowInsecureHttp: boolean,
): void {
  const checks = checkOptions('transmitters.add')
  checks.known(settings, transmitterNames)
  checkSettings(checks, settings, allowInsecureHttp)
  checks.done()
}

function checkSettings(
  { check, url }: OptionChecks,
  settings: TransmitterSettings,
  insecure: boolean,
): void {
  url('issuer', settings.issuer, insecure)
  if (settings.metadataUrl !== undefined) url('metadataUrl', settings.metadataUrl, insecure)
  check(
    settings.name === undefined || (typeof settings.name === 'string' && settings.name !== ''),
    '"name" must be a non-empty string',
  )
  check(
    typeof settings.audience === 'string' && settings.audience !== '',
    '"audience" must be a non-empty string: what "aud" has for this Receiver',
  )
  const needsNoToken = settings.managed === false && settings.push !== undefined
  check(
    typeof settings.authorize === 'function' || (settings.authorize === undefined && needsNoToken),
    '"authorize" must be a function that gives an access token, such as staticToken("…")',
  )
  if (settings.push !== undefined) url('push.url', settings.push?.url, insecure)
  checkStreamOptions({ check, url }, settings, insecure)
  check(
    settings.profile === undefined || typeof settings.profile?.read === 'function',
    '"profile" must be a profile, such as tolerant of "@drawbridge/schema/profiles"',
  )
  for (const name of ['verifyEverySeconds', 'silentAfterSeconds'] as const) {
    const value = settings[name]
    const least = name === 'verifyEverySeconds' ? 0 : 1
    check(
      value === undefined || (Number.isSafeInteger(value) && value >= least),
      `"${name}" must be an integer of ${least} or more`,
    )
  }
  check(
    settings.events === undefined || settings.events.length > 0,
    '"events" must name at least one event type: without any, no SET comes',
  )
  check(
    (settings.algorithms ?? []).every((name) => name !== 'none' && !name.startsWith('HS')),
    '"algorithms" must name signatures with public keys, such as "RS256"',
  )
  check(
    (settings.trustedOrigins ?? []).every(
      (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
    ),
    '"trustedOrigins" must be origins, such as "https://signals.example"',
  )
}
