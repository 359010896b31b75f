import { describe, expect, it } from '@jest/globals'
import { isEventOf, type EventOf, type KnownEvent } from '@drawbridge/schema'
import {
  caepEventTypes,
  CredentialChange,
  SessionRevoked,
  TokenClaimsChange,
  type CaepEvent,
} from '@drawbridge/schema/caep'
import { riscEventTypes, SessionsRevoked, type RiscEvent } from '@drawbridge/schema/risc'
import { ScimDelete, type ScimEvent } from '@drawbridge/schema/scim'
import { StreamUpdated, Verification, type SsfEvent } from '@drawbridge/schema/ssf'
import { eventOf } from './event-types-samples.ts'

/** Compiles only where nothing is left. */
const never = (event: never): string => String(event)

type Chosen = EventOf<typeof SessionRevoked | typeof CredentialChange | typeof StreamUpdated>

/** Compiles only where `type` narrows the payload, and the cases are all there are. */
function told(event: Chosen): string {
  switch (event.type) {
    case SessionRevoked.uri:
      return event.payload.initiating_entity ?? 'nobody'
    case CredentialChange.uri:
      return event.payload.change_type
    case StreamUpdated.uri:
      return event.payload.status
    default:
      return never(event)
  }
}

describe('EventOf', () => {
  it('distributes over event types, so that a switch over "type" narrows', () => {
    const event = eventOf(CredentialChange, { change_type: 'revoke' })
    expect(isEventOf(event, SessionRevoked, CredentialChange, StreamUpdated)).toBe(true)
    expect(told(event as Chosen)).toBe('revoke')
  })

  it('is what the families are unions of', () => {
    const families: KnownEvent[] = [
      eventOf(TokenClaimsChange) as CaepEvent,
      eventOf(SessionsRevoked) as RiscEvent,
      eventOf(ScimDelete) as ScimEvent,
      eventOf(Verification) as SsfEvent,
    ]
    for (const event of families) {
      if (event.type === TokenClaimsChange.uri) expect(event.payload.claims).toBeUndefined()
    }
    expect(families).toHaveLength(4)
  })
})

describe('isEventOf', () => {
  it('tells by the type URI, and narrows to it', () => {
    const event = eventOf(SessionRevoked, { initiating_entity: 'policy' })
    expect(isEventOf(event, CredentialChange)).toBe(false)
    expect(isEventOf(event)).toBe(false)
    if (!isEventOf(event, SessionRevoked)) throw new Error('not narrowed')
    const uri: typeof SessionRevoked.uri = event.type
    expect([uri, event.payload.initiating_entity]).toEqual([SessionRevoked.uri, 'policy'])
  })

  it('takes a whole family', () => {
    const event = eventOf(SessionRevoked)
    expect(isEventOf(event, ...riscEventTypes)).toBe(false)
    if (!isEventOf(event, ...caepEventTypes)) throw new Error('not narrowed')
    const narrowed: CaepEvent = event
    expect(narrowed).toBe(event)
  })
})
