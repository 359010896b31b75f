import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { issSub, opaque, push } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createTestReceiver, type ReceivedSet, type TestReceiver } from '@drawbridge/testkit'
import {
  createTransmitter,
  permitAll,
  staticTokens,
  type IssuerStore,
  type Transmitter,
  type TransmitterOptions,
} from '@drawbridge/transmitter'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'

const issuer = 'https://idp.example'

/** A Transmitter on a real file, and Receivers on real sockets. */
export interface Pushing {
  readonly transmitter: Transmitter
  /** The same store, to look into. */
  readonly store: IssuerStore
  /** Starts a Receiver and creates a stream that is pushed to it. */
  receiver(): Promise<{ readonly receiver: TestReceiver; readonly streamId: string }>
  /** Transmits an event about a user. `n` comes back in {@link numbersOf}. */
  transmit(user: string, n: number): Promise<unknown>
  /** Calls the management API. */
  call(method: string, path: string, body: object): Promise<Response>
  /** Resolves when a stream has nothing left to deliver. */
  drained(streamId: string): Promise<void>
  stop(): Promise<void>
}

/** Starts one. Failed pushes are repeated after some milliseconds. */
export async function startPushing(options: Partial<TransmitterOptions> = {}): Promise<Pushing> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-faults-'))
  const file = sqliteStore(path.join(folder, 'signals.db'))
  const transmitter = createTransmitter({
    issuer,
    secret: 'a secret for a test, 32 characters or more',
    store: file,
    authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'app' }]),
    permitEvent: permitAll,
    allowInsecureHttp: true,
    algorithm: 'ES256',
    ...options,
    push: { backoff: { firstMs: 5, longestMs: 40 }, ...options.push },
  })
  await transmitter.start()
  const store = await file.open(issuer)
  const receivers: TestReceiver[] = []

  const call = (method: string, route: string, body: object): Promise<Response> =>
    transmitter.fetch(
      new Request(`${issuer}/ssf${route}`, {
        method,
        headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  return {
    transmitter,
    store,
    call,
    receiver: async () => {
      const receiver = await createTestReceiver()
      receivers.push(receiver)
      const answer = await call('POST', '/streams', {
        events_requested: [SessionRevoked.uri],
        delivery: { method: push, endpoint_url: receiver.url },
      })
      if (answer.status !== 201) throw new Error(await answer.text())
      const { stream_id } = (await answer.json()) as { stream_id: string }
      return { receiver, streamId: stream_id }
    },
    transmit: (user, n) =>
      transmitter.transmit(
        SessionRevoked,
        { user: issSub(issuer, user), session: opaque(String(n)) },
        {},
      ),
    drained: async (streamId) => {
      // Delivered rows are settled in batches: a look at each event, and the last finds none.
      while ((await store.backlog(streamId)).rows > 0) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    stop: async () => {
      await transmitter.stop()
      await store.close()
      await Promise.all(receivers.map((receiver) => receiver.close()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Claims {
  readonly sub_id?: {
    readonly user?: { readonly sub?: string }
    readonly session?: { readonly id?: string }
  }
}

/** The user whom a SET is about. */
export const userOf = ({ claims }: ReceivedSet): string =>
  (claims as Claims).sub_id?.user?.sub ?? ''

/** The numbers of the events about a user, as they came first: a repeated SET counts once. */
export function numbersOf(sets: readonly ReceivedSet[], user: string): readonly number[] {
  const seen = new Set<string>()
  return sets
    .filter((set) => userOf(set) === user && seen.size < seen.add(set.jti).size)
    .map(({ claims }) => Number((claims as Claims).sub_id?.session?.id))
}
