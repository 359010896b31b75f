// Starts the two processes of the demo and hears what happens in them.
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Message } from './process.ts'

/** One thing that happened in one of the processes; `at` is in milliseconds since 1970. */
export type Happening = Extract<Message, { kind: 'event' }>

/** What the identity provider answers: one SET for each stream. */
export interface Recorded {
  readonly deliveries: readonly { readonly jti: string }[]
}

/** A login, as the identity provider knows it. */
export interface Login {
  readonly sid: string
  readonly device: string
}

/** The identity provider and the application, running. */
export interface Apps {
  readonly idp: string
  readonly saas: string
  /** The secret of the agent. */
  readonly agentSecret: string
  /** Calls the identity provider as its administrator and returns what it answered. */
  administer(pathname: string, body: object): Promise<Recorded>
  /** The logins the identity provider knows, oldest first. */
  sessions(): Promise<readonly Login[]>
  /** Resolves with the first happening of a name that concerns a SET, also when it was before. */
  happened(name: string, jti: string): Promise<Happening>
  /** Resolves with the ID Token that the agent was sent with in a session. */
  sentAgent(sid: string): Promise<string>
  /** The ID Token that the agent was sent with last, where it was. */
  lastSent(): string | undefined
  /** Ends both processes and removes their folder. */
  stop(): Promise<void>
}

/**
 * Starts both, in a new folder, on free ports, with new secrets.
 *
 * @param onSent Called when the agent is sent
 */
export async function startApps(delivery: 'push' | 'poll', onSent?: () => void): Promise<Apps> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-demo-'))
  const idp = `http://127.0.0.1:${await freePort()}`
  const saas = `http://127.0.0.1:${await freePort()}`
  const secret = (): string => randomBytes(32).toString('base64url')
  const adminToken = secret()
  const agentSecret = secret()
  const env = {
    ...process.env,
    IDP: idp,
    SAAS: saas,
    DELIVERY: delivery,
    DATA: folder,
    SECRET: secret(),
    ADMIN_TOKEN: adminToken,
    CLIENT_SECRET: secret(),
    SIGNALS_TOKEN: secret(),
    AGENT_SECRET: agentSecret,
    COOKIE_SECRET: secret(),
  }
  const news = createNews(onSent)
  const children: ChildProcess[] = []
  const start = async (file: string): Promise<void> => {
    const child = fork(path.join(import.meta.dirname, file), { env })
    children.push(child)
    child.on('message', (message: Message) => {
      if (message.kind === 'ready') child.emit('ready')
      else news.add(message)
    })
    const over = new AbortController()
    const ready = once(child, 'ready', { signal: over.signal })
    const exit = once(child, 'exit', { signal: over.signal }).then(() => {
      throw new Error('a process ended before it was ready; it says why above')
    })
    await Promise.race([ready, exit]).finally(() => {
      over.abort()
      // Whichever lost the race rejects now, and nobody waits for it.
      void Promise.allSettled([ready, exit])
    })
  }
  const admin = async (pathname: string, init: RequestInit = {}): Promise<unknown> => {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const response = await fetch(`${idp}/admin/${pathname}`, { ...init, headers })
    if (!response.ok) throw new Error(`/admin/${pathname} was answered ${response.status}`)
    return await response.json()
  }
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await start('idp-process.js')
    await start('saas-process.js')
  } catch (error) {
    await stop()
    throw error
  }
  return {
    idp,
    saas,
    agentSecret,
    stop,
    ...news,
    administer: async (pathname, body) =>
      (await admin(pathname, { method: 'POST', body: JSON.stringify(body) })) as Recorded,
    sessions: async () => (await admin('sessions')) as readonly Login[],
  }
}

type News = Exclude<Message, { kind: 'ready' }>

/** Keeps what the processes tell, and wakes who waits for it. */
function createNews(onSent?: () => void): Pick<Apps, 'happened' | 'sentAgent' | 'lastSent'> & {
  add(one: News): void
} {
  const happenings: Happening[] = []
  const sent = new Map<string, string>()
  const watch = new EventEmitter()
  const until = async <Told>(what: string, find: () => Told | undefined): Promise<Told> => {
    const signal = AbortSignal.timeout(30_000)
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await once(watch, 'told', { signal }).catch(() => {
        throw new Error(`"${what}" did not happen within 30 s`)
      })
    }
  }
  return {
    add: (one) => {
      if (one.kind === 'event') happenings.push(one)
      else {
        // Whoever is sent again is the last one.
        sent.delete(one.sid)
        sent.set(one.sid, one.idToken)
        onSent?.()
      }
      watch.emit('told')
    },
    happened: (name, jti) =>
      until(name, () => happenings.find((one) => one.name === name && concerns(one, jti))),
    sentAgent: (sid) => until('agent:sent', () => sent.get(sid)),
    lastSent: () => [...sent.values()].at(-1),
  }
}

const concerns = ({ data }: Happening, jti: string): boolean => JSON.stringify(data).includes(jti)

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(late)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
