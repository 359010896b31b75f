// What an application writes on both sides of a stream. Compiled by the packaging gate as events.ts.
import type { Receiver } from '@drawbridge/receiver'
import {
  defineEventType,
  issSub,
  opaque,
  type ReceiverSupplied,
  type StandardSchema,
  type StreamConfiguration,
  type Subject,
} from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import { jsonSchema } from '@drawbridge/schema/json-schema'
import { strict, tolerant } from '@drawbridge/schema/profiles'
import type { Transmitter } from '@drawbridge/transmitter'

const subject = { user: issSub('https://idp.example', '1'), session: opaque('2') }

/** The event type says what the payload is. */
export async function transmitted({ transmit }: Transmitter): Promise<void> {
  await transmit(SessionRevoked, subject, {})
  await transmit(SessionRevoked, subject, { reason_admin: { en: 'left' }, event_timestamp: 1 })
  await transmit(CredentialChange, subject, { credential_type: 'pin', change_type: 'revoke' })
  // @ts-expect-error the four values are closed
  await transmit(SessionRevoked, subject, { initiating_entity: 'robot' })
  // @ts-expect-error a text for each language
  await transmit(SessionRevoked, subject, { reason_admin: 'left' })
  // @ts-expect-error no member of this type
  await transmit(SessionRevoked, subject, { change_type: 'revoke' })
  // @ts-expect-error "change_type" is missing
  await transmit(CredentialChange, subject, { credential_type: 'pin' })
  // @ts-expect-error a Subject Identifier is an object
  await transmit(SessionRevoked, { user: 'somebody' }, {})
}

/** Handlers are typed by the event type, and `'*'` by what all events have. */
export function handled({ handle }: Receiver): void {
  handle(SessionRevoked, ({ payload }) => {
    const reasons: Readonly<Record<string, string>> | undefined = payload.reason_admin
    return reasons
  })
  // @ts-expect-error no member of this type
  handle(SessionRevoked, ({ payload }) => payload.change_type)
  handle('*', ({ type, time }): [string, number] => [type, time])
  // @ts-expect-error a URI is no event type
  handle(SessionRevoked.uri, () => undefined)
}

interface Payment {
  readonly amount: number
}
declare const payment: StandardSchema<Payment>
const uri = 'https://bank.example/event-type/payment-blocked'

/** The payload and the URI come from the definition. */
export const paymentBlocked = defineEventType({ uri, validate: payment })
export const byFunction = defineEventType({
  uri,
  validate: (value) => ({ value: { amount: Number(value) } }),
})
export const byJsonSchema = defineEventType({ uri, validate: jsonSchema<Payment>({}) })
// @ts-expect-error nothing to validate with
export const byNothing = defineEventType({ uri })

/** All three are used like the types that have a specification. */
export function ownEvents({ handle }: Receiver): void {
  for (const type of [paymentBlocked, byFunction, byJsonSchema]) {
    type.uri satisfies 'https://bank.example/event-type/payment-blocked'
    handle(type, ({ payload }) => payload.amount satisfies number)
    // @ts-expect-error not in the schema
    handle(type, ({ payload }) => payload.currency)
  }
}

/** What a Receiver may write of a stream. */
export const request: ReceiverSupplied = {
  delivery: { method: 'urn:ietf:rfc:8936' },
  events_requested: [SessionRevoked.uri],
}
// @ts-expect-error the Transmitter's own
export const withId: ReceiverSupplied = { stream_id: '1' }
// @ts-expect-error the Transmitter's own
export const withDelivered: ReceiverSupplied = { events_delivered: [SessionRevoked.uri] }
// @ts-expect-error the Transmitter's own
export const withAudience: ReceiverSupplied = { aud: 'https://app.example' }
// @ts-expect-error neither push nor poll
export const withOther: ReceiverSupplied = { delivery: { method: 'https://example.com' } }
// @ts-expect-error what a Transmitter answers is not changed in place
export const renamed = (stream: StreamConfiguration) => (stream.stream_id = '1')

/** Profiles read what nobody has looked at. */
export const subjectsOf = (claims: unknown): readonly Subject[] =>
  [strict, tolerant].map(({ read }) => read(claims).events[0].subject)
