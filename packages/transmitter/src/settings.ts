import {
  checkOptions,
  Secret,
  systemClock,
  type Backoff,
  type Clock,
  type OptionChecks,
} from '@drawbridge/core'
import { type EventType } from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import type { SigningAlgorithm } from './keys/key-ring.ts'
import type { PermitEvent } from './permit-event.ts'
import type { Authenticate } from './receiver-identity.ts'
import type { TransmitterStore } from './store/transmitter-store.ts'

/** Options of {@link createTransmitter}. */
export interface TransmitterOptions {
  /**
   * The Issuer: an `https` URL without query and fragment, byte for byte the `iss` of every SET. A
   * path in it is the prefix of every endpoint.
   */
  readonly issuer: string
  /**
   * Encrypts what is secret in the store: signing keys and Receivers' `authorization_header`s. At
   * least 32 characters. A store made under one secret cannot be opened with another.
   */
  readonly secret: string | Secret
  /** Where streams, keys and events are kept: `sqliteStore(file)`, or `memoryStore()` for tests. */
  readonly store: TransmitterStore
  /** Tells which Receiver a request comes from, such as {@link staticTokens}. */
  readonly authenticate: Authenticate
  /** Tells which Receiver may learn of which event; `permitAll` where all may learn of all. */
  readonly permitEvent: PermitEvent
  /**
   * The event types Receivers can ask for. Default: session-revoked, credential-change,
   * device-compliance-change.
   */
  readonly eventsSupported?: readonly EventType[]
  /** How SETs are signed: RS256 with 2048 bits (default), or ES256. */
  readonly algorithm?: SigningAlgorithm
  /**
   * Allows `http` URLs, the issuer's and those that are pushed to, and pushing to this machine. For
   * tests. Default: false.
   */
  readonly allowInsecureHttp?: boolean
  /** Whether a Receiver may have several streams; if not, a second create is 409. Default: true. */
  readonly multipleStreams?: boolean
  readonly push?: PushOptions
  readonly poll?: PollOptions
  /** The shortest time between two verification requests of a stream. Default: no limit. */
  readonly minVerificationIntervalSeconds?: number
  /** Default: the machine's. */
  readonly clock?: Clock
  /** From 0 (included) to 1 (excluded), for jitter. Default: `Math.random`. */
  readonly random?: () => number
}

/** How SETs are pushed. */
export interface PushOptions {
  /** POSTs under way at a time, per stream. Default: 16. */
  readonly maxInFlight?: number
  /** How long an attempt may take in all. Default: 10,000. */
  readonly timeoutMs?: number
  /**
   * Hosts that may be pushed to although their addresses are not public, by the name or address in
   * the endpoint's URL: `['receiver.internal']`. Default: none; with `allowInsecureHttp`, this
   * machine.
   */
  readonly allowedHosts?: readonly string[]
  /** When a failed push is repeated. Default: from 500 ms, doubling up to five minutes. */
  readonly backoff?: Backoff
}

/** How polls are answered. */
export interface PollOptions {
  /** How long a poll is held when there is nothing; below what proxies allow. Default: 25,000. */
  readonly longPollMs?: number
  /** The most SETs in one answer. Default: 100. */
  readonly maxEvents?: number
  /** When a SET that was not acknowledged is offered again. Default: 30,000. */
  readonly redeliveryMs?: number
}

/** The options with every default filled in. */
export interface Settings extends Required<
  Omit<TransmitterOptions, 'secret' | 'push' | 'poll' | 'minVerificationIntervalSeconds'>
> {
  readonly secret: Secret
  readonly push: Required<PushOptions>
  readonly poll: Required<PollOptions>
  readonly minVerificationIntervalSeconds: number | undefined
  /** The issuer without a trailing slash: what endpoint URLs begin with. */
  readonly base: string
}

