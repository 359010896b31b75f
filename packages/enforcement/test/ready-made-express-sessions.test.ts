import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import session, { type SessionData } from 'express-session'
import { complex, issSub, opaque } from '@drawbridge/schema'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type HookCall,
  type Who,
} from '@drawbridge/enforcement'
import {
  destroyExpressSessions,
  type DestroyExpressSessionsOptions,
  type StoredSession,
} from '@drawbridge/enforcement/hooks'
import { callWith, deviceCall, failureOf } from './ready-made-peer.ts'
import { alice, idp, laptop, noon, revoked } from './signals.ts'

interface StoredLogin {
  readonly sub: string
  readonly sid: string
  readonly authTime: number
  readonly device?: string
}

declare module 'express-session' {
  interface SessionData {
    who?: StoredLogin
  }
}

const whoOf = ({ who }: SessionData): Who | undefined =>
  who && {
    subject: {
      user: issSub(idp, who.sub),
      session: opaque(who.sid),
      ...(who.device && { device: opaque(who.device) }),
    },
    began: new Date(who.authTime * 1000),
  }

type Login = Partial<StoredLogin> | undefined

/** A store with a session for each of some logins. */
const storeWith = async (logins: Record<string, Login>): Promise<session.MemoryStore> => {
  const store = new session.MemoryStore()
  const set = promisify(store.set.bind(store))
  for (const [id, login] of Object.entries(logins)) {
    const who = login && { sub: 'alice', sid: `sid of ${id}`, authTime: noon - 60, ...login }
    const cookie = new session.Cookie()
    await set(id, who ? { cookie, who } : { cookie })
  }
  return store
}

const idsIn = (store: session.MemoryStore): Promise<string[]> =>
  new Promise((resolve) => store.all((_, all) => resolve(Object.keys(all ?? {}))))

type Options = DestroyExpressSessionsOptions<SessionData>

/** What is left of a store after a call. */
const leftAfter = async (
  call: HookCall,
  logins: Record<string, Login>,
  more: Partial<Options> = {},
): Promise<string[]> => {
  const store = await storeWith(logins)
  await destroyExpressSessions({ store, identify: whoOf, ...more })(call)
  return idsIn(store)
}

