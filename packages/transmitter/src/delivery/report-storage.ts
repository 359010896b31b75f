import type { DeliveryContext } from './delivery-context.ts'

/** Tells that the store failed. What is concerned stays in it. */
export function reportStorage(
  { emitter, clock }: Pick<DeliveryContext, 'emitter' | 'clock'>,
  cause: unknown,
): void {
  emitter.emit('storage:failed', { at: clock.now(), cause })
}
