// Shows a live session end because the identity provider said so, a device that falls out of
// compliance and comes back, and an agent that loses a tool while it uses it. `--keep` leaves both
// apps running for a browser.
import { doubtAgent } from './acts/doubt-agent.ts'
import { endSession } from './acts/end-session.ts'
import { loseDevice } from './acts/lose-device.ts'
import { startApps } from './apps.ts'
import { keep } from './keep.ts'

async function main(): Promise<void> {
  if (process.argv.includes('--keep')) return await keep()
  for (const delivery of ['push', 'poll'] as const) {
    const apps = await startApps(delivery)
    try {
      console.log(`\nDelivery by ${delivery}   provider ${apps.idp}   application ${apps.saas}`)
      for (const [title, act] of acts) {
        console.log(`\n${title}`)
        await act(apps)
      }
    } finally {
      await apps.stop()
    }
  }
  console.log('\nA session ended, a device came back, an agent lost its tool. All as it should be.')
}

const acts = [
  ['A session ends', endSession],
  ['A device falls out of compliance, and comes back', loseDevice],
  ['An agent loses its tool to write, in the middle of a write', doubtAgent],
] as const

main().catch((error: unknown) => {
  console.error(`\nthe demo failed: ${(error as Error).message}`)
  process.exitCode = 1
})
