import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import {
  createEnforcement,
  recommendedPolicy,
  type Enforcement,
  type Hooks,
} from '@drawbridge/enforcement'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { manualClock, type ManualClock } from '@drawbridge/testkit'
import { effectsOn, sessionOf, user } from './blast-radius.ts'
import { idp, noon, revoked } from './signals.ts'

const users = 100_000

const budget = { principals: 500, perSeconds: 3600 }
const exceeded = { iss: idp, principals: 500, windowSeconds: 3600 }

/** A node that keeps nothing of what it tells but the alarms. */
interface MadNode {
  readonly enforcement: Enforcement
  readonly clock: ManualClock
  readonly alarms: readonly object[]
  readonly ids: readonly string[]
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heapMiB = (): number => {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

/** One `session-revoked` for each user, many at a time as a Transmitter pushes them. */
async function goMad({ enforcement, ids }: MadNode): Promise<void> {
  for (let from = 0; from < ids.length; from += 1000) {
    const some = ids.slice(from, from + 1000)
    await Promise.all(some.map((id) => enforcement.apply(revoked({ user: user(id) }))))
  }
}

/** Notes how long it took and what it left in memory; machines differ, so nothing is asserted. */
async function noted<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const [before, startedAt] = [heapMiB(), performance.now()]
  const result = await work()
  const ms = performance.now() - startedAt
  console.info(`${what}: ${ms.toFixed(0)} ms, ${(heapMiB() - before).toFixed(1)} MiB kept`)
  return result
}

async function withNode(
  users: number,
  hooks: Hooks,
  use: (node: MadNode) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mad-'))
  const clock = manualClock((noon + 60) * 1000)
  const enforcement = createEnforcement({
    ledger: sqliteLedger(join(folder, 'ledger.db')),
    policy: recommendedPolicy(),
    mandates: { [idp]: { budget } },
    clock,
    hooks,
  })
  const alarms: object[] = []
  enforcement.events.on('budget:exceeded', (event) => alarms.push(event))
  await enforcement.start()
  await use({
    enforcement,
    clock,
    alarms,
    ids: Array.from({ length: users }, (_, place) => `u${place}`),
  })
  await enforcement.stop()
  await rm(folder, { recursive: true })
}

const countOf = (node: MadNode): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const effect of effectsOn(node, node.ids)) counts[effect] = (counts[effect] ?? 0) + 1
  return counts
}

describe('attack: a Transmitter that goes mad', () => {
  it('ends what its budget allows, suspends the rest, is told of once; one undo gives all back', async () => {
    await withNode(users, {}, async (node) => {
      await noted('100,000 signals into SQLite', () => goMad(node))
      expect(countOf(node)).toEqual({ terminate: 500, suspend: users - 500 })
      expect(node.alarms).toEqual([expect.objectContaining(exceeded)])
      const undo = () => node.enforcement.undo({ iss: idp, since: new Date(0) })
      const { signals, lifted, terminated } = await noted('their undoing', undo)
      expect([signals, lifted.suspend, lifted.terminate, terminated]).toEqual([
        users,
        users - 500,
        500,
        [],
      ])
      expect(countOf(node)).toEqual({ none: users })
      // The budget is still overrun: what is new is held, and nobody is told once more.
      await node.clock.advance(1000)
      await node.enforcement.apply(revoked({ user: user('u7') }, { at: noon + 61 }))
      expect(node.enforcement.check(sessionOf('u7')).effect).toBe('suspend')
      expect(node.alarms).toHaveLength(1)
    })
  }, 600_000)

  it('leaves what the application has carried out, and one undo gives the rest back', async () => {
    let ended = 0
    const terminate = (): void => void ended++
    await withNode(3000, { terminate }, async (node) => {
      await goMad(node)
      const { signals, terminated } = await node.enforcement.undo({ iss: idp, since: new Date(0) })
      expect([signals, terminated.length]).toEqual([2500, 500])
      expect(countOf(node)).toEqual({ none: 2500, terminate: 500 })
      expect(ended).toBe(500)
    })
  })
})
