/** What a Transmitter's API does for the Receivers of a profile: data, read at its edge alone. */
export interface ProfileServing {
  /**
   * Whether a request that names no stream means the Receiver's only one, and a read of it is
   * answered with that stream instead of an array. Default: false.
   */
  readonly onlyStreamMeant: boolean
  /**
   * Whether the Receiver knows no `stream_id`: it has one stream, which a create request replaces,
   * and answers do not name it. Default: false.
   */
  readonly unnamedStream: boolean
  /**
   * Which URIs of delivery methods are taken and answered: `final`, those of 1.0 alone (default);
   * `either`, drafts' URIs and member names too; `draft`, the same, and answers have the drafts'
   * URIs.
   */
  readonly deliveryMethods: 'final' | 'either' | 'draft'
  /**
   * Members of a Stream Configuration that the Transmitter supplies and the Receiver sends
   * nevertheless: they are ignored. Default: none.
   */
  readonly ignoredMembers: readonly string[]
  /**
   * Whether `max_events` is read as `maxEvents` of a poll, and `timeoutSecs` as the longest it may
   * be held. Default: false.
   */
  readonly pollAliases: boolean
  /** Whether a poll is told that there are more SETs. Default: true. */
  readonly moreAvailable: boolean
  /** The statuses of answers. Default: 201, 204, 204 and 204. */
  readonly statusFor: StatusFor
  /** The `aud` of its SETs, where that is a constant. Default: the one of the Receiver. */
  readonly audience?: string
  /** The event types it takes. Default: every one. */
  readonly eventTypes?: readonly string[]
}

/** The statuses of answers that peers differ about. */
export interface StatusFor {
  readonly createStream: 200 | 201
  readonly deleteStream: 200 | 204
  readonly removeSubject: 200 | 204
  readonly verification: 200 | 204
}

/** What differs from SSF 1.0, for {@link createProfile}. */
export type ServingDefinition = Partial<Omit<ProfileServing, 'statusFor'>> & {
  readonly statusFor?: Partial<StatusFor>
}

/**
 * Fills in what SSF 1.0 says.
 *
 * @see OpenID SSF 1.0, "Stream Management"
 */
export function servingOf(definition: ServingDefinition = {}): ProfileServing {
  return {
    onlyStreamMeant: false,
    unnamedStream: false,
    deliveryMethods: 'final',
    ignoredMembers: [],
    pollAliases: false,
    moreAvailable: true,
    ...definition,
    statusFor: {
      createStream: 201,
      deleteStream: 204,
      removeSubject: 204,
      verification: 204,
      ...definition.statusFor,
    },
  }
}
