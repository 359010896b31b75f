import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { createPolicy, type Policy } from './policy.ts'

/**
 * The policy for those who have no other: each event type does what its Transmitter means by it,
 * and no more.
 *
 * @see OpenID CAEP 1.0, "Event Types"
 */
export function recommendedPolicy(): Policy {
  return createPolicy([
    {
      on: SessionRevoked,
      effect: 'terminate',
      reason: 'the issuer has ended the session: nothing rests on it any more',
    },
    {
      on: CredentialChange,
      effect: 'reauthenticate',
      reason: 'whoever logged in with the old credential must show the new one',
    },
    {
      on: DeviceComplianceChange,
      effect: 'suspend',
      reason: 'the device may be put right, and then its sessions can go on',
    },
  ])
}
