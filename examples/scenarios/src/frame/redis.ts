import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** The program; another one by the variable `REDIS_SERVER`. */
const program = process.env['REDIS_SERVER'] ?? 'redis-server'

/** Whether there is a `redis-server` to start. */
export const hasRedisServer = (): boolean => spawnSync(program, ['--version']).status === 0

/** A Redis of one scenario's own. */
export interface Redis {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a Redis on a free port of loopback that has each write on disk before it answers. */
export async function startRedis(folder: string): Promise<Redis> {
  const port = await freePort()
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder]
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
  const server = spawn(program, [...place, ...durable], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // What it has kept is of no more use, so that it need not finish anything.
  const kill = (): void => void server.kill('SIGKILL')
  process.once('exit', kill)
  let log = ''
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`redis-server ended:\n${log}`)))
    server.stdout.on('data', (part: Buffer) => {
      log += part.toString()
      if (log.includes('Ready to accept connections')) resolve()
    })
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return
      const exited = once(server, 'exit')
      kill()
      await exited
      process.off('exit', kill)
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await once(probe.close(), 'close')
  return port
}
