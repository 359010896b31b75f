import type { Backoff, Clock, Secret } from '@drawbridge/core'
import type { EventType, Profile, StreamMatchRule } from '@drawbridge/schema'
import type { Authenticate } from './authenticate/authenticate.ts'
import type { KeyOptions } from './keys/key-options.ts'
import type { Signer } from './keys/signer.ts'
import type { SigningAlgorithm } from './keys/signing-algorithm.ts'
import type { LifeOptions } from './life-options.ts'
import type { PermitEvent } from './permit-event.ts'
import type { StaticStream } from './static-stream.ts'
import type { TransmitterStore } from './store/transmitter-store.ts'
import type { DefaultSubjects } from './streams/subjects-judgement.ts'

/** Options of {@link createTransmitter}. */
export interface TransmitterOptions extends LifeOptions {
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
  /**
   * What a stream delivers whose Receiver asks for no event types: none, or all that are supported.
   * Default: `none`.
   */
  readonly eventsByDefault?: 'none' | 'all'
  /** How SETs are signed, where a stream has no algorithm of its own. Default: RS256. */
  readonly algorithm?: SigningAlgorithm
  /** How the keys that are made in the store come and go. */
  readonly keys?: KeyOptions
  /**
   * Keys outside of the store. For an algorithm that is among them none is made: the first of the
   * list signs, the others are published. To rotate, put the new one last, wait as long as the JWK
   * Set may be cached, then put it first. Default: none.
   */
  readonly signers?: readonly Signer[]
  /**
   * How Receivers are spoken to of whom `authenticate` does not say it, from
   * `@drawbridge/schema/profiles`; and what every event must keep to: `caepInterop` makes a
   * Transmitter of that profile. Default: `strict`.
   */
  readonly profile?: Profile
  /** Profiles of your own that `authenticate` gives to Receivers. Default: none. */
  readonly profiles?: readonly Profile[]
  /**
   * Serves the metadata under the drafts' name `sse-configuration` too, for Receivers such as
   * Apple's. Default: false.
   */
  readonly draftMetadata?: boolean
  /**
   * Allows `http` URLs, the issuer's and those that are pushed to, and pushing to this machine. For
   * tests. Default: false.
   */
  readonly allowInsecureHttp?: boolean
  /** Whether a Receiver may have several streams; if not, a second create is 409. Default: true. */
  readonly multipleStreams?: boolean
  /** Which subjects streams have. */
  readonly subjects?: SubjectOptions
  readonly push?: PushOptions
  readonly poll?: PollOptions
  /** The shortest time between two verification requests of a stream. Default: no limit. */
  readonly minVerificationIntervalSeconds?: number
  /** Streams that are set up here, not by their Receivers. Default: none. */
  readonly staticStreams?: readonly StaticStream[]
  /** Default: the machine's. */
  readonly clock?: Clock
  /** From 0 (included) to 1 (excluded), for jitter. Default: `Math.random`. */
  readonly random?: () => number
}

/** Which subjects streams have, and how they are compared. */
export interface SubjectOptions {
  /**
   * What a new stream has: all subjects, so that Receivers remove what they do not want, or none,
   * so that they add what they want. A stream keeps what it began with. Default: `ALL`.
   *
   * @see OpenID SSF 1.0, "Transmitter Configuration Metadata" (`default_subjects`)
   */
  readonly byDefault?: DefaultSubjects
  /**
   * How an event's subject is compared with one that was added: `stream`, where a simple subject
   * equals the `user` of a complex one and complex ones have a member in common; or
   * `stream-literal`, the text of SSF 1.0 to the letter. A store keeps what it was begun with.
   * Default: `stream`.
   */
  readonly matching?: StreamMatchRule
  /**
   * How long events about a removed subject are still sent, in seconds, so that whoever got hold of
   * a Receiver's token cannot silence it at once. Default: 0.
   *
   * @see OpenID SSF 1.0, "Malicious Subject Removal"
   */
  readonly removalGraceSeconds?: number
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
  /**
   * Certificates of authorities that are trusted besides those that Node comes with, in PEM one
   * after the other: the authority of an internal network. Default: none.
   */
  readonly ca?: string
  /** When a failed push is repeated. Default: from 500 ms, doubling up to five minutes. */
  readonly backoff?: Backoff
  /**
   * How often a SET is tried that fails while others of its stream get through. Then, and after
   * `maxAgeSeconds`, it becomes a dead letter, so that it does not hold up its principal's other
   * events for ever. A stream on which nothing gets through loses nothing. Default: 20.
   */
  readonly maxAttempts?: number
  /** How old such a SET is at least when it is given up, in seconds. Default: 86,400. */
  readonly maxAgeSeconds?: number
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
