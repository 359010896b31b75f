import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { Enforcement } from '@drawbridge/enforcement'
import { alice, aliceSince, revoked, startedNode } from './signals.ts'

const who = aliceSince(-60)
const closing = Buffer.from([0x88, 0x00])
const greeting = Buffer.from([0x81, 0x02, 0x68, 0x69])

let server: Server
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** As the README says it: check before the upgrade, and close by the signal. */
const listen = async (enforcement: Enforcement): Promise<number> => {
  server = createServer()
  server.on('upgrade', (_, socket: Socket) => {
    const decision = enforcement.check(who)
    if (decision.outcome !== 'allow') {
      const { status, headers } = decision.response()
      const challenge = headers.get('www-authenticate')
      socket.end(`HTTP/1.1 ${status} \r\nwww-authenticate: ${challenge}\r\n\r\n`)
      return
    }
    socket.write('HTTP/1.1 101 \r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n')
    socket.write(greeting)
    const closed = new AbortController()
    socket.once('close', () => closed.abort())
    const ended = enforcement.signal(who, { until: closed.signal })
    ended.addEventListener('abort', () => socket.end(closing), { once: true })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const upgrade = (port: number) => {
  const headers = { connection: 'upgrade', upgrade: 'websocket' }
  return request({ host: '127.0.0.1', port, headers }).end()
}

describe('a WebSocket on node:http', () => {
  it('is closed when the signal arrives', async () => {
    const { enforcement } = await startedNode()
    const asking = upgrade(await listen(enforcement))
    const [, socket, head] = (await once(asking, 'upgrade')) as [IncomingMessage, Socket, Buffer]
    const received: Buffer[] = [head]
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    if (head.length === 0) await once(socket, 'data')
    expect(Buffer.concat(received)).toEqual(greeting)
    const end = once(socket, 'end')
    await enforcement.apply(revoked({ user: alice }))
    await end
    expect(Buffer.concat(received)).toEqual(Buffer.concat([greeting, closing]))
  })
  it('is not opened for a session that has ended', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const asking = upgrade(await listen(enforcement))
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('invalid_token')
    expect(await text(answer)).toBe('')
  })
})
