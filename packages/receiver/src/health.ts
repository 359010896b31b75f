import type { Inbox } from './handling/inbox.ts'
import type { TransmitterEntry } from './transmitters.ts'

/** How a Receiver is. It holds no secret, and nothing about whom the events are. */
export interface ReceiverHealth {
  /**
   * `down`: it is not started, or its inbox does not answer. `degraded`: a Transmitter that runs
   * has given no stream yet, or is silent. `ok`: neither.
   */
  readonly status: 'ok' | 'degraded' | 'down'
  /** Whether it takes SETs: for a readiness probe. */
  readonly isReady: boolean
  readonly isInboxReachable: boolean
  readonly transmitters: readonly Pick<
    TransmitterEntry,
    'name' | 'state' | 'heardAt' | 'isSilent'
  >[]
}

/** What {@link healthOf} looks at. */
export interface HealthParts {
  readonly isStarted: boolean
  readonly inbox: Inbox
  readonly transmitters: readonly TransmitterEntry[]
}

/** An inbox that takes longer for one look is as good as none. */
const patienceMs = 2000

/** Tells how a Receiver is. Never rejects. */
export async function healthOf({
  isStarted,
  inbox,
  transmitters,
}: HealthParts): Promise<ReceiverHealth> {
  const isInboxReachable = isStarted && (await answers(inbox))
  const isTroubled = transmitters.some(
    ({ state, isManaged, stream, isSilent }) =>
      state === 'running' && ((isManaged && !stream) || isSilent),
  )
  return {
    status: isInboxReachable ? (isTroubled ? 'degraded' : 'ok') : 'down',
    isReady: isInboxReachable,
    isInboxReachable,
    transmitters: transmitters.map(({ name, state, heardAt, isSilent }) => ({
      name,
      state,
      heardAt,
      isSilent,
    })),
  }
}

async function answers(inbox: Inbox): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs)
  })
  const look = inbox.read({ iss: '', jti: '' }).then(
    () => true,
    () => false,
  )
  const answer = await Promise.race([look, late])
  clearTimeout(timer)
  return answer
}
