import { wireClaims } from './as-profile.ts'
import type { KeyRing } from './keys/key-ring.ts'
import type { SigningKey } from './keys/signing-key.ts'
import { mintSet } from './mint-set.ts'
import type { Settings } from './settings.ts'
import type { StreamRegistry } from './streams/stream-registry.ts'
import type { Stream } from './streams/stream.ts'

/** Signs SETs. */
export interface Minter {
  /**
   * Signs the claims of a row of a stream, as its Receiver wants them, with the key of now.
   *
   * @throws SharedSignalsError `ERR_SIGNER` when a signer outside does not sign, or not in time
   */
  mint(streamId: string, claims: string): Promise<string>
  /**
   * Signs what a stream will be asked for next, while its Receiver reads what it has: whoever works
   * off a backlog then does not wait for signatures. Takes the place of what was signed ahead for
   * the stream before. Signers outside are asked for nothing that nobody wants yet.
   */
  mintAhead(streamId: string, claims: readonly string[]): void
}

/** What a {@link Minter} needs. */
export interface MinterContext {
  readonly settings: Settings
  readonly streams: StreamRegistry
  readonly keys: Pick<KeyRing, 'signerFor'>
}

/** A SET that was signed before it was asked for, for a stream as it was then. */
interface Early {
  readonly stream: Stream
  readonly set: Promise<{ readonly kid: string; readonly set: string } | undefined>
}

/** So many SETs are kept at most, a few KB each. */
const mostEarly = 2000

/** Makes the minter of one Transmitter. */
export function createMinter({ settings, streams, keys }: MinterContext): Minter {
  /** By stream, and then by claims. */
  const early = new Map<string, Map<string, Early>>()
  let size = 0

  const keyFor = (stream: Stream | undefined): Promise<SigningKey> =>
    keys.signerFor(stream?.algorithm ?? settings.algorithm)
  const sign = (stream: Stream | undefined, claims: string, key: SigningKey): Promise<string> =>
    mintSet(wireClaims(settings.profileNamed(stream?.profile), claims), key)
  const signEarly = async (stream: Stream, claims: string): Promise<Awaited<Early['set']>> => {
    const key = await keyFor(stream)
    return key.isOutside ? undefined : { kid: key.kid, set: await sign(stream, claims, key) }
  }
  const forget = (streamId: string): void => {
    size -= early.get(streamId)?.size ?? 0
    early.delete(streamId)
  }
  const take = (streamId: string, claims: string): Early | undefined => {
    const found = early.get(streamId)?.get(claims)
    if (found && early.get(streamId)?.delete(claims)) size--
    return found
  }

  return {
    mint: async (streamId, claims) => {
      const stream = streams.find(streamId)
      const found = take(streamId, claims)
      const key = await keyFor(stream)
      const signed = found && found.stream === stream ? await found.set : undefined
      // Keys change, and Receivers stay away for long.
      return signed?.kid === key.kid ? signed.set : sign(stream, claims, key)
    },
    mintAhead: (streamId, all) => {
      const stream = streams.find(streamId)
      forget(streamId)
      if (!stream) return
      const mine = new Map<string, Early>()
      early.set(streamId, mine)
      for (const claims of all.slice(0, mostEarly)) {
        const set = signEarly(stream, claims).catch(() => undefined)
        mine.set(claims, { stream, set })
      }
      size += mine.size
      for (const oldest of early.keys()) {
        if (size <= mostEarly) return
        forget(oldest)
      }
    },
  }
}
