import type { Clock } from '@drawbridge/core'
import type { TransmitterStore } from '../store/transmitter-store.ts'

/** Forgets delivered rows in batches: one commit for many. */
export interface SettleLater {
  /** Notes that a row was delivered. */
  add(jti: string): void
  /** Forgets now what was noted. */
  flush(): Promise<void>
}

/** A crash within it repeats deliveries, which a Receiver answers like the first. */
const batchMs = 50
const batchSize = 500

/**
 * Makes a batch for one stream.
 *
 * @param failed Told what the store threw. The rows stay, and are delivered again after a restart
 */
export function createSettleLater(
  streamId: string,
  { store, clock }: { readonly store: TransmitterStore; readonly clock: Clock },
  failed: (cause: unknown) => void,
): SettleLater {
  let jtis: string[] = []
  const flush = async (): Promise<void> => {
    const batch = jtis
    jtis = []
    if (batch.length === 0) return
    try {
      await store.settle(streamId, batch)
    } catch (cause) {
      failed(cause)
    }
  }
  return {
    flush,
    add: (jti) => {
      jtis.push(jti)
      if (jtis.length === 1) void clock.sleep(batchMs).then(flush)
      if (jtis.length === batchSize) void flush()
    },
  }
}
