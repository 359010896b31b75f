import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../support/waiters.mjs', import.meta.url))
const count = 2_000

/** What a long poll that waits costs, its request and its socket included; the floor is the limit. */
export async function waiters() {
  const child = fork(script, { execArgv: ['--expose-gc'] })
  const [issuer] = await once(child, 'message')
  const memory = async () => {
    child.send('memory')
    const [bytes] = await once(child, 'message')
    return bytes
  }
  const url = await createStream(issuer)
  const sockets = []
  await hold(url, 200, sockets)
  const before = await memory()
  await hold(url, count, sockets)
  const each = ((await memory()) - before) / count
  for (const socket of sockets) socket.destroy()
  child.kill()
  await once(child, 'exit')
  return [
    { name: 'memory of a poll that waits', unit: 'B', ours: each, floor: 12 * 1024, goal: '≤1' },
  ]
}

const headers = { authorization: 'Bearer token', 'content-type': 'application/json' }

async function createStream(issuer) {
  const response = await fetch(`${issuer}/ssf/streams`, { method: 'POST', headers, body: '{}' })
  return (await response.json()).delivery.endpoint_url
}

/** Begins polls, each on a socket of its own, and waits until the last is under way too. */
async function hold(url, howMany, sockets) {
  const { hostname, port, pathname } = new URL(url)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\n${lines.join('')}content-length: 2\r\n\r\n{}`
  for (let index = 0; index < howMany; index++) {
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write(request)
    sockets.push(socket)
  }
  // Answered after all that came before it.
  const body = JSON.stringify({ returnImmediately: true })
  await (await fetch(url, { method: 'POST', headers, body })).text()
}
