import { systemClock, type Clock, type OptionChecks } from '@drawbridge/core'
import { readSet, type EventType, type SecurityEvent, type Subject } from '@drawbridge/schema'

/** What a request of an identity provider needs to become a signal of it. */
export interface InputOptions {
  /** The identity provider whose word it is. What it may touch is said by its mandate, as of a SET. */
  readonly issuer: string
  /** Says when it happened: now. Default: the machine's. */
  readonly clock?: Pick<Clock, 'now'>
  /** Makes the `jti`: an identifier that is used once. Default: a random UUID. */
  readonly newId?: () => string
}

/** The names of {@link InputOptions}. */
export const inputOptionNames: readonly string[] = ['issuer', 'clock', 'newId']

/** What a signal says, and of whom. */
export interface Said {
  readonly type: EventType
  readonly subject: Subject
}

/** Makes the signal that a SET of the issuer would be, issued now. */
export function issueEvent({ type, subject }: Said, options: InputOptions): SecurityEvent {
  const { issuer, clock = systemClock, newId = () => crypto.randomUUID() } = options
  const now = clock.now() / 1000
  const set = {
    iss: issuer,
    jti: newId(),
    iat: Math.floor(now),
    // Of two requests in one second the later one counts.
    toe: now,
    sub_id: subject,
    events: { [type.uri]: {} },
  }
  return readSet(set).events[0]
}

/** Notes every mistake in {@link InputOptions}. */
export function checkInputOptions(options: Partial<InputOptions>, checks: OptionChecks): void {
  const { issuer } = options
  checks.check(
    typeof issuer === 'string' && issuer !== '',
    '"issuer" must name the identity provider that the request is from',
  )
  checkTimeAndId(options, checks)
}

/** Notes mistakes in what has a default. */
export function checkTimeAndId(
  { clock, newId }: Partial<InputOptions>,
  { check }: OptionChecks,
): void {
  check(clock === undefined || typeof clock?.now === 'function', '"clock" must have "now"')
  check(newId === undefined || typeof newId === 'function', '"newId" must be a function')
}
