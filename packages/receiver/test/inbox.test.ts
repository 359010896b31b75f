import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import {
  createReceiver,
  memoryInbox,
  staticToken,
  type Inbox,
  type Receiver,
  type ReceiverEvents,
  type SharedOptions,
} from '@drawbridge/receiver'
import { sqliteInbox } from '@drawbridge/receiver/sqlite'
import { inboxContract, settled } from '@drawbridge/testkit'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-'))
  folders.push(folder)
  return join(folder, 'inbox.db')
}

describe.each<[string, () => Promise<Inbox>]>([
  ['memory', async () => memoryInbox()],
  ['sqlite', async () => sqliteInbox(await newFile())],
])('the inbox contract: %s', (_name, makeInbox) => {
  it.each(inboxContract)('$name', async ({ run }) => {
    await run(await makeInbox())
  })
})

describe('inboxes', () => {
  it('memory: forgets the oldest handled SETs where it is full, and nothing that waits', async () => {
    const inbox = memoryInbox(2)
    const iss = 'https://idp.example'
    const rest = { transmitter: 't', lane: 'l', claims: '{}', received_at: 1 }
    await inbox.store({ iss, jti: 'waiting', ...rest })
    for (const jti of ['1', '2', '3']) await inbox.markHandled({ iss, jti }, 1)
    const states = ['waiting', '1', '2', '3'].map((jti) => inbox.read({ iss, jti }))
    expect(await Promise.all(states)).toEqual(['waiting', 'unknown', 'handled', 'handled'])
  })

  it('sqlite: rejects with ERR_STORAGE_UNAVAILABLE while it is closed or cannot be opened', async () => {
    const inbox = sqliteInbox(await newFile())
    const name = { iss: 'i', jti: 'j' }
    await expect(inbox.read(name)).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
    await expect(inbox.markHandled(name, 1)).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
    const nowhere = sqliteInbox(join(await newFile(), 'no', 'folder.db'))
    await expect(nowhere.open()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
  })

  it('sqlite: forgets what was handled long ago', async () => {
    const inbox = sqliteInbox(await newFile(), { rememberDays: 1 })
    await inbox.open()
    const iss = 'https://idp.example'
    const now = 1_000_000_000_000
    await inbox.markHandled({ iss, jti: 'old' }, now - 2 * 24 * 3_600_000)
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) => inbox.markHandled({ iss, jti: `${index}` }, now)),
    )
    expect(await inbox.read({ iss, jti: 'old' })).toBe('unknown')
    expect(await inbox.read({ iss, jti: '7' })).toBe('handled')
    await inbox.close()
  })
})

