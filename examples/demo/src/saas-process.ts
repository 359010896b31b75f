import { listen, required, run, tell } from './process.ts'
import { createSaas } from './saas/saas.ts'
import { openSessionStore } from './saas/session-store.ts'
import { readSettings } from './settings.ts'

run('the application', async () => {
  const { idp, saas, client, file } = readSettings()
  const { app, receiver, enforcement, close } = createSaas({
    idp,
    origin: saas,
    client,
    delivery: required('DELIVERY') === 'poll' ? 'poll' : 'push',
    ledger: file('enforcement.db'),
    store: await openSessionStore(file('sessions.db')),
    cookieSecret: required('COOKIE_SECRET'),
    sendAgent: (sid, idToken) => tell({ kind: 'agent', sid, idToken }),
  })
  receiver.events.on('set:verified', ({ at, event }) => {
    tell({ kind: 'event', name: 'set:verified', at, data: { jti: event.jti } })
  })
  for (const name of ['signal:applied', 'hook:succeeded'] as const) {
    enforcement.events.on(name, (event) => {
      tell({ kind: 'event', name, at: event.at, data: event })
    })
  }
  await enforcement.start()
  const server = await listen(app, Number(new URL(saas).port))
  await receiver.start()
  await receiver.verified({ signal: AbortSignal.timeout(30_000) })
  tell({ kind: 'ready' })
  return async () => {
    server.close()
    await close()
    await receiver.stop()
    await enforcement.stop()
  }
})
