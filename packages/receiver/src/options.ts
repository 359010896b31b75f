import { checkOptions, type Clock, type OptionChecks } from '@drawbridge/core'
import type { EventType, Profile } from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { scimEventTypes } from '@drawbridge/schema/scim'
import type { Authorize } from './peer/authorize.ts'
import type { Inbox } from './handling/inbox.ts'

/** What a Receiver is told of one Transmitter. */
export interface TransmitterSettings {
  /** The Transmitter's issuer, an `https` URL, exactly as it stands in its metadata and in `iss`. */
  readonly issuer: string
  /** Names it in this Receiver and in its events. Default: the issuer. */
  readonly name?: string
  /** What names this Receiver in `aud`. A SET for anybody else is refused. */
  readonly audience: string
  /** Gives the access token for the Transmitter's API: `staticToken(…)`, or a function of yours. */
  readonly authorize: Authorize
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
  /** Origins besides the issuer's that may be sent the access token. Default: none. */
  readonly trustedOrigins?: readonly string[]
}

/** What {@link createReceiver} is given for all Transmitters. */
export interface SharedOptions {
  /** Remembers which SETs were handled. Default: `memoryInbox()`, the newest 100,000. */
  readonly inbox?: Inbox
  /**
   * How long a handler may take before its event counts as not handled, in milliseconds. Default
   * 30,000.
   */
  readonly handlerTimeoutMs?: number
  /** Allows `http` URLs everywhere. For tests and demos on loopback. Default `false`. */
  readonly allowInsecureHttp?: boolean
  /** Makes HTTP requests. Default: the global `fetch`. */
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
  'handlerTimeoutMs',
  'allowInsecureHttp',
  'fetch',
  'clock',
  'random',
] as const satisfies readonly (keyof SharedOptions)[]

/** Every member of {@link TransmitterSettings} by name. */
const transmitterNames = [
  'issuer',
  'name',
  'audience',
  'authorize',
  'push',
  'events',
  'profile',
  'subjectMembers',
  'algorithms',
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
  check(
    settings.name === undefined || (typeof settings.name === 'string' && settings.name !== ''),
    '"name" must be a non-empty string',
  )
  check(
    typeof settings.audience === 'string' && settings.audience !== '',
    '"audience" must be a non-empty string: what "aud" has for this Receiver',
  )
  check(
    typeof settings.authorize === 'function',
    '"authorize" must be a function that gives an access token, such as staticToken("…")',
  )
  if (settings.push !== undefined) url('push.url', settings.push?.url, insecure)
  check(
    settings.profile === undefined || typeof settings.profile?.read === 'function',
    '"profile" must be a profile, such as tolerant of "@drawbridge/schema/profiles"',
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
