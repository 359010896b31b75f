import type { Ask } from './peer.ts'
import type { Site } from './site.ts'
import { createPolled, pollMethod } from './streams.ts'

/** One call of a Receiver. */
export interface Call extends Ask {
  readonly method: string
  readonly endpoint: string
  /** Whether it changes anything. */
  readonly changes: boolean
}

/** Every call there is, good in form, about a stream that is there. */
export async function everyCall({ peer }: Pick<Site, 'peer'>): Promise<readonly Call[]> {
  const { stream_id, query, configuration } = await createPolled(peer)
  const { endpoint_url } = configuration['delivery'] as { readonly endpoint_url: string }
  const subject = { format: 'email', email: 'alice@receiver.example' }
  const change = (method: string, endpoint: string, ask: Ask): Call =>
    ({ method, endpoint, changes: true, ...ask }) as const
  return [
    change('POST', 'configuration_endpoint', { body: {} }),
    change('PATCH', 'configuration_endpoint', { body: { stream_id } }),
    change('PUT', 'configuration_endpoint', {
      body: { stream_id, delivery: { method: pollMethod } },
    }),
    change('POST', 'status_endpoint', { body: { stream_id, status: 'enabled' } }),
    change('POST', 'add_subject_endpoint', { body: { stream_id, subject } }),
    change('POST', 'remove_subject_endpoint', { body: { stream_id, subject } }),
    change('POST', 'verification_endpoint', { body: { stream_id } }),
    change('POST', endpoint_url, { body: { returnImmediately: true } }),
    { method: 'GET', endpoint: 'configuration_endpoint', changes: false },
    { method: 'GET', endpoint: 'configuration_endpoint', query, changes: false },
    { method: 'GET', endpoint: 'status_endpoint', query, changes: false },
    // The last, for it works.
    change('DELETE', 'configuration_endpoint', { query }),
  ]
}
