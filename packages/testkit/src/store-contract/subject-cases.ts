import type { SubjectChange, SubjectIndexEntry, SubjectState } from '@drawbridge/transmitter'
import { newIssuer, openedCase, same, sameSet, streamRecord, type StoreCase } from './store-case.ts'

const subject = (whole: string, ...parts: string[]): SubjectIndexEntry => ({
  shape: JSON.stringify(['user', ...parts]),
  whole,
  parts,
})

const change = (
  entry: SubjectIndexEntry,
  state: SubjectState | undefined,
  from?: number,
): SubjectChange => ({ entry, state, ...(from === undefined ? {} : { from }) })

/** The index of subjects. */
export const subjectCases: readonly StoreCase[] = [
  openedCase('a subject is found on the streams that have it', async (opened) => {
    for (const id of ['a', 'b', 'c']) await opened.createStream(streamRecord(id), false)
    same(await opened.findSubjects(['k']), [], 'what is found')
    await opened.changeSubjects('a', [change(subject('k'), 'added')])
    await opened.changeSubjects('b', [change(subject('k'), 'removed')])
    await opened.changeSubjects('c', [change(subject('other'), 'added')])
    const all = await opened.findSubjects(['k', 'unknown', 'other'])
    const wanted = [
      { stream_id: 'a', key: 'k', state: 'added' },
      { stream_id: 'b', key: 'k', state: 'removed' },
      { stream_id: 'c', key: 'other', state: 'added' },
    ]
    sameSet(all.map(ordered), wanted, 'what is found')
    same(await opened.findSubjects([]), [], 'what is found by no key')
  }),
  openedCase('a subject is what it was changed to last', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    for (const state of ['added', 'removed', 'added', 'added'] as const) {
      await opened.changeSubjects('a', [change(subject('k'), state)])
      same(await found(opened, 'k'), [state], 'what is found')
    }
    await opened.changeSubjects('a', [change(subject('k'), undefined)])
    await opened.changeSubjects('a', [change(subject('never'), undefined)])
    same(await found(opened, 'k', 'never'), [], 'what is found')
  }),
  openedCase('a part is found while an added subject has it', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const [one, other] = [subject('k1', 'p', 'q'), subject('k2', 'p')]
    await opened.changeSubjects('a', [change(one, 'added'), change(other, 'added')])
    await opened.changeSubjects('a', [change(one, 'added')])
    same(await found(opened, 'p', 'q'), ['part', 'part'], 'what is found')
    await opened.changeSubjects('a', [change(one, 'removed')])
    same(await found(opened, 'p'), ['part'], 'what is found by the part of both')
    same(await found(opened, 'q'), [], 'what is found by the part of the removed one')
    await opened.changeSubjects('a', [change(one, undefined), change(other, undefined)])
    same(await found(opened, 'p', 'q', 'k1', 'k2'), [], 'what is found')
  }),
  openedCase('a removed subject has no parts', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.changeSubjects('a', [change(subject('k', 'p'), 'removed')])
    same(await found(opened, 'k', 'p'), ['removed'], 'what is found')
  }),
  openedCase('a key can be a subject and a part of another', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const [broad, narrow] = [subject('k'), subject('n', 'k')]
    await opened.changeSubjects('a', [change(broad, 'removed'), change(narrow, 'added')])
    sameSet(await found(opened, 'k'), ['removed', 'part'], 'what is found')
    await opened.changeSubjects('a', [change(narrow, undefined)])
    same(await found(opened, 'k'), ['removed'], 'what is found')
  }),
  openedCase('a change that holds later holds when it is carried out', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const entry = subject('k', 'p')
    await opened.changeSubjects('a', [change(entry, 'added')])
    await opened.changeSubjects('a', [change(entry, 'removed', 100)])
    await opened.applySubjectChanges(99)
    same(await found(opened, 'k', 'p'), ['added', 'part'], 'what is found before')
    await opened.applySubjectChanges(100)
    same(await found(opened, 'k', 'p'), ['removed'], 'what is found then')
    await opened.changeSubjects('a', [change(entry, 'added')])
    await opened.applySubjectChanges(1000)
    same(await found(opened, 'k'), ['added'], 'what is found after a change that came later')
  }),
  openedCase('of changes to come the last stands, and one at once ends it', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.changeSubjects('a', [change(subject('k'), 'removed', 100)])
    await opened.changeSubjects('a', [change(subject('k'), 'added', 200)])
    await opened.applySubjectChanges(150)
    same(await found(opened, 'k'), [], 'what is found at the time of the first')
    await opened.applySubjectChanges(200)
    same(await found(opened, 'k'), ['added'], 'what is found at the time of the second')
    await opened.changeSubjects('a', [change(subject('k'), 'removed', 300)])
    await opened.changeSubjects('a', [change(subject('k'), 'added')])
    await opened.applySubjectChanges(300)
    same(await found(opened, 'k'), ['added'], 'what is found after a change at once')
  }),
  openedCase('many changes that are due are all carried out', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    const keys = Array.from({ length: 2500 }, (_, n) => `k${n}`)
    await opened.changeSubjects(
      'a',
      keys.map((key) => change(subject(key), 'added', 5)),
    )
    await opened.applySubjectChanges(5)
    same((await opened.findSubjects(keys)).length, keys.length, 'how many are found')
  }),
  openedCase('the shapes of each stream are known for good', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('b'), false)
    const [one, other] = [subject('k'), subject('n', 'p')]
    await opened.changeSubjects('a', [change(one, 'added'), change(other, 'removed')])
    await opened.changeSubjects('a', [change(one, undefined), change(subject('m'), 'added')])
    await opened.changeSubjects('b', [change(other, 'added', 5)])
    const wanted = [
      { stream_id: 'a', shape: one.shape },
      { stream_id: 'a', shape: other.shape },
      { stream_id: 'b', shape: other.shape },
    ]
    const shapes = await opened.readSubjectShapes()
    sameSet(
      shapes.map(({ stream_id, shape }) => ({ stream_id, shape })),
      wanted,
      'the shapes',
    )
  }),
  openedCase('subjects outlive a close', async (opened, { store, issuer }) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.changeSubjects('a', [change(subject('k', 'p'), 'added')])
    await opened.changeSubjects('a', [change(subject('later'), 'added', 5)])
    await opened.close()
    const again = await store.open(issuer)
    await again.applySubjectChanges(5)
    same(await found(again, 'k', 'p', 'later'), ['added', 'part', 'added'], 'what is found')
    await again.close()
  }),
  openedCase('a deleted stream has no subjects, also those to come', async (opened) => {
    await opened.createStream(streamRecord('a'), false)
    await opened.createStream(streamRecord('b'), false)
    const changes = [change(subject('k', 'p'), 'added'), change(subject('later'), 'added', 5)]
    await opened.changeSubjects('a', changes)
    await opened.changeSubjects('b', changes)
    await opened.deleteStream('a')
    await opened.createStream(streamRecord('a'), false)
    await opened.applySubjectChanges(5)
    const ids = (await opened.findSubjects(['k', 'p', 'later'])).map(({ stream_id }) => stream_id)
    same(ids, ['b', 'b', 'b'], 'the streams on which they are found')
    const shapes = await opened.readSubjectShapes()
    same(new Set(shapes.map(({ stream_id }) => stream_id)).has('a'), false, 'shapes of the stream')
    same(await opened.changeSubjects('gone', changes), false, 'whether there was a stream')
  }),
  openedCase('subjects of another issuer are not found', async (opened, { store }) => {
    const other = await store.open(newIssuer())
    for (const each of [opened, other]) await each.createStream(streamRecord('a'), false)
    await opened.changeSubjects('a', [change(subject('k', 'p'), 'added')])
    await opened.changeSubjects('a', [change(subject('later'), 'added', 5)])
    await other.applySubjectChanges(5)
    same(await found(opened, 'later'), [], 'what the other carried out')
    same(await found(other, 'k', 'p'), [], 'what is found')
    same(await other.readSubjectShapes(), [], 'the shapes')
    await other.close()
  }),
]

type Index = Parameters<Parameters<typeof openedCase>[1]>[0]

async function found(opened: Index, ...keys: string[]): Promise<readonly string[]> {
  return (await opened.findSubjects(keys)).map(({ state }) => state)
}

const ordered = ({
  stream_id,
  key,
  state,
}: Record<'stream_id' | 'key' | 'state', string>): object => ({
  stream_id,
  key,
  state,
})
