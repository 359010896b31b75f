import { SharedSignalsError, type EventType, type SubjectInput } from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import type { Transmitter } from '@drawbridge/transmitter'

const types: readonly EventType[] = [SessionRevoked, CredentialChange, DeviceComplianceChange]

/**
 * Answers `POST /emit` with `{ "type": "session-revoked", "subject": {…}, "payload": {…} }`:
 * transmits the event to every stream that wants it.
 */
export async function emit(transmitter: Transmitter, request: Request): Promise<Response> {
  const body = (await request.json().catch(() => undefined)) as
    Record<string, unknown> | null | undefined
  if (typeof body !== 'object' || body === null) {
    return Response.json({ error: 'the body must be a JSON object' }, { status: 400 })
  }
  const type = types.find(({ name }) => name === body['type'])
  if (!type) {
    const known = types.map(({ name }) => name).join(', ')
    return Response.json({ error: `"type" must be one of ${known}` }, { status: 400 })
  }
  try {
    const subject = body['subject'] as SubjectInput
    const recorded = await transmitter.transmit(type, subject, body['payload'] ?? {})
    return Response.json(recorded, { status: 201 })
  } catch (error) {
    if (!isMistake(error)) throw error
    return Response.json({ error: error.message }, { status: 400 })
  }
}

const isMistake = (error: unknown): error is SharedSignalsError =>
  (error as { name?: unknown } | null)?.name === 'SetError'
