import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port on loopback that nothing listens on, to listen on it again and again. It is none of those
 * that a system gives to outgoing connections, one of which might have it after a restart.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const server = createServer()
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    } catch {
      continue
    }
    await once(server.close(), 'close')
    return port
  }
}
