// Runs the README's two programs together: a session that works, is closed, and is refused.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { app as idpApp } from './your-idp.ts'
import { app as appApp, destroyed } from './your-app.ts'
import { closeSession, transmitter } from './idp.ts'
import { enforcement, receiver } from './app.ts'

const [idpPort = 0, appPort = 0] = process.argv.slice(2).map(Number)
appApp.get('/', (_request, response) => void response.send('welcome'))
const servers = [idpApp.listen(idpPort, '127.0.0.1'), appApp.listen(appPort, '127.0.0.1')]
await Promise.all(servers.map((server) => once(server, 'listening')))
await receiver.start()
await receiver.verified({ signal: AbortSignal.timeout(10_000) })

const login = { sub: 'alice', sid: 'session-1', authTime: Math.floor(Date.now() / 1000) - 60 }
const open = async (): Promise<number> => {
  const headers = { 'x-login': JSON.stringify(login) }
  return (await fetch(`http://127.0.0.1:${appPort}/`, { headers })).status
}
assert.equal(await open(), 200)
const handled = new Promise((resolve) => receiver.events.once('set:handled', resolve))
await closeSession(login)
await handled
assert.equal(destroyed.length, 1)
assert.equal(await open(), 401)

await receiver.stop()
await enforcement.stop()
await transmitter.stop()
for (const server of servers) {
  server.close()
  server.closeAllConnections()
}
console.log('refused')
