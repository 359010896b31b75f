import { createIdp } from './idp/idp.ts'
import { listen, required, run, tell } from './process.ts'
import { readSettings } from './settings.ts'

run('the identity provider', async () => {
  const { idp, client, file } = readSettings()
  const { app, transmitter } = await createIdp({
    issuer: idp,
    database: file('idp.db'),
    secret: required('SECRET'),
    adminToken: required('ADMIN_TOKEN'),
    client,
    agentSecret: required('AGENT_SECRET'),
  })
  for (const name of ['event:recorded', 'set:delivered'] as const) {
    transmitter.events.on(name, (event) => {
      tell({ kind: 'event', name, at: event.at, data: event })
    })
  }
  await transmitter.start()
  const server = await listen(app, Number(new URL(idp).port))
  tell({ kind: 'ready' })
  return async () => {
    server.close()
    await transmitter.stop()
  }
})
