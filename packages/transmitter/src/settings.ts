import { checkOptions, Secret, systemClock, type OptionChecks } from '@drawbridge/core'
import type { EventType, Profile } from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { strict } from '@drawbridge/schema/profiles'
import { algorithmFor, createProfileNamed, haveOwnNames, type ProfileNamed } from './as-profile.ts'
import {
  checkLifeOptions,
  readLifeOptions,
  type LifeOptions,
  type LifeSettings,
} from './life-options.ts'
import { checkKeyOptions, type KeySettings } from './keys/key-options.ts'
import { isSigningAlgorithm } from './keys/signing-algorithm.ts'
import { checkStaticStreams } from './static-stream.ts'
import type {
  PollOptions,
  PushOptions,
  SubjectOptions,
  TransmitterOptions,
} from './transmitter-options.ts'

/** The options with every default filled in. */
export interface Settings extends Required<
  Omit<
    TransmitterOptions,
    | 'secret'
    | 'keys'
    | 'subjects'
    | 'push'
    | 'poll'
    | 'minVerificationIntervalSeconds'
    | keyof LifeOptions
  >
> {
  readonly secret: Secret
  readonly keys: KeySettings
  readonly subjects: Required<SubjectOptions>
  readonly push: Required<PushOptions>
  readonly poll: Required<PollOptions>
  readonly minVerificationIntervalSeconds: number | undefined
  readonly inactivity: LifeSettings['inactivity']
  readonly verification: LifeSettings['verification']
  readonly retention: LifeSettings['retention']
  /** Finds the profile of a stream. */
  readonly profileNamed: ProfileNamed
  /** The issuer without a trailing slash: what endpoint URLs begin with. */
  readonly base: string
}

const defaultEvents: readonly EventType[] = [
  SessionRevoked,
  CredentialChange,
  DeviceComplianceChange,
]
const longPollMs = 25_000

/** @throws OptionsError with every mistake, each by the name the caller wrote */
export function readOptions(options: TransmitterOptions): Settings {
  check(options)
  return {
    eventsSupported: defaultEvents,
    eventsByDefault: 'none',
    signers: [],
    algorithm: algorithmFor(options.profile ?? strict, 'RS256'),
    profile: strict,
    profiles: [],
    draftMetadata: false,
    allowInsecureHttp: false,
    multipleStreams: true,
    clock: systemClock,
    random: Math.random,
    staticStreams: [],
    ...given(options),
    ...readLifeOptions(options),
    minVerificationIntervalSeconds: options.minVerificationIntervalSeconds,
    secret: typeof options.secret === 'string' ? new Secret(options.secret) : options.secret,
    profileNamed: createProfileNamed(options),
    base: options.issuer.replace(/\/$/, ''),
    keys: { publishAheadSeconds: 300, keepSeconds: 86_400, ...given(options.keys ?? {}) },
    subjects: {
      byDefault: 'ALL',
      matching: 'stream',
      removalGraceSeconds: 0,
      ...given(options.subjects ?? {}),
    },
    push: {
      maxInFlight: 16,
      timeoutMs: 10_000,
      allowedHosts: [],
      ca: '',
      backoff: { firstMs: 500, longestMs: 300_000 },
      maxAttempts: 20,
      maxAgeSeconds: 86_400,
      ...given(options.push ?? {}),
    },
    poll: {
      longPollMs,
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
  'eventsByDefault',
  'algorithm',
  'keys',
  'signers',
  'profile',
  'profiles',
  'draftMetadata',
  'allowInsecureHttp',
  'multipleStreams',
  'subjects',
  'push',
  'poll',
  'minVerificationIntervalSeconds',
  'inactivity',
  'verification',
  'retention',
  'staticStreams',
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
    typeof store?.open === 'function',
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
    algorithm === undefined || isSigningAlgorithm(algorithm),
    '"algorithm" must be "RS256", "PS256", "ES256" or "EdDSA"',
  )
  checks.check(
    eventsSupported === undefined || eventsSupported.every((type) => URL.canParse(type?.uri)),
    '"eventsSupported" must be event types, such as [SessionRevoked]',
  )
  const { eventsByDefault: byDefault } = options
  checks.check(
    byDefault === undefined || byDefault === 'none' || byDefault === 'all',
    '"eventsByDefault" must be "none" or "all"',
  )
  checkProfiles(checks, options)
  checkKeyOptions(checks, options)
  checkSubjects(checks, options.subjects ?? {})
  const { allowedHosts } = options.push ?? {}
  checks.check(
    allowedHosts === undefined ||
      (Array.isArray(allowedHosts) && allowedHosts.every((host) => typeof host === 'string')),
    '"push.allowedHosts" must be an array of host names or addresses',
  )
  const { ca } = options.push ?? {}
  checks.check(
    ca === undefined || (typeof ca === 'string' && ca.includes('-----BEGIN CERTIFICATE-----')),
    '"push.ca" must be certificates in PEM',
  )
  const { maxAgeSeconds: maxAge } = options.push ?? {}
  checks.check(
    maxAge === undefined || (Number.isSafeInteger(maxAge) && maxAge >= 0),
    '"push.maxAgeSeconds" must be an integer of 0 or more',
  )
  checkNumbers(checks, options)
  checkLifeOptions(checks, options, options.poll?.longPollMs ?? longPollMs)
  checkStaticStreams(checks, options.staticStreams ?? [], {
    eventsSupported: eventsSupported ?? defaultEvents,
    allowInsecureHttp: options.allowInsecureHttp === true,
  })
  checks.done()
}

function checkProfiles(checks: OptionChecks, options: TransmitterOptions): void {
  const { profile, profiles = [], algorithm } = options
  const areProfiles =
    (profile === undefined || isProfile(profile)) &&
    Array.isArray(profiles) &&
    profiles.every(isProfile)
  checks.check(
    areProfiles,
    '"profile" and "profiles" must be profiles, such as caepInterop of "@drawbridge/schema/profiles"',
  )
  if (!areProfiles) return
  checks.check(haveOwnNames(options), '"profiles" must each have a name of their own')
  const { algorithms } = profile ?? {}
  checks.check(
    algorithm === undefined || algorithms === undefined || algorithms.includes(algorithm),
    `"algorithm" must be ${algorithms?.map((name) => `"${name}"`).join(' or ')}: the profile says so`,
  )
}

const isProfile = (profile: Partial<Profile> | undefined): boolean =>
  typeof profile?.write === 'function' && typeof profile.serves === 'object'

function checkSubjects(
  checks: OptionChecks,
  { byDefault, matching, removalGraceSeconds: grace }: SubjectOptions,
): void {
  checks.check(
    byDefault === undefined || byDefault === 'ALL' || byDefault === 'NONE',
    '"subjects.byDefault" must be "ALL" or "NONE"',
  )
  checks.check(
    matching === undefined || matching === 'stream' || matching === 'stream-literal',
    '"subjects.matching" must be "stream" or "stream-literal"',
  )
  checks.check(
    grace === undefined || (Number.isSafeInteger(grace) && grace >= 0),
    '"subjects.removalGraceSeconds" must be an integer of 0 or more',
  )
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
    'push.maxAttempts': push.maxAttempts,
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
