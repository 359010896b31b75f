import { Secret } from '@drawbridge/core'
import { poll, push, StreamError, type Profile, type ReceiverSupplied } from '@drawbridge/schema'
import type { Settings } from '../settings.ts'
import type { Stream } from './stream.ts'

/**
 * What a Receiver gets of the event types it asks for: those that are supported, and it can take.
 *
 * @param requested Undefined where it asks for none: then `eventsByDefault` says
 */
export function eventsDelivered(
  requested: readonly string[] | undefined,
  settings: Settings,
  profile?: Profile,
): readonly string[] {
  const all = settings.eventsSupported.map(({ uri }) => uri)
  const supported = new Set(all)
  const asked = requested ?? (settings.eventsByDefault === 'all' ? all : [])
  const taken = profile?.serves.eventTypes
  return [...new Set(asked)].filter(
    (uri) => supported.has(uri) && (taken === undefined || taken.includes(uri)),
  )
}

/**
 * How the SETs of a stream will travel.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` (400)
 */
export function deliveryOf(
  { method, endpoint_url, authorization_header }: NonNullable<ReceiverSupplied['delivery']>,
  { allowInsecureHttp }: Settings,
): Stream['delivery'] {
  if (method === poll || endpoint_url === undefined) return { method: poll }
  const { protocol, username, password } = new URL(endpoint_url)
  const isAllowed = protocol === 'https:' || (protocol === 'http:' && allowInsecureHttp)
  if (!isAllowed) {
    throw new StreamError('ERR_STREAM_REQUEST', 400, '"delivery.endpoint_url" must be an https URL')
  }
  if (username !== '' || password !== '') {
    throw new StreamError(
      'ERR_STREAM_REQUEST',
      400,
      '"delivery.endpoint_url" must hold no credentials: use "delivery.authorization_header"',
    )
  }
  return {
    method: push,
    endpoint_url,
    ...(authorization_header === undefined
      ? {}
      : { authorization: new Secret(authorization_header) }),
  }
}
