import { OptionsError } from '@drawbridge/core'
import type { Profile } from '@drawbridge/schema'
import { strict } from '@drawbridge/schema/profiles'
import { algorithmFor } from '../as-profile.ts'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
import type { Stream } from './stream.ts'

/** What a new stream gets of its Receiver and of its Receiver's profile. */
export interface StreamTerms {
  readonly profile: Profile
  /** What is stored of it. */
  readonly stored: Pick<Stream, 'aud' | 'profile' | 'algorithm'>
}

/**
 * The terms of a new stream: its profile by name, its `aud`, and how its SETs are signed.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` when the application gives its Receiver a profile
 *   that is not in `profiles`, or an algorithm that the profile forbids
 */
export function streamTerms(receiver: ReceiverIdentity, settings: Settings): StreamTerms {
  const { profile = settings.profile, algorithm = settings.algorithm, audience } = receiver
  if (settings.profileNamed(profile.name) !== profile) {
    throw mistake(`"profiles" must have "${profile.name}", which "authenticate" gives`)
  }
  const fitting = algorithmFor(profile, algorithm)
  if (receiver.algorithm !== undefined && fitting !== receiver.algorithm) {
    throw mistake(`"algorithm" of a Receiver must be one that "${profile.name}" allows`)
  }
  // Where neither says anything, the stream follows the Transmitter when that changes.
  const isFixed = receiver.algorithm !== undefined || profile.algorithms !== undefined
  return {
    profile,
    stored: {
      aud: profile.serves.audience ?? audience,
      ...(profile === strict ? {} : { profile: profile.name }),
      ...(isFixed ? { algorithm: fitting } : {}),
    },
  }
}

const mistake = (sentence: string): OptionsError =>
  new OptionsError('createTransmitter', [sentence])
