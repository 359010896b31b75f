import type { Inbox, InboxEntry, SetName } from '@drawbridge/receiver'
import { same } from '../store-contract/store-case.ts'

/** One promise of an inbox. */
export interface InboxCase {
  readonly name: string
  /**
   * Tries the promise on an inbox that is new and not open yet. Rejects with what was expected and
   * what was found.
   */
  run(inbox: Inbox): Promise<void>
}

const iss = 'https://idp.example'

const entry = (jti: string, more: Partial<InboxEntry> = {}): InboxEntry => ({
  iss,
  jti,
  transmitter: 'idp',
  lane: `lane of ${jti}`,
  claims: JSON.stringify({ jti, text: 'ünïcode "quoted"' }),
  received_at: 1,
  ...more,
})

const named = (jti: string): SetName => ({ iss, jti })

const waiting = async (inbox: Inbox, after = 0, limit = 100): Promise<readonly string[]> =>
  (await inbox.waiting(after, limit)).map(({ jti }) => jti)

const dead = async (inbox: Inbox): Promise<readonly string[]> =>
  (await inbox.deadLetters(0, 100)).map(({ jti }) => jti)

const opened = (name: string, run: (inbox: Inbox) => Promise<void>): InboxCase => ({
  name,
  run: async (inbox) => {
    await inbox.open()
    try {
      await run(inbox)
    } finally {
      await inbox.close()
    }
  },
})

/**
 * What every inbox does, without a test runner: call `run` of each with a new inbox.
 *
 * ```ts
 * for (const { name, run } of inboxContract) test(name, () => run(makeInbox()))
 * ```
 */
export const inboxContract: readonly InboxCase[] = [
  opened('a SET that was handled is known by issuer and jti', async (inbox) => {
    same(await inbox.read(named('1')), 'unknown', 'a SET that never came')
    await inbox.markHandled(named('1'), 1)
    await inbox.markHandled(named('1'), 2)
    same(await inbox.read(named('1')), 'handled', 'a handled SET')
    same(
      await inbox.read({ iss: 'https://other.example', jti: '1' }),
      'unknown',
      'of another issuer',
    )
    same(await waiting(inbox), [], 'what waits')
  }),
  opened('SETs wait in the order they came, each once', async (inbox) => {
    const stored = await Promise.all(['b', 'a', 'b', 'c'].map((jti) => inbox.store(entry(jti))))
    same(stored, [true, true, false, true], 'what was stored')
    same(await inbox.read(named('a')), 'waiting', 'a stored SET')
    same(await waiting(inbox), ['b', 'a', 'c'], 'what waits')
    const [first] = await inbox.waiting(0, 1)
    same(first, { ...entry('b'), seq: first?.seq, attempts: 0 }, 'the first row')
    same(await waiting(inbox, first?.seq, 1), ['a'], 'what waits after the first')
  }),
  opened('a SET that was handled is not stored again, and does not wait', async (inbox) => {
    await inbox.store(entry('1'))
    await inbox.markHandled(named('1'), 2)
    same(await inbox.read(named('1')), 'handled', 'its state')
    same(await waiting(inbox), [], 'what waits')
    same(await inbox.store(entry('1')), false, 'storing it again')
  }),
  opened('attempts are noted, and a SET that is given up is a dead letter', async (inbox) => {
    await inbox.store(entry('1'))
    await inbox.noteAttempts(named('1'), 3)
    same((await inbox.waiting(0, 1))[0]?.attempts, 3, 'the attempts')
    await inbox.bury(named('1'), { reason: 'why', at: 7 })
    await inbox.bury(named('1'), { reason: 'again', at: 8 })
    same(await inbox.read(named('1')), 'dead', 'its state')
    same(await waiting(inbox), [], 'what waits')
    const letter = { ...entry('1'), attempts: 3, reason: 'why', buried_at: 7 }
    same(await inbox.deadLetters(0, 9), [letter], 'the dead letters')
    same(await inbox.store(entry('1')), false, 'storing it again')
  }),
  opened('what never waited cannot be given up', async (inbox) => {
    await inbox.bury(named('1'), { reason: 'why', at: 7 })
    await inbox.markHandled(named('2'), 1)
    await inbox.bury(named('2'), { reason: 'why', at: 7 })
    same(await dead(inbox), [], 'the dead letters')
    same(await inbox.read(named('2')), 'handled', 'a handled SET')
  }),
  opened('dead letters are read page by page, and wait again behind all others', async (inbox) => {
    for (const jti of ['1', '2', '3', '4']) await inbox.store(entry(jti))
    for (const [index, jti] of ['2', '1', '3'].entries()) {
      await inbox.noteAttempts(named(jti), 5)
      await inbox.bury(named(jti), { reason: 'why', at: index })
    }
    same(await dead(inbox), ['2', '1', '3'], 'the dead letters')
    const page = await inbox.deadLetters(1, 1)
    same(page.map(({ jti }) => jti), ['1'], 'the second page') // prettier-ignore
    same(await inbox.revive([named('2'), named('unknown'), named('4')]), 1, 'how many came back')
    same(await waiting(inbox), ['4', '2'], 'what waits')
    same((await inbox.waiting(0, 9))[1]?.attempts, 0, 'the attempts of what came back')
    same(await inbox.purge([named('1'), named('4'), named('unknown')], 9), 1, 'how many are gone')
    same(await inbox.read(named('1')), 'handled', 'what was purged')
    same(await dead(inbox), ['3'], 'the dead letters at last')
  }),
  {
    name: 'opens and closes any number of times, and has everything again',
    run: async (inbox) => {
      await inbox.open()
      await inbox.open()
      await inbox.store(entry('1'))
      await inbox.markHandled(named('2'), 1)
      await inbox.close()
      await inbox.close()
      await inbox.open()
      same(await waiting(inbox), ['1'], 'what waits')
      same(await inbox.read(named('2')), 'handled', 'what was handled')
      await inbox.store(entry('3'))
      same(await waiting(inbox), ['1', '3'], 'what waits after more came')
      await inbox.close()
    },
  },
]
