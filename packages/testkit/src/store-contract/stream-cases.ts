import { push } from '@drawbridge/schema'
import type { StoredKey, StreamRecord } from '@drawbridge/transmitter'
import {
  jtisOf,
  newIssuer,
  openedCase,
  outboxEntry,
  refuses,
  same,
  streamRecord,
  type StoreCase,
} from './store-case.ts'

const key = (kid: string, more: Partial<StoredKey> = {}): StoredKey => ({
  kid,
  alg: 'ES256',
  public_jwk: '{}',
  sealed_private_jwk: 'sealed',
  active_from: 0,
  ...more,
})

const setBy = { status_set_by: 'receiver' } as const

const full: StreamRecord = streamRecord('full', {
  delivery: {
    method: push,
    endpoint_url: 'https://app.example/events',
    sealed_authorization: 'sealed',
  },
  events_requested: ['https://type.example', 'https://unknown.example'],
  description: 'a description',
  status: 'paused',
  reason: 'maintenance',
  status_set_by: 'transmitter',
  default_subjects: 'NONE',
  profile: 'caep-interop',
  algorithm: 'ES256',
  is_static: true,
  active_at: 1_700_000_000_001,
})

/** Opening and closing, keys, streams. */
export const streamCases: readonly StoreCase[] = [
  openedCase('a closed store refuses, and closing it again does nothing', async (opened) => {
    await opened.close()
    await opened.close()
    const append = opened.append([outboxEntry('a', '1')])
    await refuses(append, 'ERR_STORAGE_UNAVAILABLE', 'writing to a closed store')
    await refuses(opened.readStreams(), 'ERR_STORAGE_UNAVAILABLE', 'reading a closed store')
  }),
  openedCase('who opened it twice closes it twice', async (opened, { store, issuer }) => {
    const other = await store.open(issuer)
    await opened.createStream(streamRecord('a'), false)
    await opened.close()
    same(await other.append([outboxEntry('a', '1')]), [outboxEntry('a', '1')], 'what was added')
    await other.changeStatus('a', { status: 'disabled', ...setBy }, undefined)
    await other.close()
    const again = await store.open(issuer)
    same(await again.append([outboxEntry('a', '2')]), [], 'what was added to a disabled stream')
    await again.close()
  }),
  openedCase('what one sees, all who opened it see', async (opened, { store, issuer }) => {
    const other = await store.open(issuer)
    await opened.createStream(streamRecord('a'), false)
    await opened.append([outboxEntry('a', '1')])
    same(await jtisOf(other, 'a'), ['1'], 'the rows')
    await other.changeStatus('a', { status: 'disabled', ...setBy }, undefined)
    same(await opened.append([outboxEntry('a', '2')]), [], 'what was added to a disabled stream')
    await other.close()
  }),
  openedCase('issuers see nothing of each other', async (opened, { store }) => {
    const other = await store.open(newIssuer())
    await opened.createStream(streamRecord('a', { description: 'one' }), true)
    same(await other.createStream(streamRecord('a'), true), true, 'a stream of another issuer')
    await opened.writeKeys([key('k')], [])
    await opened.append([outboxEntry('a', '1'), outboxEntry('a', '2')])
    await opened.bury('a', '1', { reason: 'bad', at: 1 })
    await opened.settle('a', ['2'], 5)
    same(await other.readKeys(), [], 'the keys of the other')
    await other.settle('a', ['1', '2'], undefined)
    same(await other.bury('a', '2', { reason: 'bad', at: 1 }), false, 'burying of the other')
    same(await other.deadLetters('a', 0, 9), [], 'the dead letters of the other')
    same(await other.reviveDeadLetters('a', ['1'], 9), [], 'what the other revived')
    same(await other.purgeDeadLetters('a', ['1']), 0, 'what the other purged')
    const window = { from: 0, to: Number.MAX_SAFE_INTEGER, skip: 0, limit: 9 }
    same(await other.readDelivered('a', window), [], 'what was delivered by the other')
    await other.forget({ delivered: 1e14, buried: 1e14 })
    await other.updateStream(streamRecord('a', { description: 'two' }))
    await other.changeStatus('a', { status: 'paused', ...setBy }, undefined)
    await other.noteActivity(new Map([['a', 7]]))
    await other.deleteStream('a')
    same(await opened.readStreams(), [streamRecord('a', { description: 'one' })], 'the streams')
    same((await opened.deadLetters('a', 0, 9)).length, 1, 'how many dead letters there are')
    same((await opened.readDelivered('a', window)).length, 1, 'how many delivered are kept')
    await other.close()
  }),
  openedCase('keys come in the order in which they sign', async (opened) => {
    const later = key('a', { active_from: 9, published_until: 99 })
    await opened.writeKeys([later, key('c'), key('b')], [])
    same(await opened.readKeys(), [key('c'), key('b'), later], 'the keys')
  }),
  openedCase('keys are replaced by "kid" and dropped, at once', async (opened) => {
    await opened.writeKeys([key('a', { published_until: 5 }), key('b')], [])
    const replaced = key('a', { active_from: 3, sealed_private_jwk: 'other' })
    await opened.writeKeys([replaced, key('c', { active_from: 4 })], ['b', 'unknown'])
    same(await opened.readKeys(), [replaced, key('c', { active_from: 4 })], 'the keys')
  }),
  openedCase('every member of a stream is kept, oldest first', async (opened) => {
    await opened.createStream(full, false)
    await opened.createStream(streamRecord('bare'), false)
    same(await opened.readStreams(), [full, streamRecord('bare')], 'the streams')
  }),
  openedCase('no second stream of a Receiver that may have one, in a race too', async (opened) => {
    const created = await Promise.all([
      opened.createStream(streamRecord('a'), true),
      opened.createStream(streamRecord('b'), true),
      opened.createStream(streamRecord('c', { receiver: 'other' }), true),
    ])
    same(created, [true, false, true], 'which were created')
    const ids = (await opened.readStreams()).map(({ stream_id }) => stream_id)
    same(ids, ['a', 'c'], 'the streams')
  }),
  openedCase('an update keeps the owner, the status, the activity, the rows', async (opened) => {
    await opened.createStream(full, false)
    await opened.append([outboxEntry('full', '1')])
    const changed = streamRecord('full', { receiver: 'other', description: 'new', active_at: 1 })
    same(await opened.updateStream(changed), true, 'whether there was such a stream')
    same(await opened.updateStream(streamRecord('unknown')), false, 'whether there was a stream')
    const { status, reason, status_set_by, active_at } = full
    const kept = { status, reason, status_set_by, active_at } as Partial<StreamRecord>
    const wanted = streamRecord('full', { description: 'new', ...kept })
    same((await opened.readStreams())[0], wanted, 'the stream')
    same(await jtisOf(opened, 'full'), ['1'], 'the rows')
  }),
  openedCase('a change of status forgets the reason of the one before', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const paused = { status: 'paused', reason: 'why', status_set_by: 'transmitter' } as const
    same(await opened.changeStatus('a', paused, undefined), true, 'whether there was a stream')
    same(await opened.readStreams(), [streamRecord('a', paused)], 'the stream')
    const enabled = { status: 'enabled', ...setBy } as const
    same(await opened.changeStatus('a', enabled, undefined), true, 'whether there was a stream')
    same(await opened.readStreams(), [streamRecord('a', enabled)], 'the stream')
    same(await opened.changeStatus('b', enabled, undefined), false, 'whether there was a stream')
  }),
  openedCase('activity is noted, and of unknown streams ignored', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('b', { active_at: 1 }), false)
    await opened.noteActivity(
      new Map([
        ['a', 5],
        ['b', 6],
        ['unknown', 7],
      ]),
    )
    const times = (await opened.readStreams()).map(({ active_at }) => active_at)
    same(times, [5, 6], 'the times')
  }),
  openedCase('a deleted stream leaves nothing to the next of its name', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.append(['1', '2', '3'].map((jti) => outboxEntry('a', jti)))
    await opened.bury('a', '1', { reason: 'bad', at: 7 })
    await opened.settle('a', ['2'], 8)
    same(await opened.deleteStream('a'), true, 'whether there was a stream')
    same(await opened.deleteStream('a'), false, 'whether there was a stream')
    same(await opened.append([outboxEntry('a', '4')]), [], 'what was added to a deleted stream')
    await opened.createStream(streamRecord('a'), false)
    same(await jtisOf(opened, 'a'), [], 'the rows')
    same(await opened.backlog('a'), { rows: 0, dead_letters: 0 }, 'the backlog')
    same(await opened.deadLetters('a', 0, 9), [], 'the dead letters')
    const window = { from: 0, to: Number.MAX_SAFE_INTEGER, skip: 0, limit: 9 }
    same(await opened.readDelivered('a', window), [], 'what was delivered')
  }),
  openedCase('everything is there again after a close', async (opened, { store, issuer }) => {
    await opened.writeKeys([key('k')], [])
    await opened.createStream(full, false)
    await opened.append([outboxEntry('full', '1')])
    await opened.close()
    const again = await store.open(issuer)
    same(await again.readKeys(), [key('k')], 'the keys')
    same(await again.readStreams(), [full], 'the streams')
    await again.append([outboxEntry('full', '2')])
    same(await jtisOf(again, 'full'), ['1', '2'], 'the rows')
    await again.close()
  }),
  openedCase('a close waits for what was called before', async (opened, { store, issuer }) => {
    await opened.createStream(streamRecord('a'), false)
    const appending = opened.append([outboxEntry('a', '1')])
    await opened.close()
    await appending
    const again = await store.open(issuer)
    same(await jtisOf(again, 'a'), ['1'], 'the rows')
    await again.close()
  }),
]
