import { once } from 'node:events'
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** A request over a real socket. Not `fetch`: that one says of itself that it does not navigate. */
export interface Ask {
  /** Default: `/page`. */
  readonly path?: string
  /** Default: `GET`. */
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** What came back. */
export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Tells connections apart. */
  readonly localPort: number | undefined
}

/** Asks one server again and again over the same connection, as long as the server keeps it. */
export interface Client {
  ask(what?: Ask): Promise<Answer>
  /** Begins a request and resolves when its headers are there. */
  open(what?: Ask): Promise<IncomingMessage>
  close(): void
}

export function clientOf(port: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const open = async ({ path = '/page', method = 'GET', headers = {}, body }: Ask = {}) => {
    const sent = request({ agent, host: '127.0.0.1', port, path, method, headers })
    sent.end(body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    return answer
  }
  return {
    open,
    ask: async (what) => {
      const answer = await open(what)
      const { statusCode: status, headers } = answer
      const { localPort } = answer.socket
      return { status, headers, localPort, body: await text(answer) }
    },
    close: () => agent.destroy(),
  }
}
