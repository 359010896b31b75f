import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../../../test/support/free-port.ts'

/** A way to a server on the loopback that can be slow, cut or closed. */
export interface Proxy {
  readonly url: string
  /** Cuts all connections, and takes none until it is opened again. */
  cut(): Promise<void>
  open(): Promise<void>
  /** Lets nothing more come back from the server, until connections are made anew. */
  deafen(): void
  close(): Promise<void>
  /** How many connections go through it. */
  connections(): number
  /** Resolves when no connection is left. */
  idle(): Promise<void>
}

/**
 * Makes a way to a port.
 *
 * @param delayMs How much later each part arrives, in either direction
 */
export async function startProxy(port: number, delayMs = 0): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', (part) => void setTimeout(() => to.write(part), delayMs))
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    pass(near, far)
    pass(far, near)
  })
  const own = await freePort()
  const open = async (): Promise<void> => {
    await once(server.listen(own, '127.0.0.1'), 'listening')
  }
  await open()
  const cut = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    url: `redis://127.0.0.1:${own}`,
    cut,
    open,
    deafen: () => {
      for (const socket of sockets)
        if (socket.remotePort === port) socket.removeAllListeners('data')
    },
    close: cut,
    connections: () => sockets.size / 2,
    idle: async () => {
      for (const socket of sockets) if (!socket.closed) await once(socket, 'close')
    },
  }
}