describe('destroyExpressSessions', () => {
  it('destroys all sessions of a user and nobody else', async () => {
    const logins = { one: {}, two: {}, bob: { sub: 'bob' }, nobody: undefined }
    expect(await leftAfter(callWith(), logins)).toEqual(['bob', 'nobody'])
  })
  it('SET-5.4-1: never destroys what began after a cut', async () => {
    const logins = { same: { authTime: noon }, later: { authTime: noon + 1 } }
    expect(await leftAfter(callWith(), logins)).toEqual(['later'])
    expect(await leftAfter(callWith({ since: noon + 0.9 }), logins)).toEqual(['later'])
    expect(await leftAfter(callWith({ reaches: 'all' }), logins)).toEqual([])
  })
  it('destroys the one session that is named, whenever it began', async () => {
    const subject = complex({ user: alice, session: opaque('sid of two') })
    const logins = { one: {}, two: { authTime: noon + 9 } }
    expect(await leftAfter(callWith({ subject }), logins)).toEqual(['one'])
  })
  it('CAEP-3.1-3: destroys what has all members of a subject, and nothing else', async () => {
    const { id: device } = laptop
    const logins = {
      known: { device },
      other: { device: 'tablet' },
      unknown: {},
      bob: { sub: 'bob', device },
    }
    const subject = complex({ user: alice, device: laptop })
    expect(await leftAfter(callWith({ subject }), logins)).toEqual(['other', 'unknown', 'bob'])
    expect(await leftAfter(deviceCall(), logins)).toEqual(['other', 'unknown'])
  })
  it('leaves the sessions that another issuer began', async () => {
    const cause = { ...callWith().cause, iss: 'https://other.example' }
    expect(await leftAfter(callWith({ cause }), { one: {} })).toEqual(['one'])
  })
  it('does the same when it is repeated', async () => {
    const store = await storeWith({ one: {}, bob: { sub: 'bob' } })
    const hook = destroyExpressSessions({ store, identify: whoOf })
    await hook(callWith())
    await hook(callWith())
    expect(await idsIn(store)).toEqual(['bob'])
  })
  it('asks "find" instead of reading the whole store, and judges what it gives', async () => {
    const store = await storeWith({ one: {}, two: {} })
    const calls: unknown[] = []
    const call = callWith()
    const find: Options['find'] = async (...given) => {
      calls.push(given)
      const stored = (sid: string, sub: string): StoredSession<SessionData> => ({
        sid,
        session: { cookie: new session.Cookie(), who: { sub, sid, authTime: noon - 60 } },
      })
      return [stored('one', 'alice'), stored('two', 'bob')]
    }
    const destroy = (sid: string, callback: () => void) => store.destroy(sid, callback)
    await destroyExpressSessions({ store: { destroy }, identify: whoOf, find })(call)
    expect(calls).toEqual([[call.subject, call]])
    expect(await idsIn(store)).toEqual(['two'])
  })
  it('reads stores that give a list of sessions with ids, and names those that give none', async () => {
    const destroyed: string[] = []
    const who = { sub: 'alice', sid: 's', authTime: noon - 60 }
    const storeOf = (sessions: object[] | undefined) => ({
      // As connect-redis does it: asynchronous, and by callback.
      all: async (done: (error?: unknown, sessions?: never) => void) =>
        done(null, sessions as never),
      destroy: async (sid: string, done: (error?: unknown) => void) => {
        destroyed.push(sid)
        done()
      },
    })
    const hookWith = (sessions: object[] | undefined) =>
      destroyExpressSessions({ store: storeOf(sessions), identify: whoOf })
    await hookWith([{ id: 'a', who }, { id: 'b' }])(callWith())
    await hookWith(undefined)(callWith())
    expect(destroyed).toEqual(['a'])
    await expect(hookWith([{ who }])(callWith())).rejects.toThrow(
      '"store.all" gives sessions without an "id": give "find" instead',
    )
  })
  it('fails where the store fails, by callback or by rejection, and destroys the others', async () => {
    const real = await storeWith({ one: {}, two: {}, three: {} })
    const all = (done: Parameters<typeof real.all>[0]): void => real.all(done)
    const store = {
      all,
      destroy: (sid: string, done: (error?: unknown) => void): unknown => {
        if (sid === 'one') return done(new Error('by callback'))
        if (sid === 'two') return Promise.reject(new Error('by rejection'))
        return real.destroy(sid, done)
      },
    }
    const hook = destroyExpressSessions({ store, identify: whoOf })
    const { message, errors } = await failureOf(hook(callWith()))
    expect(message).toBe('2 of 3 sessions could not be judged or destroyed')
    expect(errors.map((error) => error.message).toSorted()).toEqual(['by callback', 'by rejection'])
    expect(await idsIn(real)).toEqual(['one', 'two'])
    const away = { ...store, all: (done: (error: unknown) => void) => done(new Error('away')) }
    await expect(
      destroyExpressSessions({ store: away, identify: whoOf })(callWith()),
    ).rejects.toThrow('away')
  })
  it('names a session that cannot be judged, and destroys the others', async () => {
    const store = await storeWith({ broken: { sub: 'broken' }, one: {} })
    const identify: Options['identify'] = (one) => {
      const who = whoOf(one)
      return one.who?.sub === 'broken' ? { ...who!, began: new Date(Number.NaN) } : who
    }
    const { errors } = await failureOf(destroyExpressSessions({ store, identify })(callWith()))
    expect(errors.map(({ message }) => message)).toEqual([
      'check: "who.began" must be a valid Date',
    ])
    expect(await idsIn(store)).toEqual(['broken'])
  })
  it('begins nothing more when the time is over', async () => {
    const store = await storeWith({ one: {}, two: {} })
    const signal = AbortSignal.abort()
    const hook = destroyExpressSessions({ store, identify: whoOf })
    expect((await failureOf(hook(callWith({ signal })))).name).toBe('AbortError')
    expect(await idsIn(store)).toEqual(['one', 'two'])
  })
  it('judges its options together', () => {
    const wrong = { store: { all: 1 }, belongs: 1 }
    expect(() => destroyExpressSessions(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"belongs" is not an option',
          '"store" must be a store of express-session, which has "destroy"',
          '"identify" must be a function that says whose a session is',
          '"find" must be a function where "store" has no "all"',
        ],
      }),
    )
    expect(() => destroyExpressSessions(undefined as never)).toThrow('"store" must be')
    const store = new session.MemoryStore()
    expect(() => destroyExpressSessions({ store, identify: whoOf, find: 1 as never })).toThrow(
      '"find"',
    )
  })
})

/** Another test says of all requests what their `session` is. */
const sessionIn = (request: object): SessionData =>
  (request as { readonly session: SessionData }).session

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

describe('a site with express-session', () => {
  it('loses the sessions that a signal ends, and a login after it stays', async () => {
    const store = new session.MemoryStore()
    const enforcement = createEnforcement({
      ledger: memoryLedger(),
      policy: recommendedPolicy(),
      hooks: { terminate: destroyExpressSessions({ store, identify: whoOf }) },
    })
    await enforcement.start()
    closers.push(() => enforcement.stop())
    const app = express()
      .use(session({ store, secret: 'test', resave: false, saveUninitialized: false }))
      .get('/login/:sid/:time', (request, response) => {
        const { sid, time } = request.params
        sessionIn(request).who = { sub: 'alice', sid, authTime: Number(time) }
        response.end()
      })
      .get('/', (request, response) => void response.end(sessionIn(request).who?.sid ?? 'nobody'))
    const server = app.listen(0, '127.0.0.1')
    closers.push(() => server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const login = async (sid: string, time: number): Promise<string> => {
      const { headers } = await fetch(`${url}/login/${sid}/${time}`)
      return headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    }
    const visit = async (cookie: string): Promise<string> =>
      (await fetch(url, { headers: { cookie } })).text()

    const before = await login('before', noon - 1)
    const after = await login('after', noon + 1)
    expect([await visit(before), await visit(after)]).toEqual(['before', 'after'])
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.stop()
    expect([await visit(before), await visit(after)]).toEqual(['nobody', 'after'])
  })
})
