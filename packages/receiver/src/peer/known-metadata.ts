import type { Clock } from '@drawbridge/core'
import type { KnownTransmitter } from './discover.ts'
import type { Peer } from './peer.ts'

/** The metadata of a Transmitter, kept for a while. */
export interface KnownMetadata {
  /**
   * The metadata. What is too old is read again; where that fails, what is known stays in use.
   *
   * @throws PeerError where it is not known yet and cannot be read
   */
  read(): Promise<KnownTransmitter>
  /** Whether `read` asks nobody now. */
  readonly isAtHand: boolean
  /** Has it read again when next needed, for what it says seems to be wrong; once in 30 seconds. */
  doubt(): void
}

/** Endpoints and keys move rarely; an hour is what a Transmitter has to keep the old ones for. */
const lifetimeMs = 3_600_000
const coolDownMs = 30_000

/** Keeps what `discover` finds. Whoever asks while it is read waits for the same answer. */
export function knownMetadata(
  discover: () => Promise<KnownTransmitter>,
  clock: Clock,
): KnownMetadata {
  let known: KnownTransmitter | undefined
  let readAt = 0
  let isDoubted = false
  let reading: Promise<KnownTransmitter> | undefined

  const readAnew = async (): Promise<KnownTransmitter> => {
    try {
      known = await discover()
      return known
    } catch (error) {
      if (known) return known
      throw error
    } finally {
      readAt = clock.now()
      isDoubted = false
      reading = undefined
    }
  }
  const atHand = (): KnownTransmitter | undefined =>
    clock.now() - readAt < (isDoubted ? coolDownMs : lifetimeMs) ? known : undefined

  return {
    get isAtHand() {
      return atHand() !== undefined
    },
    read: async () => atHand() ?? (await (reading ??= readAnew())),
    doubt: () => {
      isDoubted = true
    },
  }
}

/** Doubts the metadata whenever an endpoint cannot be reached: it may have moved. */
export const doubtingPeer = (peer: Peer, metadata: KnownMetadata): Peer => ({
  request: async (request) => {
    try {
      return await peer.request(request)
    } catch (error) {
      metadata.doubt()
      throw error
    }
  },
})
