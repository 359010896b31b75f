import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** One push that arrived. */
export interface Pushed {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A Receiver's endpoint over TLS that answers 202. */
export interface PushServer {
  readonly port: number
  /** Resolves with the next push, or with one that came and was not asked for. */
  next(): Promise<Pushed>
  /** How many came and were not asked for. */
  readonly waiting: number
  close(): Promise<void>
}

/** Opens an endpoint with a certificate. */
export async function openPushServer(tls: ServerOptions): Promise<PushServer> {
  const arrived: Pushed[] = []
  const waiters: ((pushed: Pushed) => void)[] = []
  const server = createServer(tls, (request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request
      const pushed = { method, url, headers, body }
      response.writeHead(202).end()
      const waiter = waiters.shift()
      if (waiter) waiter(pushed)
      else arrived.push(pushed)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    next: async () => arrived.shift() ?? new Promise((resolve) => void waiters.push(resolve)),
    get waiting() {
      return arrived.length
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
