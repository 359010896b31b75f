import { poll } from '@drawbridge/schema'
import type { OutboxEntry, StreamRecord } from '../src/index.ts'

/** A stream as stores keep it. */
export const streamRecord = (
  stream_id: string,
  more: Partial<StreamRecord> = {},
): StreamRecord => ({
  stream_id,
  receiver: 'receiver',
  aud: 'https://app.example',
  delivery: { method: poll },
  events_delivered: ['https://type.example'],
  status: 'enabled',
  ...more,
})

/** An entry of the outbox of a stream. */
export const entry = (
  stream_id: string,
  jti: string,
  more: Partial<OutboxEntry> = {},
): OutboxEntry => ({
  stream_id,
  jti,
  kind: 'event',
  lane: `lane of ${jti}`,
  claims: JSON.stringify({ jti, text: 'ünïcode "quoted"' }),
  recorded_at: 1_700_000_000_000,
  ...more,
})
