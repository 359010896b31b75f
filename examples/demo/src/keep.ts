import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { doubtWhileWriting, rateAgent } from './acts/doubt-agent.ts'
import { startAgent } from './agent.ts'
import { startApps, type Apps, type Login } from './apps.ts'
import { agentId } from './settings.ts'
import { signal } from './timeline.ts'

/** Leaves both apps running until Ctrl-C, and does what is typed to the newest session. */
export async function keep(): Promise<void> {
  const apps = await startApps('push', () => console.log(`  ${agentId} is sent`))
  console.log(`
  application        ${apps.saas}   log in as alice, password wonderland
  identity provider  ${apps.idp}

  Then type here, and reload the page:
    revoke          the newest session is revoked
    not-compliant   its device falls out of compliance
    compliant       and is compliant again
    agent-risk      the agent that was sent from the page writes, and its risk becomes HIGH
    agent-ok        and is LOW again
  Ctrl-C ends both.
`)
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const command = commands.get(line.trim())
    command?.(apps).catch((error: unknown) => console.log(`  ${(error as Error).message}`))
  })
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  lines.close()
  await apps.stop()
}

const commands = new Map<string, (apps: Apps) => Promise<void>>([
  ['revoke', revoke],
  ['not-compliant', (apps) => rateDevice(apps, false)],
  ['compliant', (apps) => rateDevice(apps, true)],
  ['agent-risk', (apps) => moveAgent(apps, 'HIGH')],
  ['agent-ok', (apps) => moveAgent(apps, 'LOW')],
])

async function revoke(apps: Apps): Promise<void> {
  const { sid } = await newest(apps)
  await signal(apps, { name: 'revoke', does: ['revoke', { sid, reason: 'Account closed' }] })
}

async function rateDevice(apps: Apps, compliant: boolean): Promise<void> {
  const { device } = await newest(apps)
  const name = compliant ? 'compliant' : 'not-compliant'
  await signal(apps, { name, does: ['devices', { device, compliant }] })
}

async function newest(apps: Apps): Promise<Login> {
  const login = (await apps.sessions()).at(-1)
  if (!login) throw new Error('nobody has logged in yet')
  return login
}

async function moveAgent(apps: Apps, level: 'HIGH' | 'LOW'): Promise<void> {
  const idToken = apps.lastSent()
  if (idToken === undefined) {
    throw new Error('nobody has sent the agent yet: log in and press the button on the page')
  }
  const agent = await startAgent(apps, idToken)
  try {
    const canWrite = (await agent.tools()).includes('write_report')
    if (level === 'HIGH' && canWrite) await doubtWhileWriting(apps, agent)
    else await rateAgent(apps, level)
    console.log(`  mcp  it sees ${(await agent.tools()).join(', ')}`)
  } finally {
    await agent.close()
  }
}
