import type { DeadLetter, DeliveredEntry, IssuerStore } from '@drawbridge/transmitter'
import {
  entriesOf,
  jtisOf,
  openedCase,
  outboxEntry,
  same,
  streamRecord,
  type StoreCase,
} from './store-case.ts'

const letter = (jti: string, reason: string, buried_at: number): DeadLetter => ({
  ...outboxEntry('a', jti),
  reason,
  buried_at,
})

const delivered = (jti: string, recorded_at: number, delivered_at: number): DeliveredEntry => ({
  ...outboxEntry('a', jti, { recorded_at }),
  delivered_at,
})

const all = { from: 0, to: Number.MAX_SAFE_INTEGER, skip: 0, limit: 100 }

/** A stream `a` with some dead letters, buried one after the other. */
async function buried(opened: IssuerStore, ...jtis: string[]): Promise<void> {
  await opened.createStream(streamRecord('a'), false)
  await opened.append(jtis.map((jti) => outboxEntry('a', jti)))
  for (const [at, jti] of jtis.entries()) await opened.bury('a', jti, { reason: 'bad', at })
}

/** Dead letters, and what was delivered. */
export const historyCases: readonly StoreCase[] = [
  openedCase('a row is buried once, with its reason', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('b'), false)
    await opened.append([outboxEntry('a', '1'), outboxEntry('a', '2')])
    const why = { reason: 'bad', at: 7 }
    same(await opened.bury('b', '1', why), false, 'burying a row of another stream')
    same(await opened.bury('unknown', '1', why), false, 'burying a row of no stream')
    same(await opened.bury('a', '1', why), true, 'burying a row')
    same(await opened.bury('a', '1', { reason: 'again', at: 8 }), false, 'burying it again')
    same(await jtisOf(opened, 'a'), ['2'], 'the rows')
    same(await opened.deadLetters('a', 0, 9), [letter('1', 'bad', 7)], 'the dead letters')
    same(await opened.deadLetters('b', 0, 9), [], 'the dead letters of another stream')
  }),
  openedCase('dead letters are read oldest first, page by page', async (opened) => {
    await buried(opened, '3', '1', '2')
    const read = async (skip: number, limit: number): Promise<readonly string[]> =>
      (await opened.deadLetters('a', skip, limit)).map(({ jti }) => jti)
    same(await read(0, 2), ['3', '1'], 'the first page')
    same(await read(2, 2), ['2'], 'the second page')
    same(await read(3, 2), [], 'the page after the last')
  }),
  openedCase('dead letters come back at the end, in their order, as new', async (opened) => {
    await buried(opened, '2', '1', '3')
    await opened.append([outboxEntry('a', '4')])
    same(
      await opened.reviveDeadLetters('a', ['1', 'unknown', '2', '1'], 99),
      ['2', '1'],
      'those that came back',
    )
    same(await opened.reviveDeadLetters('a', ['1'], 100), [], 'those that came back again')
    const rows = await opened.readRows('a', { kind: 'event', after: 0, limit: 9 })
    const wanted = [
      outboxEntry('a', '4'),
      outboxEntry('a', '2', { recorded_at: 99 }),
      outboxEntry('a', '1', { recorded_at: 99 }),
    ]
    same(entriesOf(rows), wanted, 'the rows')
    same(await opened.deadLetters('a', 0, 9), [letter('3', 'bad', 2)], 'the dead letters')
    same(await opened.bury('a', '2', { reason: 'still', at: 101 }), true, 'burying it once more')
  }),
  openedCase('dead letters are purged by name', async (opened) => {
    await buried(opened, '1', '2')
    same(await opened.purgeDeadLetters('a', ['1', 'unknown']), 1, 'how many were purged')
    same(await opened.purgeDeadLetters('b', ['2']), 0, 'how many were purged of no stream')
    same(await opened.deadLetters('a', 0, 9), [letter('2', 'bad', 1)], 'the dead letters')
    same(await jtisOf(opened, 'a'), [], 'the rows')
  }),
  openedCase('what was delivered is kept where it is asked for', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.append([outboxEntry('a', '1', { recorded_at: 5 }), outboxEntry('a', '2')])
    await opened.settle('a', ['1', 'unknown'], 9)
    await opened.settle('a', ['2'], undefined)
    same(await opened.readDelivered('a', all), [delivered('1', 5, 9)], 'what was delivered')
    same(await opened.readDelivered('b', all), [], 'what was delivered to no stream')
    same(await jtisOf(opened, 'a'), [], 'the rows')
  }),
  openedCase('a window of what was delivered is read in the order of events', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const times = [5, 6, 6, 7, 8]
    await opened.append(times.map((recorded_at, n) => outboxEntry('a', `${n}`, { recorded_at })))
    // Acknowledged in another order than recorded.
    for (const jti of ['3', '2', '4', '0', '1']) await opened.settle('a', [jti], 10)
    const read = async (wanted: Partial<typeof all>): Promise<readonly string[]> =>
      (await opened.readDelivered('a', { ...all, ...wanted })).map(({ jti }) => jti)
    same(await read({}), ['0', '1', '2', '3', '4'], 'all')
    same(await read({ from: 6, to: 8 }), ['1', '2', '3'], 'those of the window')
    same(await read({ from: 6, to: 8, limit: 2 }), ['1', '2'], 'the first page')
    same(await read({ from: 6, to: 8, skip: 2, limit: 2 }), ['3'], 'the second page')
  }),
  openedCase('what is delivered again is kept once', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    for (const at of [5, 7]) {
      await opened.append([outboxEntry('a', '1', { recorded_at: at })])
      await opened.settle('a', ['1'], at)
    }
    same(await opened.readDelivered('a', all), [delivered('1', 7, 7)], 'what was delivered')
  }),
  openedCase('what was delivered or buried long ago is forgotten', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const jtis = ['1', '2', '3', '4']
    await opened.append(jtis.map((jti) => outboxEntry('a', jti, { recorded_at: 1 })))
    await opened.settle('a', ['1'], 10)
    await opened.settle('a', ['2'], 20)
    await opened.bury('a', '3', { reason: 'bad', at: 10 })
    await opened.bury('a', '4', { reason: 'bad', at: 20 })
    await opened.forget({ delivered: 10, buried: 10 })
    same((await opened.readDelivered('a', all)).length, 2, 'how many delivered there are')
    same((await opened.deadLetters('a', 0, 9)).length, 2, 'how many dead letters there are')
    await opened.forget({ delivered: 20, buried: 11 })
    same(await opened.readDelivered('a', all), [delivered('2', 1, 20)], 'what was delivered')
    const left = { ...letter('4', 'bad', 20), recorded_at: 1 }
    same(await opened.deadLetters('a', 0, 9), [left], 'the dead letters')
  }),
  openedCase('much is forgotten too', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const jtis = Array.from({ length: 5000 }, (_, n) => `${n}`)
    await opened.append(jtis.map((jti) => outboxEntry('a', jti)))
    await opened.settle('a', jtis, 1_700_000_000_001)
    await opened.forget({ delivered: 1_700_000_000_002, buried: 0 })
    same(await opened.readDelivered('a', all), [], 'what was delivered')
  }),
]
