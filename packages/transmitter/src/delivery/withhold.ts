import type { DeliveryContext } from './delivery-context.ts'
import { reportStorage } from './report-storage.ts'

/** Takes a row off that may not leave its stream any more, for good. Never rejects. */
export async function withhold(
  context: Pick<DeliveryContext, 'store' | 'emitter' | 'clock'>,
  streamId: string,
  jti: string,
): Promise<void> {
  const { store, emitter, clock } = context
  try {
    // Not kept for a replay either: its Receiver never had it, and may not learn of it.
    await store.settle(streamId, [jti], undefined)
    emitter.emit('set:withheld', { at: clock.now(), stream_id: streamId, jti })
  } catch (cause) {
    reportStorage(context, cause)
  }
}
