import type { Secret } from '@drawbridge/core'
import type { poll, push } from '@drawbridge/schema'
import type { StreamRecord } from '../store/transmitter-store.ts'

/** A stream at work: as it is stored, with what was sealed opened. */
export interface Stream extends Omit<StreamRecord, 'delivery'> {
  readonly delivery:
    | { readonly method: typeof poll }
    | {
        readonly method: typeof push
        readonly endpoint_url: string
        /** The value of the `Authorization` field of every push. */
        readonly authorization?: Secret
      }
}