describe('SETs that are acknowledged when they are stored', () => {
  let transmitter: FakeTransmitter
  let receiver: Receiver
  beforeEach(async () => {
    transmitter = await fakeTransmitter()
  })
  afterEach(async () => {
    await receiver.stop()
    await transmitter.close()
  })

  /** A clock whose sleeps end at once, but for the watch over the stream. */
  const hurried: Clock = {
    now: () => Date.now(),
    sleep: (ms, signal) =>
      ms < 400_000
        ? new Promise((resolve) => setImmediate(resolve))
        : new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
  }

  const make = (inbox: Inbox, more: SharedOptions = {}): Receiver => {
    receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      push: { url: 'http://127.0.0.1:9/signals' },
      allowInsecureHttp: true,
      acknowledge: 'stored',
      inbox,
      clock: hurried,
      ...more,
    })
    return receiver
  }
  const post = async (token: string): Promise<number> => {
    const request = new Request('http://127.0.0.1:9/signals', {
      method: 'POST',
      body: token,
      headers: { 'content-type': 'application/secevent+jwt' },
    })
    return (await receiver.fetch(request)).status
  }
  const next = <Name extends keyof ReceiverEvents>(name: Name): Promise<ReceiverEvents[Name]> =>
    new Promise((resolve) => receiver.events.once(name, resolve))
  /** Takes up what waits; the Transmitter answers every request for a stream with 404. */
  const work = async (): Promise<void> => {
    transmitter.answerNext('GET /streams', 404)
    await receiver.start().catch(() => undefined)
  }

  it('202 comes before the handlers, which run in order and once', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const handled: string[] = []
    make(sqliteInbox(await newFile())).handle('*', async ({ jti }) => {
      await held
      handled.push(jti)
    })
    await work()
    const [one, two] = [
      await transmitter.sign({ claims: { jti: 'one' } }),
      await transmitter.sign({ claims: { jti: 'two' } }),
    ]
    expect([await post(one), await post(two), await post(one)]).toEqual([202, 202, 202])
    expect(handled).toEqual([])
    const done = new Promise<void>((resolve) =>
      receiver.events.on('set:handled', ({ event }) => event.jti === 'two' && resolve()),
    )
    release()
    await done
    expect(handled).toEqual(['one', 'two'])
    expect(await post(one)).toBe(202)
    expect(handled).toEqual(['one', 'two'])
  })

  it('a handler that fails is tried again, and others go on meanwhile', async () => {
    const calls: string[] = []
    let isBroken = true
    make(memoryInbox(), { maxAttempts: 1_000_000 }).handle('*', ({ jti }) => {
      calls.push(jti)
      if (jti === 'poison' && isBroken) throw new Error('not now')
    })
    await work()
    const other = { format: 'opaque', id: 'somebody else' }
    await post(await transmitter.sign({ claims: { jti: 'poison' } }))
    const handled = next('set:handled')
    await post(await transmitter.sign({ claims: { jti: 'other', sub_id: other } }))
    expect((await handled).event.jti).toBe('other')
    isBroken = false
    expect((await next('set:handled')).event.jti).toBe('poison')
    expect(calls.filter((jti) => jti === 'other')).toHaveLength(1)
  })

  it('many that fail wait beside each other, and are let go by "stop"', async () => {
    // Node warns of a leak where more than ten wait for one signal.
    const sleeping = new Map<AbortSignal | undefined, number>()
    let most = 0
    const clock: Clock = {
      now: () => Date.now(),
      sleep: async (ms, signal) => {
        const count = (sleeping.get(signal) ?? 0) + 1
        sleeping.set(signal, count)
        most = Math.max(most, count)
        await systemClock.sleep(ms, signal)
        sleeping.delete(signal)
      },
    }
    make(memoryInbox(), { clock }).handle('*', () => {
      throw new Error('not now')
    })
    await work()
    const count = 30
    let failed = 0
    const all = new Promise<void>((resolve) =>
      receiver.events.on('set:unfinished', () => ++failed === count && resolve()),
    )
    for (let number = 0; number < count; number++) {
      const sub_id = { format: 'opaque', id: `user ${number}` }
      await post(await transmitter.sign({ claims: { jti: `${number}`, sub_id } }))
    }
    await all
    // Until the last of them has noted its attempt, and rests.
    await settled()
    expect(sleeping.size).toBeGreaterThanOrEqual(count)
    expect(most).toBeLessThanOrEqual(10)
    await receiver.stop()
    expect(sleeping.size).toBe(0)
  })

  it('after so many attempts it is a dead letter, whose lane goes on; it can be retried and purged', async () => {
    let isBroken = true
    const handled: string[] = []
    make(sqliteInbox(await newFile()), { maxAttempts: 3 }).handle('*', ({ jti }) => {
      if (isBroken && jti !== 'good') throw new Error(`cannot handle ${jti}`)
      handled.push(jti)
    })
    await work()
    const good = next('set:handled')
    for (const jti of ['bad', 'worse', 'good']) {
      await post(await transmitter.sign({ claims: { jti } }))
    }
    await good
    const letters = await receiver.deadLetters.list()
    expect(letters).toMatchObject([
      { jti: 'bad', attempts: 3, reason: 'cannot handle bad', transmitter: transmitter.issuer },
      { jti: 'worse' },
    ])
    isBroken = false
    const again = next('set:handled')
    expect(await receiver.deadLetters.retry(letters.slice(0, 1))).toBe(1)
    await again
    expect(handled).toEqual(['good', 'bad'])
    expect(await receiver.deadLetters.purge(letters)).toBe(1)
    expect(await receiver.deadLetters.list()).toEqual([])
  })

  it('what was stored is handled after a restart, although the Transmitter is gone', async () => {
    const file = await newFile()
    make(sqliteInbox(file))
    const token = await transmitter.sign({ claims: { jti: 'kept' } })
    expect(await post(token)).toBe(202)
    await receiver.stop()
    const handled: string[] = []
    make(sqliteInbox(file)).handle('*', ({ jti }) => void handled.push(jti))
    const done = next('set:handled')
    await work()
    await done
    expect(handled).toEqual(['kept'])
  })

  it('an inbox that cannot be written answers 503: nothing is acknowledged that is not durable', async () => {
    make({ ...memoryInbox(), store: () => Promise.reject(new Error('disk full')) })
    expect(await post(await transmitter.sign())).toBe(503)
  })

  it('has to be given an inbox', () => {
    const options = { audience: 'app', authorize: staticToken('t'), issuer: 'https://idp.example' }
    expect(() => createReceiver({ ...options, acknowledge: 'stored' })).toThrow('"inbox" must be')
  })

  it('more SETs than the window of the worker holds are all handled', async () => {
    const inbox = memoryInbox()
    for (let index = 0; index < 1200; index++) {
      const jti = `jti-${index}`
      const sub_id = { format: 'opaque', id: `${index % 7}` }
      const iss = transmitter.issuer
      const events = { 'https://type.example': {} }
      const claims = JSON.stringify({ iss, jti, iat: 1, aud: 'app', sub_id, events })
      await inbox.store({ iss, jti, transmitter: iss, lane: sub_id.id, claims, received_at: 1000 })
    }
    const handled = new Map<string, number[]>()
    const all = new Promise<void>((resolve) => {
      let count = 0
      make(inbox).handle('*', ({ jti, subject }) => {
        const lane = (subject as { id?: string }).id ?? ''
        handled.set(lane, [...(handled.get(lane) ?? []), Number(jti.slice(4))])
        if (++count === 1200) resolve()
      })
    })
    await work()
    await all
    for (const order of handled.values()) {
      expect(order).toEqual(order.toSorted((one, other) => one - other))
    }
  })
})
