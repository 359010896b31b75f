import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { freePort } from '../../../test/support/free-port.ts'

/** The program; another one by the variable `REDIS_SERVER`. */
const program = process.env['REDIS_SERVER'] ?? 'redis-server'

/** A real Redis on a loopback port, with a folder of its own. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Sends a command and resolves with the answer. */
  command(...args: string[]): Promise<unknown>
  /** Kills it without warning. */
  kill(): Promise<void>
  /** Starts it again with what is in its folder; by default with the same settings. */
  restart(settings?: readonly string[]): Promise<void>
  /** Stops it in the middle of what it does, as a network that is cut would. */
  pause(): void
  resume(): void
  /** Kills it and removes its folder. */
  remove(): Promise<void>
}

/** Each write is on disk before it is acknowledged. */
export const durable: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always']

/** Nothing outlives the server. */
export const forgetful: readonly string[] = ['--save', '', '--appendonly', 'no']

/** Tells whether there is a `redis-server`; where there is none, says loudly what is not tested. */
export function hasRedisServer(tests: string): boolean {
  if (spawnSync(program, ['--version']).status === 0) return true
  console.warn(
    `SKIPPED, there is no redis-server: ${tests}. To run them: apt-get install -y redis-server`,
  )
  return false
}

/** Starts a Redis. The arguments are those of `redis-server`. */
export async function startRedis(settings: readonly string[] = durable): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let server = await start(port, folder, settings)
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exit = once(server, 'exit')
    server.kill('SIGKILL')
    await exit
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...args) => command(port, args),
    kill,
    restart: async (changed = settings) => {
      await kill()
      server = await start(port, folder, changed)
    },
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    remove: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function start(
  port: number,
  folder: string,
  settings: readonly string[],
): Promise<ChildProcess> {
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder]
  const server = spawn(program, [...place, '--daemonize', 'no', ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error(`redis-server ended:\n${log}`)))
    server.stdout?.on('data', (part: Buffer) => {
      log += part.toString()
      if (log.includes('Ready to accept connections')) resolve()
    })
  })
  return server
}

async function command(port: number, args: string[]): Promise<unknown> {
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    socket: { reconnectStrategy: false },
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await client.sendCommand(args)
  } finally {
    client.destroy()
  }
}
