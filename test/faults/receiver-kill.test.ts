import type { ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  createTransmitter,
  memoryStore,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { end, ended, freePorts, startChild } from '../support/child.ts'

const isFull = process.env['DRAWBRIDGE_FAULTS'] === 'full'
const rounds = isFull ? 60 : 6
const eventsPerRound = 40
const principals = 15

let folder: string
let ports: readonly [number, number]
let child: ChildProcess | undefined

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-receiver-'))
  ports = await freePorts()
})
afterEach(async () => {
  await end(child)
  await rm(folder, { recursive: true, force: true })
})

describe('kill -9 of a Receiver at random moments, whose handlers throw and hang as well', () => {
  let transmitter: Transmitter
  let server: Server

  beforeEach(async () => {
    transmitter = createTransmitter({
      issuer: `http://127.0.0.1:${ports[0]}`,
      secret: 'a secret for a test, 32 characters or more',
      store: memoryStore(),
      authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'app' }]),
      permitEvent: permitAll,
      allowInsecureHttp: true,
      algorithm: 'ES256',
      push: { backoff: { firstMs: 5, longestMs: 100 } },
      poll: { redeliveryMs: 200, longPollMs: 1000 },
    })
    await transmitter.start()
    server = createServer(toNode(transmitter))
    await once(server.listen(ports[0], '127.0.0.1'), 'listening')
  })
  afterEach(async () => {
    await end(child)
    await transmitter.stop()
    server.closeAllConnections()
    await once(server.close(), 'close')
  })

  const start = async (delivery: string, acknowledge: string): Promise<ChildProcess> => {
    const issuer = `http://127.0.0.1:${ports[0]}`
    const args = [String(ports[1]), issuer, folder, delivery, acknowledge]
    child = await startChild('receiver-child.mjs', ...args)
    return child
  }
  const effects = async (): Promise<number> => (await readdir(path.join(folder, 'effects'))).length

  it.each([
    ['push', 'handled'],
    ['push', 'stored'],
    ['poll', 'handled'],
    ['poll', 'stored'],
  ])(
    `PUSH-2-3 PUSH-2-8 POLL-2-4 POLL-2.1-2: by %s, acknowledged when %s: every event is handled and has its effect once, ${rounds} times`,
    async (delivery, acknowledge) => {
      const points = ['begun', 'done', 'acknowledged']
      for (let round = 0; round < rounds; round++) {
        const app = await start(delivery, acknowledge)
        const at = points[round % points.length]
        // One poll acknowledges many.
        const most = delivery === 'poll' && at === 'acknowledged' ? 1 : 10
        app.send({ die: { at, after: 1 + Math.floor(Math.random() * most) } })
        const first = round * eventsPerRound
        for (let n = first; n < first + eventsPerRound; n++) {
          await transmitter.transmit(SessionRevoked, opaque(`user-${n % principals}`), {})
        }
        await ended(app)
      }
      const app = await start(delivery, acknowledge)
      const all = rounds * eventsPerRound
      const messages = on(app, 'message')
      while ((await effects()) < all) await messages.next()
      expect(await effects()).toBe(all)
      const calls = (await readFile(path.join(folder, 'calls'), 'utf8')).trim().split('\n')
      expect(new Set(calls).size).toBe(all)
      // Else nothing of this would show that a repetition has no second effect.
      expect(calls.length).toBeGreaterThan(all)
    },
    600_000,
  )
})

describe('kill -9 of a Transmitter that is being polled', () => {
  it(`ends no loop: restarted on its port it is polled on, and every event is handled, ${rounds} times`, async () => {
    const [port] = ports
    const idpAt = (): Promise<ChildProcess> =>
      startChild('idp-child.mjs', String(port), path.join(folder, 'idp.db'))
    child = await idpAt()
    const receiver = createReceiver({
      issuer: `http://127.0.0.1:${port}`,
      audience: 'app',
      authorize: staticToken('token'),
      allowInsecureHttp: true,
    })
    const seen: string[] = []
    let look = (): void => undefined
    receiver.handle(SessionRevoked, ({ subject }) => {
      seen.push((subject as { session: { id: string } }).session.id)
      look()
    })
    const has = (names: Iterable<string>): Promise<void> =>
      new Promise((resolve) => {
        look = () => void ([...names].every((name) => seen.includes(name)) && resolve())
        look()
      })
    const failures: unknown[] = []
    receiver.events.on('peer:failed', ({ cause }) => failures.push(cause))
    await receiver.start()
    const promised = new Set<string>()
    for (let round = 0; round < rounds; round++) {
      const idp = child
      idp.on('message', ({ transmitted }: { transmitted?: string }) => {
        if (transmitted !== undefined) promised.add(transmitted)
      })
      const names = Array.from({ length: eventsPerRound }, (_, index) => `${round}-${index}`)
      for (const transmit of names) idp.send({ transmit, survive: true })
      await has(names.slice(0, 1 + Math.floor(Math.random() * 10)))
      idp.kill('SIGKILL')
      await ended(idp)
      child = await idpAt()
    }
    await has(promised)
    await receiver.stop()
    expect(promised.size).toBeGreaterThanOrEqual(rounds)
    expect(new Set(seen).size).toBe(seen.length)
    expect(failures.length).toBeGreaterThanOrEqual(rounds)
  }, 600_000)
})
