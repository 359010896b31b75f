import { createEnforcement, recommendedPolicy } from '@drawbridge/enforcement'
import { redisLedger } from '@drawbridge/enforcement/redis'
import { readSet } from '@drawbridge/schema'
import { createClient } from 'redis'
import { feedWriter } from '../floors/feed.mjs'
import { claims, subject } from '../support/events.mjs'
import { median, quantile } from '../support/measure.mjs'
import { now, start as startProcess } from '../support/processes.mjs'
import { hasRedisServer, startRedis } from '../support/redis-server.mjs'

/** Signals of a round, of the warm-up, and until it is the other side's turn. */
const [rounds, count, warmUp, turn] = [5, 1_000, 4_000, 50]

/**
 * From the call of `apply` on one node to the refusal on another one, by a Redis between them, one
 * at a time. Medians of rounds.
 */
export async function feed(folder) {
  if (!hasRedisServer('feed')) return []
  const redis = await startRedis(folder)
  try {
    return await measure(redis.url)
  } finally {
    await redis.stop()
  }
}

async function measure(url) {
  const nodes = await startNodes(url)
  await nodes.run(warmUp)
  const p50 = { ours: [], floor: [] }
  const p99 = { ours: [], floor: [] }
  for (let round = 0; round < rounds; round++) {
    const times = await nodes.run(count)
    for (const side of ['ours', 'floor']) {
      p50[side].push(quantile(times[side], 0.5))
      p99[side].push(quantile(times[side], 0.99))
    }
  }
  await nodes.stop()
  const row = (name, { ours, floor }) => ({
    name: `signal → refused on another node, Redis feed, ${name}`,
    unit: 'ms',
    ours: median(ours),
    floor: median(floor),
    goal: '≤1.5',
  })
  return [row('p50', p50), row('p99', p99)]
}

async function startNodes(url) {
  const enforcement = createEnforcement({
    ledger: redisLedger(createClient({ url })),
    policy: recommendedPolicy(),
  })
  await enforcement.start()
  const writer = await feedWriter(url)
  const other = await startProcess(new URL('../support/feed-refuser.mjs', import.meta.url), url)
  const heard = () => new Promise((resolve) => other.child.once('message', resolve))
  let next = 0
  const ours = async (event) => {
    const refused = heard()
    const start = now()
    await enforcement.apply(event)
    return since(start, (await refused).ours)
  }
  const floor = async (set) => {
    const refused = heard()
    const start = now()
    await writer.write(set)
    return since(start, (await refused).floor)
  }
  const begin = async () => {
    const known = heard()
    other.child.send({ subject: subject(next), began: 0 })
    await known
    return { ...claims(next), jti: `session-${next++}` }
  }
  return {
    /** Signals about one session after the other: some by ours, then as many by the floor. */
    async run(signals) {
      const times = { ours: [], floor: [] }
      for (let index = 0; index < signals; index++) {
        const isOurs = index % (2 * turn) < turn
        const set = await begin()
        if (isOurs) times.ours.push(await ours(readSet(set).events[0]))
        else times.floor.push(await floor(set))
      }
      return times
    },
    async stop() {
      await other.stop()
      await writer.stop()
      await enforcement.stop()
    },
  }
}

function since(start, at) {
  if (!(at >= start)) throw new Error('a session was not refused, or by another signal')
  return at - start
}
