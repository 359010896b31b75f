import { describe, expect, it } from '@jest/globals'
import { email, issSub, opaque } from '@drawbridge/schema'
import { memorySessions } from '../src/sessions/memory.ts'
import { createSessionFiles } from '../src/sessions/session-files.ts'
import { createSessionKeys } from '../src/sessions/session-keys.ts'
import type { RegisteredSession } from '../src/sessions/sessions.ts'
import { manualClock } from '@drawbridge/testkit'
import { alice, idp, laptop, noon } from './signals.ts'

const noonMs = noon * 1000

const session = (id: string, more: Partial<RegisteredSession> = {}): RegisteredSession => ({
  id,
  subject: { user: alice, session: opaque(id) },
  began: new Date(noonMs),
  ...more,
})

const inSeconds = (seconds: number): Date => new Date(noonMs + seconds * 1000)

describe('sessions in memory', () => {
  it('does not find a session from the moment when it expires', async () => {
    const clock = manualClock(noonMs)
    const store = memorySessions({ clock })
    await store.put(session('s1', { expires: inSeconds(60) }))
    await clock.advance(59_999)
    expect(await store.find(alice)).toHaveLength(1)
    await clock.advance(1)
    expect(await store.find(alice)).toEqual([])
    expect(await store.read('s1')).toBeUndefined()
  })

  it('purges what has expired by the second that is named', async () => {
    const store = memorySessions({ clock: manualClock(noonMs) })
    await store.put(session('s1', { expires: inSeconds(60) }))
    await store.put(session('s2', { expires: inSeconds(60.5) }))
    await store.put(session('s3'))
    await store.purge(noon + 60)
    expect((await store.find(alice)).map(({ id }) => id)).toEqual(['s2', 's3'])
  })

  it('finds a session by another name of its issuer, and an address in other letters', async () => {
    const store = memorySessions({ issuerAliases: { [idp]: ['https://old.example'] } })
    const subject = { user: issSub('https://old.example', 'alice'), mailbox: email('A@X.example') }
    await store.put(session('s1', { subject }))
    await store.put(session('s2'))
    const ids = (await store.find(alice)).map(({ id }) => id)
    expect(ids).toEqual(['s1', 's2'])
    expect(await store.find(issSub('https://old.example', 'alice'))).toHaveLength(2)
    expect(await store.find(email('a@x.EXAMPLE'))).toHaveLength(1)
    // The session is given back as it was put.
    expect((await store.read('s1'))?.subject).toEqual(subject)
  })

  it('names every mistake in the options', () => {
    const options = { clock: {}, issuerAliases: { [idp]: 'https://old.example' }, expiry: 1 }
    expect(() => memorySessions(options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"expiry" is not an option',
          '"clock" must have "now"',
          '"issuerAliases" must have a list of names for each issuer',
        ],
      }),
    )
  })
})

describe('the files of sessions in memory', () => {
  const filesAt = (clock: { now(): number }) =>
    createSessionFiles(createSessionKeys(), () => clock.now())

  it('leaves no key behind when sessions are removed or replaced', () => {
    const files = filesAt(manualClock(noonMs))
    for (let number = 0; number < 100; number++) files.put(session(`s${number}`))
    files.put(session('s0', { subject: { user: alice, device: laptop } }))
    expect(files.count()).toEqual({ sessions: 100, keys: 101 })
    for (let number = 0; number < 100; number++) files.remove(`s${number}`)
    expect(files.count()).toEqual({ sessions: 0, keys: 0 })
  })

  it('drops an expired session when it meets it', async () => {
    const clock = manualClock(noonMs)
    const files = filesAt(clock)
    files.put(session('s1', { expires: inSeconds(1) }))
    files.put(session('s2', { expires: inSeconds(1) }))
    await clock.advance(1000)
    files.read('s1')
    expect(files.count().sessions).toBe(1)
    files.find(alice)
    expect(files.count()).toEqual({ sessions: 0, keys: 0 })
  })

  it('stays bounded by what is alive when nobody purges and nobody looks', async () => {
    const clock = manualClock(noonMs)
    const files = filesAt(clock)
    files.put(session('for ever'))
    for (let second = 1; second <= 2000; second++) {
      files.put(session(`s${second}`, { expires: inSeconds(second + 9) }))
      await clock.advance(1000)
    }
    // Ten are alive at any time, and one for ever.
    expect(files.count().sessions).toBeLessThan(50)
    expect(files.read('for ever')).toBeDefined()
  })

  it('looks where the fewest are', () => {
    const keys = createSessionKeys()
    let looks = 0
    const counting = {
      ...keys,
      lookup: (subject: Parameters<typeof keys.lookup>[0]) => {
        const { keys: lists, reaches } = keys.lookup(subject)
        return { keys: lists, reaches: (known: never) => (looks++, reaches(known)) }
      },
    }
    const files = createSessionFiles(counting, () => noonMs)
    const tenant = opaque('acme')
    for (let number = 0; number < 100; number++) {
      files.put(session(`s${number}`, { subject: { user: issSub(idp, `${number}`), tenant } }))
    }
    expect(files.find({ format: 'complex', tenant, user: issSub(idp, '7') })).toHaveLength(1)
    expect(looks).toBe(1)
  })
})
