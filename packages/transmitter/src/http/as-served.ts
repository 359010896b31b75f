import {
  isObject,
  poll,
  push,
  type PollResponse,
  type ProfileServing,
  type StreamConfiguration,
} from '@drawbridge/schema'
import type { Settings } from '../settings.ts'
import { streamConfiguration } from '../streams/stream-configuration.ts'
import type { Stream } from '../streams/stream.ts'
import type { Call } from './call.ts'

/** What the API does for the Receiver of a call: by its profile, else the Transmitter's. */
export const servingOf = ({ receiver, management }: Call): ProfileServing =>
  (receiver.profile ?? management.settings.profile).serves

/** The draft's URI of each delivery method. */
const draftMethods = {
  [push]: 'https://schemas.openid.net/secevent/risc/delivery-method/push',
  [poll]: 'https://schemas.openid.net/secevent/risc/delivery-method/poll',
} as const

const finalMethods: ReadonlyMap<unknown, string> = new Map(
  Object.entries(draftMethods).map(([method, draft]) => [draft, method]),
)

/** The body of a request about a stream's configuration, in the form of SSF 1.0. */
export function finalStreamRequest(body: unknown, serves: ProfileServing): unknown {
  if (!isObject(body)) return body
  const { ignoredMembers, deliveryMethods } = serves
  const kept = Object.entries(body).filter(([name]) => !ignoredMembers.includes(name))
  const request = Object.fromEntries(kept)
  const { delivery } = request
  if (deliveryMethods === 'final' || !isObject(delivery)) return request
  return { ...request, delivery: finalDelivery(delivery) }
}

/** A final name counts where both are there. */
function finalDelivery(delivery: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { delivery_method, url, ...rest } = delivery
  const { method = delivery_method, endpoint_url = url } = rest
  return { ...rest, method: finalMethods.get(method) ?? method, endpoint_url }
}

/** The body of a poll, in the form of RFC 8936. */
export function finalPollRequest(body: unknown, { pollAliases }: ProfileServing): unknown {
  if (!pollAliases || !isObject(body) || body['maxEvents'] !== undefined) return body
  return { ...body, maxEvents: body['max_events'] }
}

/** How long the Receiver wants its poll to be held at most, where it says so. */
export function longestMs(body: unknown, { pollAliases }: ProfileServing): number | undefined {
  const seconds = pollAliases && isObject(body) ? Number(body['timeoutSecs']) : Number.NaN
  return seconds > 0 ? seconds * 1000 : undefined
}

/** The answer to a poll, as its Receiver wants it. */
export function pollAnswer(answer: PollResponse, { moreAvailable }: ProfileServing): PollResponse {
  return moreAvailable ? answer : { sets: answer.sets }
}

/** The configuration of a stream, as its Receiver wants it. */
export function streamAnswer(stream: Stream, settings: Settings, serves: ProfileServing): object {
  const configuration = streamConfiguration(stream, settings)
  return asServed(
    serves.deliveryMethods === 'draft' ? inDraftNames(configuration) : configuration,
    serves,
  )
}

function inDraftNames({ delivery, ...rest }: StreamConfiguration): StreamConfiguration | object {
  return { ...rest, delivery: { ...delivery, method: draftMethods[delivery.method] } }
}

/** An answer about a stream: without its name, where the Receiver knows none. */
export function asServed(answer: object, { unnamedStream }: ProfileServing): object {
  if (!unnamedStream) return answer
  const { stream_id: _, ...rest } = answer as { readonly stream_id?: string }
  return rest
}
