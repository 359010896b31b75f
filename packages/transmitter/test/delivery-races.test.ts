import { describe, expect, it } from '@jest/globals'
import { push } from '@drawbridge/schema'
import { manualClock } from '@drawbridge/testkit'
import { addStream, deliveryAtWork, rowOf, type DeliveryAtWork } from './delivery-support.ts'
import { pushEndpoint } from './support.ts'

describe('push queue', () => {
  it.each(['the second look was taken', 'the signature was made'])(
    'SSF-8.1.2.1-6: sends nothing when it was stopped while %s',
    async (what) => {
      const endpoint = await pushEndpoint()
      let tellStopped = (): void => undefined
      const hasStopped = new Promise<void>((resolve) => (tellStopped = resolve))
      const stop = (): void => void work.delivery.stop().then(tellStopped)
      const work: DeliveryAtWork = await deliveryAtWork({
        mayLeave: async () => {
          if (what === 'the second look was taken') stop()
          return true
        },
        mint: async (_, claims) => {
          if (what === 'the signature was made') stop()
          return claims
        },
      })
      const delivery = { method: push, endpoint_url: endpoint.url } as const
      work.delivery.update(await addStream(work.store, 'a', { delivery }))
      await work.append(rowOf('a', '1'))
      await hasStopped
      expect(endpoint.received).toEqual([])
      expect(await work.store.readRows('a', { kind: 'event', after: 0, limit: 9 })).toHaveLength(1)
      await endpoint.close()
    },
  )

  it('keeps a row whose second look ended after the stop', async () => {
    const endpoint = await pushEndpoint()
    let tellStopped = (): void => undefined
    const hasStopped = new Promise<void>((resolve) => (tellStopped = resolve))
    const work: DeliveryAtWork = await deliveryAtWork({
      mayLeave: async () => {
        void work.delivery.stop().then(tellStopped)
        // As one that asks for a stream that is not there any more.
        return false
      },
    })
    const delivery = { method: push, endpoint_url: endpoint.url } as const
    work.delivery.update(await addStream(work.store, 'a', { delivery }))
    await work.append(rowOf('a', '1'))
    await hasStopped
    expect(work.told).toEqual([])
    expect(await work.store.readRows('a', { kind: 'event', after: 0, limit: 9 })).toHaveLength(1)
    await endpoint.close()
  })
})

describe('settling', () => {
  const window = { from: 0, to: Infinity, skip: 0, limit: 9 }
  /** Pushes two SETs, and has a third polled and acknowledged. */
  const deliver = async (moreSettings: object): Promise<DeliveryAtWork> => {
    const endpoint = await pushEndpoint()
    const clock = manualClock()
    const work = await deliveryAtWork({ clock }, {}, moreSettings)
    const delivery = { method: push, endpoint_url: endpoint.url } as const
    work.delivery.update(await addStream(work.store, 'a', { delivery }))
    const polled = await addStream(work.store, 'b')
    work.delivery.update(polled)
    let settles = 0
    const { settle } = work.store
    Object.assign(work.store, {
      settle: (...args: Parameters<typeof settle>) => {
        settles++
        return settle(...args)
      },
    })
    await work.append(rowOf('a', 'one'), rowOf('a', 'two'), rowOf('b', 'three'))
    await work.count('set:delivered', 2)
    expect(settles).toBe(0)
    await clock.advance(50)
    expect(settles).toBe(1)
    const { signal } = new AbortController()
    await work.delivery.poll(polled, {}, signal)
    await work.delivery.poll(polled, { ack: ['three'], maxEvents: 0 }, signal)
    await work.delivery.stop()
    await endpoint.close()
    expect(settles).toBe(2)
    return work
  }

  it('POLL-2-3: forgets what was delivered, many in one commit', async () => {
    const { store } = await deliver({})
    for (const id of ['a', 'b']) {
      expect(await store.readDelivered(id, window)).toEqual([])
      expect(await store.readRows(id, { kind: 'event', after: 0, limit: 9 })).toEqual([])
    }
  })

  it('keeps it where it is to be kept for a replay', async () => {
    const { store } = await deliver({ retention: { deliveredSeconds: 60 } })
    const jtis = async (id: string): Promise<string[]> =>
      (await store.readDelivered(id, window)).map(({ jti }) => jti)
    expect([await jtis('a'), await jtis('b')]).toEqual([['one', 'two'], ['three']])
  })
})
