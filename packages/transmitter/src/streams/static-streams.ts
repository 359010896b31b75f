import { canonicalJson, StreamError } from '@drawbridge/schema'
import type { StaticStream } from '../static-stream.ts'
import type { Settings } from '../settings.ts'
import { removeStream } from './delete-stream.ts'
import { deliveryOf, eventsDelivered } from './requested.ts'
import { noReceiver, type StreamManagement } from './stream-management.ts'
import { streamTerms } from './stream-terms.ts'
import type { Stream } from './stream.ts'

/**
 * Makes, changes and deletes static streams so that they are as the options say. What waits on a
 * stream that is changed stays; its status stays too.
 *
 * @throws StreamError `ERR_STREAM_CONFLICT` where a Receiver has made a stream with such a
 *   `stream_id`
 */
export async function applyStaticStreams(management: StreamManagement): Promise<void> {
  const { settings, streams } = management
  const wanted = settings.staticStreams.map((options) => streamOf(options, settings))
  const ids = new Set(wanted.map(({ stream_id }) => stream_id))
  for (const stream of wanted) checkIsFree(streams.find(stream.stream_id))
  for (const stream of streams.list()) {
    if (stream.is_static && !ids.has(stream.stream_id)) await removeStream(management, stream)
  }
  for (const stream of wanted) await apply(management, stream)
}

function checkIsFree(known: Stream | undefined): void {
  if (!known || known.is_static) return
  throw new StreamError(
    'ERR_STREAM_CONFLICT',
    409,
    '"staticStreams" must have no "stream_id" of a stream that a Receiver has made',
  )
}

async function apply(management: StreamManagement, stream: Stream): Promise<void> {
  const { streams, changed } = management
  const known = streams.find(stream.stream_id)
  const isOwners = known?.receiver === stream.receiver
  // What waits is for the Receiver that was.
  if (known && !isOwners) await removeStream(management, known)
  if (!known || !isOwners) {
    await streams.create(stream, false)
    changed('stream:created', stream)
  } else if (!isSame(known, stream)) {
    const after = await streams.update(stream)
    if (after) changed('stream:updated', after)
  }
}

function streamOf(options: StaticStream, settings: Settings): Stream {
  const { stream_id, receiver = noReceiver, delivery, description } = options
  const { profile, stored } = streamTerms({ ...options, id: receiver, scopes: [] }, settings)
  const events = options.events.map(({ uri }) => uri)
  return {
    stream_id,
    receiver,
    ...stored,
    delivery: deliveryOf(delivery, settings),
    events_requested: events,
    events_delivered: eventsDelivered(events, settings, profile),
    ...(description === undefined ? {} : { description }),
    status: 'enabled',
    default_subjects: options.defaultSubjects ?? settings.subjects.byDefault,
    is_static: true,
  }
}

const isSame = (one: Stream, other: Stream): boolean => comparable(one) === comparable(other)

/** Without what is not set up, and with the `Authorization` value, which does not show itself. */
function comparable(stream: Stream): string {
  const { status: _, reason: __, status_set_by: ___, active_at: ____, ...setUp } = stream
  const { authorization } = { authorization: undefined, ...stream.delivery }
  return canonicalJson({
    ...setUp,
    delivery: { ...stream.delivery, authorization: authorization?.reveal() ?? '' },
  })
}
