import { createDeadLetterOperations, type DeadLetterOperations } from './dead-letter-operations.ts'
import type { Running } from './operation-context.ts'
import { createReplay, type Replay } from './replay.ts'
import { createStreamOperations, type StreamOperations } from './stream-operations.ts'

/**
 * The operator's hands. Before `start`, and after `stop`, everything rejects with StorageError
 * `ERR_STORAGE_UNAVAILABLE`.
 */
export interface Operations {
  /** The streams, whoever owns them. */
  readonly streams: StreamOperations
  /** What Receivers refused for good. */
  readonly deadLetters: DeadLetterOperations
  /** Sends once more what a Receiver took. */
  readonly replay: Replay
}

/** Makes the operations of one Transmitter. */
export const createOperations = (running: Running): Operations => ({
  streams: createStreamOperations(running),
  deadLetters: createDeadLetterOperations(running),
  replay: createReplay(running),
})
