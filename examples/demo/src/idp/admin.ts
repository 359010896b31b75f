import type { Express } from 'express'
import { issSub, opaque } from '@drawbridge/schema'
import { DeviceComplianceChange, RiskLevelChange, SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled } from '@drawbridge/schema/risc'
import type { Transmitter } from '@drawbridge/transmitter'
import type { Directory } from './directory.ts'

/** What {@link addAdmin} needs. */
export interface AdminParts {
  readonly issuer: string
  readonly adminToken: string
  readonly directory: Directory
  readonly transmitter: Transmitter
}

/** What administrators do, and the systems that watch devices and accounts. */
export function addAdmin(app: Express, parts: AdminParts): void {
  const { issuer, adminToken, directory, transmitter } = parts
  app.use('/admin', (request, response, next) => {
    if (request.headers.authorization === `Bearer ${adminToken}`) return next()
    response.status(401).json({ error: 'the administrator only' })
  })
  app.get('/admin/sessions', (_request, response) => {
    response.json([...directory.logins.values()])
  })
  // An administrator closes a session: it ends here, and every application hears of it.
  app.post('/admin/revoke', async (request, response) => {
    const { sid, reason } = request.body as { sid: string; reason: string }
    const login = directory.logins.get(sid)
    if (!login) return void response.status(404).json({ error: 'no such session' })
    directory.logins.delete(sid)
    const recorded = await transmitter.transmit(
      SessionRevoked,
      { user: issSub(issuer, login.sub), session: opaque(sid) },
      { initiating_entity: 'admin', reason_admin: { en: reason } },
    )
    response.json(recorded)
  })
  // Device management reports what it found out about a device.
  app.post('/admin/devices', async (request, response) => {
    const { device, compliant } = request.body as { device: string; compliant: boolean }
    const recorded = await transmitter.transmit(
      DeviceComplianceChange,
      { device: opaque(device) },
      {
        previous_status: compliant ? 'not-compliant' : 'compliant',
        current_status: compliant ? 'compliant' : 'not-compliant',
        initiating_entity: 'policy',
        reason_admin: { en: compliant ? 'Disk encryption is on' : 'Disk encryption is off' },
      },
    )
    response.json(recorded)
  })
  // Risk analysis reports what it thinks of an account. An agent has one too.
  app.post('/admin/risk', async (request, response) => {
    const { account, level } = request.body as { account: string; level: 'LOW' | 'HIGH' }
    const recorded = await transmitter.transmit(
      RiskLevelChange,
      { user: issSub(issuer, account) },
      {
        principal: 'USER',
        current_level: level,
        risk_reason: 'Writes what nobody asked it for',
        initiating_entity: 'system',
      },
    )
    response.json(recorded)
  })
  // An administrator disables an account: whoever acts for it is stopped as well.
  app.post('/admin/disable', async (request, response) => {
    const { account } = request.body as { account: string }
    directory.disabled.add(account)
    response.json(
      await transmitter.transmit(AccountDisabled, { user: issSub(issuer, account) }, {}),
    )
  })
}
