import type { Profile } from '@drawbridge/schema'
import type { SigningAlgorithm } from './keys/signing-algorithm.ts'

/** Who a request comes from. */
export interface ReceiverIdentity {
  /** Names the Receiver for ever: its streams belong to this. */
  readonly id: string
  /** The `aud` of its SETs. */
  readonly audience: string
  /** What it may do: `ssf.read`, `ssf.manage`. */
  readonly scopes: readonly string[]
  /**
   * How this Receiver deviates from SSF 1.0. Its requests are read and answered so; a stream keeps
   * the profile that it was created with. Default: the option `profile` of the Transmitter.
   */
  readonly profile?: Profile
  /**
   * How the SETs of its new streams are signed. Default: as its profile demands, else as the
   * Transmitter signs.
   */
  readonly algorithm?: SigningAlgorithm
}
