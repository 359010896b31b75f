import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'

const program = process.env.REDIS_SERVER ?? 'redis-server'

/** Whether there is a `redis-server` to start; where there is none, says what it takes. */
export function hasRedisServer(row) {
  if (spawnSync(program, ['--version']).status === 0) return true
  console.log(`${row}: skipped, there is no redis-server: apt-get install -y redis-server`)
  return false
}

/** Starts a Redis of this run's own: on a free port, with a file that is flushed every second. */
export async function startRedis(folder) {
  const [port, dir] = [await freePort(), await mkdtemp(path.join(folder, 'redis-'))]
  const place = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', dir]
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec']
  const server = spawn(program, [...place, '--daemonize', 'no', ...durable], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let log = ''
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`redis-server ended:\n${log}`)))
    server.stdout.on('data', (part) => {
      log += part
      if (log.includes('Ready to accept connections')) resolve()
    })
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const exit = once(server, 'exit')
      server.kill()
      await exit
    },
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
