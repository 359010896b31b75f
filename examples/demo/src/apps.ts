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

/** The identity provider and the application, running. */
export interface Apps {
  readonly idp: string
  readonly saas: string
  /** The secret of the service account. */
  readonly serviceSecret: string
  /** Calls the identity provider as its administrator and returns what it answered. */
  administer(pathname: string, body: object): Promise<Recorded>
  /** The logins the identity provider knows, oldest first. */
  sessions(): Promise<readonly { readonly sid: string; readonly device: string }[]>
  /** Resolves with the first happening of a name that concerns a SET, also when it was before. */
  happened(name: string, jti: string): Promise<Happening>
  /** Ends both processes and removes their folder. */
  stop(): Promise<void>
}

/** Starts both, in a new folder, on free ports, with new secrets. */
export async function startApps(delivery: 'push' | 'poll'): Promise<Apps> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-demo-'))
  const idp = `http://127.0.0.1:${await freePort()}`
  const saas = `http://127.0.0.1:${await freePort()}`
  const secret = (): string => randomBytes(32).toString('base64url')
  const adminToken = secret()
  const serviceSecret = secret()
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
    SERVICE_SECRET: serviceSecret,
    COOKIE_SECRET: secret(),
  }
  const happenings: Happening[] = []
  const watch = new EventEmitter()
  const children: ChildProcess[] = []
  const start = async (file: string): Promise<void> => {
    const child = fork(path.join(import.meta.dirname, file), { env })
    children.push(child)
    child.on('message', (message: Message) => {
      if (message.kind === 'ready') return void child.emit('ready')
      happenings.push(message)
      watch.emit('happening')
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
    serviceSecret,
    stop,
    administer: async (pathname, body) =>
      (await admin(pathname, { method: 'POST', body: JSON.stringify(body) })) as Recorded,
    sessions: async () => (await admin('sessions')) as Awaited<ReturnType<Apps['sessions']>>,
    async happened(name, jti) {
      const signal = AbortSignal.timeout(10_000)
      for (;;) {
        const found = happenings.find((one) => one.name === name && concerns(one, jti))
        if (found) return found
        await once(watch, 'happening', { signal }).catch(() => {
          throw new Error(`"${name}" did not happen within 10 s`)
        })
      }
    },
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
