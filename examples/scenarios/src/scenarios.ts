// Plays the scenarios one after the other: all, or those that are named.
import { scenarios } from './all.ts'
import { hasRedisServer } from './frame/redis.ts'
import { setStage } from './frame/stage.ts'

async function play(name: string): Promise<void> {
  const scenario = scenarios[name]
  if (!scenario) return
  console.log(`\n${name.toUpperCase()}  ${scenario.title}\n`)
  const stage = await setStage(name, scenario)
  try {
    await scenario.play(stage)
  } finally {
    await stage.stop()
  }
}

async function main(): Promise<void> {
  const named = process.argv.slice(2).map((name) => name.toLowerCase())
  const unknown = named.find((name) => !Object.hasOwn(scenarios, name))
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" is no scenario: there are ${Object.keys(scenarios).join(', ')}`)
  }
  if (!hasRedisServer()) {
    console.log('SKIPPED: the scenarios need redis-server: apt-get install -y redis-server')
    return
  }
  for (const name of named.length > 0 ? named : Object.keys(scenarios)) await play(name)
  console.log('\nAll as it should be.')
}

main().catch((error: unknown) => {
  console.error(`\nthe scenario failed: ${(error as Error).message}`)
  process.exitCode = 1
})
