// What the type of an event tells an application. Compiled by the packaging gate against the packed
// packages, by the oldest TypeScript that is supported and by the newest.
import { isEventOf, type EventOf, type KnownEvent, type SecurityEvent } from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  caepEventTypes,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionEstablished,
  SessionPresented,
  SessionRevoked,
  TokenClaimsChange,
  type CaepEvent,
} from '@drawbridge/schema/caep'
import { CredentialCompromise, riscEventTypes } from '@drawbridge/schema/risc'
import { oauthEventTypes } from '@drawbridge/schema/oauth'
import { scimEventTypes } from '@drawbridge/schema/scim'
import { ssfEventTypes, StreamUpdated, Verification } from '@drawbridge/schema/ssf'

/** Every CAEP event: `type` narrows the payload, and nothing is left over. */
export function tellCaep(event: CaepEvent): unknown {
  switch (event.type) {
    case AssuranceLevelChange.uri:
      return event.payload.namespace satisfies string
    case CredentialChange.uri:
      return event.payload.change_type satisfies 'create' | 'revoke' | 'update' | 'delete'
    case DeviceComplianceChange.uri:
      return event.payload.current_status satisfies 'compliant' | 'not-compliant'
    case RiskLevelChange.uri:
      return event.payload.current_level satisfies 'LOW' | 'MEDIUM' | 'HIGH'
    case SessionEstablished.uri:
      return event.payload.amr satisfies readonly string[] | undefined
    case SessionPresented.uri:
      return event.payload.fp_ua satisfies string | undefined
    case SessionRevoked.uri:
      // @ts-expect-error another event's member
      return event.payload.change_type
    case TokenClaimsChange.uri:
      return event.payload.claims satisfies object
    default:
      return event satisfies never
  }
}

/** Where one is missing, the compiler says so. */
export function tellTooFew(event: EventOf<typeof SessionRevoked | typeof CredentialChange>) {
  if (event.type === SessionRevoked.uri) return event.payload.initiating_entity
  // @ts-expect-error CredentialChange is left
  return event satisfies never
}

/** Types of several families, each with its own payload. */
export function tellKnown(event: KnownEvent): unknown {
  if (event.type === Verification.uri) return event.payload.state satisfies string | undefined
  if (event.type === StreamUpdated.uri) {
    return event.payload.status satisfies 'enabled' | 'paused' | 'disabled'
  }
  if (event.type === CredentialCompromise.uri) return event.payload.credential_type satisfies string
  if (event.type === TokenClaimsChange.uri) return event.payload.claims satisfies object
  // @ts-expect-error no family has it
  return event.type === 'https://schemas.openid.net/secevent/caep/event-type/session-revokd'
}

/** Every known event is of one of the five families. */
export function familyOf(event: KnownEvent): string {
  if (isEventOf(event, ...caepEventTypes)) return 'caep'
  if (isEventOf(event, ...riscEventTypes)) return 'risc'
  if (isEventOf(event, ...scimEventTypes)) return 'scim'
  if (isEventOf(event, ...oauthEventTypes)) return 'oauth'
  if (isEventOf(event, ...ssfEventTypes)) return 'ssf'
  return event satisfies never
}

/** An event of which nothing is known is one of these after the question. */
export function changeOf(event: SecurityEvent): string {
  // @ts-expect-error not yet
  const early: unknown = event.payload.change_type
  if (isEventOf(event, CredentialChange)) return event.payload.change_type
  if (isEventOf(event, SessionRevoked, RiskLevelChange)) {
    if (event.type === RiskLevelChange.uri) return event.payload.principal
    const uri: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked' = event.type
    return uri
  }
  return String(early)
}
