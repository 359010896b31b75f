import {
  entriesOf,
  openedCase,
  jtisOf,
  outboxEntry,
  same,
  streamRecord,
  type StoreCase,
} from './store-case.ts'

const setBy = { status_set_by: 'receiver' } as const
const disabled = { status: 'disabled', ...setBy } as const

/** The outbox. */
export const rowCases: readonly StoreCase[] = [
  openedCase('rows are read oldest first, after a place, up to a limit', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('b'), false)
    await opened.append([outboxEntry('a', '1'), outboxEntry('b', '2'), outboxEntry('a', '3')])
    await opened.append([outboxEntry('a', '4')])
    const rows = await opened.readRows('a', { kind: 'event', after: 0, limit: 2 })
    const seqs = rows.map(({ seq }) => seq)
    same(entriesOf(rows), [outboxEntry('a', '1'), outboxEntry('a', '3')], 'the rows')
    same(
      seqs.toSorted((one, other) => one - other),
      seqs,
      'the places, which ascend',
    )
    same(await jtisOf(opened, 'a', { after: seqs[1] ?? 0 }), ['4'], 'the rows after them')
    same(await jtisOf(opened, 'b'), ['2'], 'the rows of the other stream')
    same(await jtisOf(opened, 'unknown'), [], 'the rows of an unknown stream')
  }),
  openedCase('calls that are not awaited keep their order', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const wanted = Array.from({ length: 50 }, (_, index) => `jti-${index}`)
    await Promise.all(wanted.map((jti) => opened.append([outboxEntry('a', jti)])))
    same(await jtisOf(opened, 'a'), wanted, 'the rows')
  }),
  openedCase('nothing is added to a stream that is gone or disabled', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('off', { status: 'disabled' }), false)
    await opened.createStream(streamRecord('held', { status: 'paused' }), false)
    const entries = ['gone', 'off', 'a', 'held'].map((id) => outboxEntry(id, `of ${id}`))
    const wanted = [outboxEntry('a', 'of a'), outboxEntry('held', 'of held')]
    same(await opened.append(entries), wanted, 'what was added')
    same(await jtisOf(opened, 'off'), [], 'the rows of the disabled stream')
  }),
  openedCase('disabling drops the rows; what is added at the same time too', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.append([outboxEntry('a', '1')])
    const [, , late] = await Promise.all([
      opened.append([outboxEntry('a', '2')]),
      opened.changeStatus('a', disabled, undefined),
      opened.append([outboxEntry('a', '3')]),
    ])
    same(late, [], 'what was added after it was disabled')
    await opened.changeStatus('a', { status: 'enabled', ...setBy }, undefined)
    same(await jtisOf(opened, 'a'), [], 'the rows')
    same(await opened.append([outboxEntry('a', '4')]), [outboxEntry('a', '4')], 'what was added')
  }),
  openedCase('a stream that is made or deleted counts from its call on', async (opened) => {
    const [, added, , late] = await Promise.all([
      opened.createStream(streamRecord('a'), false),
      opened.append([outboxEntry('a', '1')]),
      opened.deleteStream('a'),
      opened.append([outboxEntry('a', '2')]),
    ])
    same(added, [outboxEntry('a', '1')], 'what was added to the new stream')
    same(late, [], 'what was added to the deleted stream')
  }),
  openedCase('announcements are read apart, and each replaces the one before', async (opened) => {
    const told = (jti: string): ReturnType<typeof outboxEntry> =>
      outboxEntry('a', jti, { kind: 'announcement' })
    await opened.createStream(streamRecord('a'), false)
    await opened.append([outboxEntry('a', '1')])
    await opened.changeStatus('a', { status: 'paused', ...setBy }, told('2'))
    await opened.append([outboxEntry('a', '3')])
    same(await jtisOf(opened, 'a'), ['1', '3'], 'the events')
    const kind = 'announcement'
    const [row] = await opened.readRows('a', { kind, after: 0, limit: 9 })
    same(row, { ...told('2'), seq: row?.seq }, 'the announcement')
    await opened.changeStatus('a', { status: 'enabled', ...setBy }, told('4'))
    same(await jtisOf(opened, 'a', { kind }), ['4'], 'the announcements')
    await opened.changeStatus('a', disabled, told('5'))
    same(await jtisOf(opened, 'a', { kind }), ['5'], 'the announcements of a disabled stream')
    same(await jtisOf(opened, 'a'), [], 'the events of a disabled stream')
    await opened.changeStatus('a', { status: 'enabled', ...setBy }, undefined)
    same(await jtisOf(opened, 'a', { kind }), [], 'the announcements')
    const unknown = await opened.changeStatus('b', disabled, { ...told('6'), stream_id: 'b' })
    same(unknown, false, 'whether there was a stream')
  }),
  openedCase('rows of the stream alone are settled, unknown ones ignored', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('b'), false)
    await opened.append([outboxEntry('a', '1'), outboxEntry('a', '2'), outboxEntry('b', '3')])
    await opened.settle('a', ['1', '3', 'unknown'], undefined)
    await opened.settle('unknown', ['2'], undefined)
    same(await jtisOf(opened, 'a'), ['2'], 'the rows')
    same(await jtisOf(opened, 'b'), ['3'], 'the rows of the other stream')
  }),
  openedCase('an entry that is added again is settled once for all', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    for (const jti of ['1', '2', '1']) await opened.append([outboxEntry('a', jti)])
    same((await jtisOf(opened, 'a')).at(-1), '1', 'the last row')
    await opened.settle('a', ['1'], undefined)
    same(await jtisOf(opened, 'a'), ['2'], 'the rows')
  }),
  openedCase('rows are dropped up to the first that is young enough', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const times = [10, 11, 12, 11, 13]
    const old = times.map((recorded_at, n) => outboxEntry('a', `${n}`, { recorded_at }))
    await opened.append([
      ...old,
      outboxEntry('a', 'told', { kind: 'announcement', recorded_at: 1 }),
    ])
    same(await opened.dropRows('a', { recordedBefore: 12 }), 2, 'how many were dropped')
    same(await jtisOf(opened, 'a'), ['2', '3', '4'], 'the rows')
    same(await opened.dropRows('a', { recordedBefore: 14 }), 3, 'how many were dropped')
    same(await jtisOf(opened, 'a', { kind: 'announcement' }), ['told'], 'the announcements')
    same(await opened.dropRows('unknown', { recordedBefore: 14 }), 0, 'how many were dropped')
  }),
  openedCase('of more rows than a limit the oldest are dropped', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.append([outboxEntry('a', 'told', { kind: 'announcement' })])
    await opened.append(['1', '2', '3', '4'].map((jti) => outboxEntry('a', jti)))
    same(await opened.dropRows('a', { maxRows: 4 }), 0, 'how many were dropped')
    same(await opened.dropRows('a', { maxRows: 3 }), 1, 'how many were dropped')
    same(await jtisOf(opened, 'a'), ['2', '3', '4'], 'the rows')
    same(await opened.dropRows('a', { maxRows: 1, recordedBefore: 1 }), 2, 'how many were dropped')
    same(await opened.dropRows('a', {}), 0, 'how many were dropped')
    same(await opened.dropRows('a', { maxRows: 0 }), 1, 'how many were dropped')
    same(await jtisOf(opened, 'a', { kind: 'announcement' }), ['told'], 'the announcements')
  }),
  openedCase('the backlog tells what waits, since when, and what was buried', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    same(await opened.backlog('a'), { rows: 0, dead_letters: 0 }, 'the backlog')
    const at = (jti: string, recorded_at: number): ReturnType<typeof outboxEntry> =>
      outboxEntry('a', jti, { recorded_at })
    await opened.append([at('1', 5), at('2', 6), { ...at('3', 7), kind: 'announcement' }])
    same(await opened.backlog('a'), { rows: 3, oldest_at: 5, dead_letters: 0 }, 'the backlog')
    await opened.bury('a', '1', { reason: 'bad', at: 9 })
    same(await opened.backlog('a'), { rows: 2, oldest_at: 6, dead_letters: 1 }, 'the backlog')
    await opened.settle('a', ['2'], undefined)
    same(await opened.backlog('a'), { rows: 1, oldest_at: 7, dead_letters: 1 }, 'the backlog')
    same(await opened.backlog('b'), { rows: 0, dead_letters: 0 }, 'the backlog of no stream')
  }),
]
