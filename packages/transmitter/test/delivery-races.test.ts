import { describe, expect, it } from '@jest/globals'
import { createEmitter, systemClock } from '@drawbridge/core'
import { generateKeyPair } from 'jose'
import { createPushQueue, type PushQueue } from '../src/delivery/push-queue.ts'
import { pushTarget } from '../src/delivery/post-set.ts'
import { createWaiters } from '../src/delivery/waiters.ts'
import { memoryStore, permitAll, staticTokens, type TransmitterEvents } from '../src/index.ts'
import { readOptions } from '../src/settings.ts'
import { entry, streamRecord } from './store-contract.ts'
import { issuer, secret } from './support.ts'

describe('waiters', () => {
  it('overlook no wake between looking for rows and waiting for them', async () => {
    const waiters = createWaiters(systemClock)
    const seen = waiters.wakes
    waiters.wake()
    await waiters.wait(60_000, seen, new AbortController().signal)
    expect(waiters.wakes).toBe(seen + 1)
  })

  it('let nobody wait who has gone, or after the end', async () => {
    const waiters = createWaiters(systemClock)
    await waiters.wait(60_000, waiters.wakes, AbortSignal.abort())
    waiters.stop()
    await waiters.wait(60_000, waiters.wakes, new AbortController().signal)
    expect(waiters.isStopped).toBe(true)
  })
})

describe('push queue', () => {
  it('SSF-8.1.2.1-6: sends nothing when it was stopped while the signature was made', async () => {
    const store = memoryStore()
    await store.open()
    await store.createStream(streamRecord('a'), false)
    await store.append([entry('a', '1')])
    const { privateKey } = await generateKeyPair('ES256')
    const sent: string[] = []
    const queue: PushQueue = await new Promise((resolve) => {
      const made: PushQueue = createPushQueue(
        'a',
        {
          poster: {
            post: async (_, set) => {
              sent.push(set)
              return { status: 202, body: '' }
            },
            destroy: () => Promise.resolve(),
          },
          target: pushTarget('https://app.example/events'),
          begin: Promise.resolve(),
        },
        {
          store,
          settings: readOptions({
            issuer,
            secret,
            store,
            authenticate: staticTokens([]),
            permitEvent: permitAll,
          }),
          clock: systemClock,
          emitter: createEmitter<TransmitterEvents>(),
          key: () => {
            void made.stop()
            resolve(made)
            return { kid: 'kid', alg: 'ES256', privateKey }
          },
        },
      )
    })
    await queue.stop()
    expect(sent).toEqual([])
    expect(await store.readRows('a', 0, 1)).toHaveLength(1)
  })
})
