import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { poll, push } from '@drawbridge/schema'
import type { OutboxEntry, StreamRecord, TransmitterStore } from '../src/index.ts'

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

export const entry = (stream_id: string, jti: string): OutboxEntry => ({
  stream_id,
  jti,
  lane: `lane of ${jti}`,
  claims: JSON.stringify({ jti, text: 'ünïcode "quoted"' }),
})

/** What every TransmitterStore does. */
export function storeContract(name: string, makeStore: () => Promise<TransmitterStore>): void {
  describe(`TransmitterStore: ${name}`, () => {
    let store: TransmitterStore
    const jtis = async (streamId: string, after = 0, limit = 100): Promise<string[]> =>
      (await store.readRows(streamId, after, limit)).map(({ jti }) => jti)

    beforeEach(async () => {
      store = await makeStore()
      await store.open()
    })
    afterEach(() => store.close())

    it('opens and closes any number of times', async () => {
      await store.open()
      await store.close()
      await store.close()
      await store.open()
      expect(await store.readStreams()).toEqual([])
    })

    it('rejects with ERR_STORAGE_UNAVAILABLE while it is closed', async () => {
      await store.close()
      await expect(store.append([entry('a', 'j')])).rejects.toMatchObject({
        code: 'ERR_STORAGE_UNAVAILABLE',
      })
    })

    it('keeps keys, oldest first, and never replaces one', async () => {
      const key = (
        kid: string,
        sealed_private_jwk = 'sealed',
      ): Parameters<typeof store.addKey>[0] => ({
        kid,
        alg: 'ES256',
        public_jwk: '{}',
        sealed_private_jwk,
      })
      await store.addKey(key('b'))
      await store.addKey(key('a'))
      await store.addKey(key('b', 'other'))
      expect(await store.readKeys()).toEqual([key('b'), key('a')])
    })

    it('replaces a stream but for its owner and its status, and keeps its rows', async () => {
      await store.createStream(streamRecord('s', { status: 'paused', reason: 'why' }), false)
      await store.append([entry('s', 'j')])
      const changed = streamRecord('s', { receiver: 'other', description: 'new' })
      expect(await store.updateStream(changed)).toBe(true)
      expect(await store.updateStream(streamRecord('unknown'))).toBe(false)
      const [stream] = await store.readStreams()
      expect(stream).toEqual(
        streamRecord('s', { description: 'new', status: 'paused', reason: 'why' }),
      )
      expect(await jtis('s')).toEqual(['j'])
    })

    it('keeps every member of a stream', async () => {
      const full = streamRecord('full', {
        delivery: {
          method: push,
          endpoint_url: 'https://app.example/events',
          sealed_authorization: 'sealed',
        },
        events_requested: ['https://type.example', 'https://unknown.example'],
        description: 'a description',
        status: 'paused',
        reason: 'maintenance',
      })
      await store.createStream(full, false)
      await store.createStream(streamRecord('bare'), false)
      expect(await store.readStreams()).toEqual([full, streamRecord('bare')])
    })

    it('SSF-8.1.1.1-5: adds no second stream of a Receiver that may have one, also in a race', async () => {
      const created = await Promise.all([
        store.createStream(streamRecord('a'), true),
        store.createStream(streamRecord('b'), true),
        store.createStream(streamRecord('c', { receiver: 'other' }), true),
      ])
      expect(created).toEqual([true, false, true])
      expect((await store.readStreams()).map(({ stream_id }) => stream_id)).toEqual(['a', 'c'])
    })

    it('changes the status and forgets the reason of the one before', async () => {
      await store.createStream(streamRecord('a'), false)
      expect(await store.changeStatus('a', { status: 'paused', reason: 'why' })).toBe(true)
      expect(await store.readStreams()).toEqual([
        streamRecord('a', { status: 'paused', reason: 'why' }),
      ])
      expect(await store.changeStatus('a', { status: 'enabled' })).toBe(true)
      expect(await store.readStreams()).toEqual([streamRecord('a')])
      expect(await store.changeStatus('nobody', { status: 'enabled' })).toBe(false)
    })

    it('reads rows oldest first, after a place, up to a limit', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.createStream(streamRecord('b'), false)
      await store.append([entry('a', '1'), entry('b', '2'), entry('a', '3')])
      await store.append([entry('a', '4')])
      const rows = await store.readRows('a', 0, 2)
      expect(rows).toEqual([
        { ...entry('a', '1'), seq: expect.any(Number) },
        { ...entry('a', '3'), seq: expect.any(Number) },
      ])
      expect(await jtis('a', rows[1]?.seq)).toEqual(['4'])
      expect(await jtis('b')).toEqual(['2'])
    })

    it('keeps the order of calls that are not awaited', async () => {
      await store.createStream(streamRecord('a'), false)
      const wanted = Array.from({ length: 50 }, (_, index) => `jti-${index}`)
      await Promise.all(wanted.map((jti) => store.append([entry('a', jti)])))
      expect(await jtis('a')).toEqual(wanted)
    })

    it('appends nothing to a stream that is gone or disabled, and says so', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.createStream(streamRecord('off', { status: 'disabled' }), false)
      await store.createStream(streamRecord('held', { status: 'paused' }), false)
      const entries = ['gone', 'off', 'a', 'held'].map((id) => entry(id, `of ${id}`))
      expect(await store.append(entries)).toEqual([entry('a', 'of a'), entry('held', 'of held')])
    })

    it('SSF-8.1.2.1-10: disabling drops the rows; what is appended at the same time too', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.append([entry('a', '1')])
      await Promise.all([
        store.append([entry('a', '2')]),
        store.changeStatus('a', { status: 'disabled' }),
        store.append([entry('a', '3')]),
      ])
      await store.changeStatus('a', { status: 'enabled' })
      expect(await jtis('a')).toEqual([])
    })

    it('settles rows of the stream only, and ignores what it does not know', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.createStream(streamRecord('b'), false)
      await store.append([entry('a', '1'), entry('a', '2'), entry('b', '3')])
      await store.settle('a', ['1', '3', 'unknown'])
      expect(await jtis('a')).toEqual(['2'])
      expect(await jtis('b')).toEqual(['3'])
    })

    it('buries a row with its reason', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.append([entry('a', '1'), entry('a', '2')])
      expect(await store.bury('b', '1', { reason: 'foreign', at: 1 })).toBe(false)
      expect(await store.bury('a', '1', { reason: 'bad', at: 7 })).toBe(true)
      expect(await store.bury('a', '1', { reason: 'again', at: 8 })).toBe(false)
      expect(await jtis('a')).toEqual(['2'])
      const { claims } = entry('a', '1')
      expect(await store.deadLetters('a')).toEqual([
        { stream_id: 'a', jti: '1', claims, reason: 'bad', buried_at: 7 },
      ])
    })

    it('deletes a stream with its rows and dead letters', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.append([entry('a', '1'), entry('a', '2')])
      await store.bury('a', '1', { reason: 'bad', at: 7 })
      expect(await store.deleteStream('a')).toBe(true)
      expect(await store.deleteStream('a')).toBe(false)
      await store.createStream(streamRecord('a'), false)
      expect(await jtis('a')).toEqual([])
      expect(await store.deadLetters('a')).toEqual([])
    })

    it('has everything again after it was closed and opened', async () => {
      await store.createStream(streamRecord('a'), false)
      await store.append([entry('a', '1')])
      await store.close()
      await store.open()
      await store.append([entry('a', '2')])
      expect(await jtis('a')).toEqual(['1', '2'])
    })
  })
}
