import { describe, expect, it } from '@jest/globals'
import { transmitterStoreContract } from '@drawbridge/testkit'
import { memoryStore, type IssuerStore, type TransmitterStore } from '@drawbridge/transmitter'

/** A store that does one thing wrong. */
type Breaking = (opened: IssuerStore) => Partial<IssuerStore>

function broken(breaking: Breaking): TransmitterStore {
  const store = memoryStore()
  return {
    open: async (issuer) => {
      const opened = await store.open(issuer)
      return { ...opened, ...breaking(opened) }
    },
  }
}

/** The names of the promises that a store does not keep. */
async function failures(store: TransmitterStore): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, run } of transmitterStoreContract) {
    await run(store).catch((error: Error) => names.push(`${name}: ${error.message}`))
  }
  return names
}

const mutants: Record<string, Breaking> = {
  'does not close': () => ({ close: async () => undefined }),
  'orders keys as they were added': (store) => ({
    readKeys: async () => (await store.readKeys()).toReversed(),
  }),
  'never drops a key': (store) => ({ writeKeys: (keys) => store.writeKeys(keys, []) }),
  'never replaces a key': (store) => ({
    writeKeys: async (keys, dropped) => {
      const known = new Set((await store.readKeys()).map(({ kid }) => kid))
      await store.writeKeys(
        keys.filter(({ kid }) => !known.has(kid)),
        dropped,
      )
    },
  }),
  'orders streams newest first': (store) => ({
    readStreams: async () => (await store.readStreams()).toReversed(),
  }),
  'allows a second stream': (store) => ({
    createStream: (record) => store.createStream(record, false),
  }),
  'lets an update change the status': (store) => ({
    updateStream: async (record) => {
      const { status, reason } = record
      const change = { status, status_set_by: 'receiver' as const, ...(reason ? { reason } : {}) }
      await store.changeStatus(record.stream_id, change, undefined)
      return store.updateStream(record)
    },
  }),
  'keeps rows of a disabled stream': (store) => ({
    changeStatus: async (streamId, change, announcement) => {
      const rows = await store.readRows(streamId, { kind: 'event', after: 0, limit: 99 })
      const done = await store.changeStatus(streamId, { ...change, status: 'paused' }, undefined)
      await store.append(rows)
      return (await store.changeStatus(streamId, change, announcement)) && done
    },
  }),
  'writes no announcement': (store) => ({
    changeStatus: (streamId, change) => store.changeStatus(streamId, change, undefined),
  }),
  'notes no activity': () => ({ noteActivity: async () => undefined }),
  'deletes nothing': () => ({ deleteStream: async () => true }),
  'knows no shapes': () => ({ readSubjectShapes: async () => [] }),
  'applies later changes at once': (store) => ({
    changeSubjects: (streamId, changes) =>
      store.changeSubjects(
        streamId,
        changes.map(({ entry, state }) => ({ entry, state })),
      ),
  }),
  'never applies later changes': () => ({ applySubjectChanges: async () => undefined }),
  'applies later changes too early': (store) => ({
    applySubjectChanges: (now) => store.applySubjectChanges(now + 1),
  }),
  'finds no parts': (store) => ({
    findSubjects: async (keys) =>
      (await store.findSubjects(keys)).filter(({ state }) => state !== 'part'),
  }),
  'forgets parts when they are added twice': (store) => ({
    changeSubjects: async (streamId, changes) => {
      for (const { entry } of changes) {
        await store.changeSubjects(streamId, [{ entry, state: undefined }])
      }
      return store.changeSubjects(
        streamId,
        changes.map((change) => ({ ...change, entry: { ...change.entry, parts: [] } })),
      )
    },
  }),
  'appends in reverse': (store) => ({ append: (entries) => store.append(entries.toReversed()) }),
  'says it appended all': (store) => ({
    append: async (entries) => {
      await store.append(entries)
      return entries
    },
  }),
  'reads beyond the limit': (store) => ({
    readRows: (streamId, wanted) => store.readRows(streamId, { ...wanted, limit: 999 }),
  }),
  'reads from the beginning': (store) => ({
    readRows: (streamId, wanted) => store.readRows(streamId, { ...wanted, after: 0 }),
  }),
  'settles nothing': () => ({ settle: async () => undefined }),
  'keeps nothing that was delivered': (store) => ({
    settle: (streamId, jtis) => store.settle(streamId, jtis, undefined),
  }),
  'buries without a reason': (store) => ({
    bury: (streamId, jti, { at }) => store.bury(streamId, jti, { reason: '', at }),
  }),
  'drops no old rows': (store) => ({
    dropRows: (streamId, { maxRows = Infinity }) => store.dropRows(streamId, { maxRows }),
  }),
  'drops no rows beyond a number': (store) => ({
    dropRows: (streamId, { recordedBefore = 0 }) => store.dropRows(streamId, { recordedBefore }),
  }),
  'counts no dead letters': (store) => ({
    backlog: async (streamId) => ({ ...(await store.backlog(streamId)), dead_letters: 0 }),
  }),
  'reads all dead letters': (store) => ({
    deadLetters: (streamId) => store.deadLetters(streamId, 0, 999),
  }),
  'revives with the old time': (store) => ({
    reviveDeadLetters: (streamId, jtis) => store.reviveDeadLetters(streamId, jtis, 1),
  }),
  'purges nothing': (store) => ({
    purgeDeadLetters: async (_streamId, jtis) => jtis.length,
    reviveDeadLetters: store.reviveDeadLetters,
  }),
  'reads delivered without a window': (store) => ({
    readDelivered: (streamId, wanted) =>
      store.readDelivered(streamId, { ...wanted, from: 0, to: Infinity }),
  }),
  'forgets nothing that was delivered': (store) => ({
    forget: ({ buried }) => store.forget({ delivered: 0, buried }),
  }),
  'forgets no dead letter': (store) => ({
    forget: ({ delivered }) => store.forget({ delivered, buried: 0 }),
  }),
}

describe('transmitterStoreContract', () => {
  it('holds for the memory store', async () => {
    expect(await failures(memoryStore())).toEqual([])
  })

  it('names every promise once', () => {
    const names = transmitterStoreContract.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  for (const [name, breaking] of Object.entries(mutants)) {
    it(`finds a store that ${name}`, async () => {
      expect(await failures(broken(breaking))).not.toEqual([])
    })
  }

  it('finds a store that shares everything between issuers', async () => {
    const store = memoryStore()
    const shared = { open: () => store.open('https://one.example') }
    const isolation = transmitterStoreContract.find(({ name }) => name.includes('each other'))
    await expect(isolation?.run(shared)).rejects.toThrow(/was expected, found/)
  })
})
