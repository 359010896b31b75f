import {
  AssuranceLevelChange,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import {
  AccountCredentialChangeRequired,
  AccountDisabled,
  AccountPurged,
  CredentialCompromise,
  RecoveryActivated,
  SessionsRevoked,
} from '@drawbridge/schema/risc'
import { ScimDeactivate, ScimDelete } from '@drawbridge/schema/scim'
import type { SessionKind } from '../who.ts'
import { createPolicy, type Policy } from './policy.ts'
import type { Rule } from './rule.ts'

/**
 * The policy for those who have no other: each event type does what its Transmitter means by it,
 * and no more. What gives it back is in the table `accessMeanings`: the counter-signal of a
 * condition needs no rule.
 *
 * Where a condition asks for a proof, people are asked to authenticate, and so are those on whose
 * behalf agents act. A service cannot be: it is suspended until the counter-signal. An API key is
 * suspended where its owner's account is in doubt, and loses nothing where a login is.
 *
 * @see OpenID CAEP 1.0, "Event Types"; OpenID RISC Profile 1.0, "Event Types"; RFC 9967, "SCIM
 *   Provisioning Events"
 */
export function recommendedPolicy(): Policy {
  return createPolicy([
    {
      on: SessionRevoked,
      effect: 'terminate',
      reason: 'the issuer has ended the session: nothing rests on it any more',
    },
    {
      on: SessionsRevoked,
      effect: 'terminate',
      reason: 'the issuer has ended every session of the account',
    },
    {
      on: TokensRevoked,
      effect: 'terminate',
      reason: 'every token of the account is gone, and so is what was consented to',
    },
    {
      on: CredentialChange,
      effect: 'reauthenticate',
      reason: 'whoever logged in with the old credential must show the new one',
    },
    {
      on: CredentialCompromise,
      effect: 'terminate',
      reason: 'whoever holds the credential may be a thief, until it has been changed',
    },
    {
      on: AccountCredentialChangeRequired,
      kind: 'service',
      effect: 'suspend',
      reason: 'a fresh token would be had with the old credential: it waits for the new one',
    },
    // API keys lose nothing: they rest on no login.
    ...forKinds(['human', 'agent'], {
      on: AccountCredentialChangeRequired,
      effect: 'reauthenticate',
      reason: 'the issuer asks for the new credential at the next login',
    }),
    {
      on: RecoveryActivated,
      effect: 'reauthenticate',
      reason: 'somebody takes hold of the account anew: who is in it must show who they are',
    },
    {
      on: DeviceComplianceChange,
      effect: 'suspend',
      reason: 'the device may be put right, and then its sessions can go on',
    },
    {
      on: AssuranceLevelChange,
      kind: 'service',
      effect: 'suspend',
      reason: 'it cannot authenticate better by itself: it waits for the level to rise',
    },
    // API keys lose nothing, as above.
    ...forKinds(['human', 'agent'], {
      on: AssuranceLevelChange,
      effect: 'reauthenticate',
      reason: 'the user is known less surely than the session says',
    }),
    ...forKinds(['service', 'apiKey'], {
      on: RiskLevelChange,
      claims: { current_level: 'HIGH' },
      effect: 'suspend',
      reason: 'a token or key proves that somebody has the secret, and that may be a thief',
    }),
    {
      on: RiskLevelChange,
      claims: { current_level: 'HIGH' },
      effect: 'reauthenticate',
      reason: 'a high risk asks for a proof; a lower level gives back what it took',
    },
    {
      on: TokenClaimsChange,
      effect: 'reauthenticate',
      reason: 'the token says what no longer holds: a new login brings one that does',
    },
    {
      on: AccountDisabled,
      effect: 'suspend',
      reason: 'the account can be enabled again, and then its sessions can go on',
    },
    {
      on: AccountPurged,
      effect: 'terminate',
      reason: 'the account is gone for good',
    },
    {
      on: ScimDeactivate,
      effect: 'suspend',
      reason: 'the resource can be activated again, and then its sessions can go on',
    },
    {
      on: ScimDelete,
      effect: 'terminate',
      reason: 'the resource is gone for good',
    },
  ])
}

/** A rule for some kinds of sessions. */
const forKinds = (kinds: readonly SessionKind[], rule: Rule): readonly Rule[] =>
  kinds.map((kind) => ({ ...rule, kind }))