/** @throws OptionsError with every mistake, each by the name the caller wrote */
export function readOptions(options: TransmitterOptions): Settings {
  check(options)
  return {
    eventsSupported: [SessionRevoked, CredentialChange, DeviceComplianceChange],
    algorithm: 'RS256',
    allowInsecureHttp: false,
    multipleStreams: true,
    clock: systemClock,
    random: Math.random,
    ...given(options),
    minVerificationIntervalSeconds: options.minVerificationIntervalSeconds,
    secret: typeof options.secret === 'string' ? new Secret(options.secret) : options.secret,
    base: options.issuer.replace(/\/$/, ''),
    push: {
      maxInFlight: 16,
      timeoutMs: 10_000,
      allowedHosts: [],
      backoff: { firstMs: 500, longestMs: 300_000 },
      ...given(options.push ?? {}),
    },
    poll: {
      longPollMs: 25_000,
      maxEvents: 100,
      redeliveryMs: 30_000,
      ...given(options.poll ?? {}),
    },
  }
}

const names: readonly (keyof TransmitterOptions)[] = [
  'issuer',
  'secret',
  'store',
  'authenticate',
  'permitEvent',
  'eventsSupported',
  'algorithm',
  'allowInsecureHttp',
  'multipleStreams',
  'push',
  'poll',
  'minVerificationIntervalSeconds',
  'clock',
  'random',
]

function check(options: TransmitterOptions): void {
  const checks = checkOptions('createTransmitter')
  const { secret, store, authenticate, permitEvent, algorithm, eventsSupported } = options
  checks.known(options, names)
  checks.url('issuer', options.issuer, options.allowInsecureHttp === true)
  checks.check(
    lengthOf(secret) >= shortestSecret,
    `"secret" must be a text of at least ${shortestSecret} characters`,
  )
  checks.check(
    typeof store?.append === 'function',
    '"store" must be a store: sqliteStore(file) or memoryStore()',
  )
  checks.check(
    typeof authenticate === 'function',
    '"authenticate" must be a function, such as staticTokens([…])',
  )
  checks.check(
    typeof permitEvent === 'function',
    '"permitEvent" must be a function; write permitAll where every Receiver may learn of everything',
  )
  checks.check(
    algorithm === undefined || algorithm === 'RS256' || algorithm === 'ES256',
    '"algorithm" must be "RS256" or "ES256"',
  )
  checks.check(
    eventsSupported === undefined || eventsSupported.every((type) => URL.canParse(type?.uri)),
    '"eventsSupported" must be event types, such as [SessionRevoked]',
  )
  const { allowedHosts } = options.push ?? {}
  checks.check(
    allowedHosts === undefined ||
      (Array.isArray(allowedHosts) && allowedHosts.every((host) => typeof host === 'string')),
    '"push.allowedHosts" must be an array of host names or addresses',
  )
  checkNumbers(checks, options)
  checks.done()
}

const shortestSecret = 32

const lengthOf = (secret: unknown): number => {
  if (typeof secret === 'string') return secret.length
  const revealed = (secret as Partial<Secret> | undefined)?.reveal?.()
  return typeof revealed === 'string' ? revealed.length : 0
}

function checkNumbers(checks: OptionChecks, options: TransmitterOptions): void {
  const { push = {}, poll = {}, minVerificationIntervalSeconds } = options
  const numbers: Readonly<Record<string, number | undefined>> = {
    'push.maxInFlight': push.maxInFlight,
    'push.timeoutMs': push.timeoutMs,
    'push.backoff.firstMs': push.backoff?.firstMs,
    'push.backoff.longestMs': push.backoff?.longestMs,
    'poll.longPollMs': poll.longPollMs,
    'poll.maxEvents': poll.maxEvents,
    'poll.redeliveryMs': poll.redeliveryMs,
    minVerificationIntervalSeconds,
  }
  for (const [name, value] of Object.entries(numbers)) {
    checks.check(
      value === undefined || (Number.isSafeInteger(value) && value > 0),
      `"${name}" must be an integer of 1 or more`,
    )
  }
}

/** Without members that are undefined: they would undo a default. */
function given<Options extends object>(options: Options): Options {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Options
}
