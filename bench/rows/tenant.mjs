import path from 'node:path'
import { createEnforcement, memoryLedger, recommendedPolicy } from '@drawbridge/enforcement'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { issSub, opaque, readSet } from '@drawbridge/schema'
import { memoryTenants, sqliteTenants } from '../floors/tenant.mjs'
import { claims, issuer } from '../support/events.mjs'
import { median, quantile } from '../support/measure.mjs'
import { sqliteClass } from '../support/sqlite-class.mjs'

const rounds = 51
const tenantOf = (round) => opaque(`tenant-${round}`)

/**
 * A signal about a whole tenant with so many live sessions: from the call of `apply` until a random
 * session is refused, and how long checks take while the hooks run for all of them.
 */
export async function tenant(kind, live, folder) {
  let sessionsOfRound = []
  let hooked = 0
  const written = []
  const enforcement = createEnforcement({
    ledger: counting(
      kind === 'memory' ? memoryLedger() : sqliteLedger(path.join(folder, `tenant-${live}.db`)),
      written,
    ),
    policy: recommendedPolicy(),
    mandates: { [issuer]: { tenants: Array.from({ length: rounds }, (_, at) => tenantOf(at)) } },
    sessions: () => sessionsOfRound,
    hooks: {
      terminate: async ({ sessions }) => {
        hooked += (await sessions()).length
      },
    },
  })
  await enforcement.start()
  const floor =
    kind === 'memory'
      ? memoryTenants()
      : sqliteTenants(sqliteClass, path.join(folder, `tenant-floor-${live}.db`))
  const began = new Date(Date.now() - 60_000)
  const whoOf = (index, round) => ({
    subject: {
      user: issSub(issuer, `user-${index}`),
      session: opaque(`session-${index}`),
      tenant: tenantOf(round),
    },
    began,
  })
  const times = { ours: [], floor: [] }
  for (let round = 0; round < rounds - 1; round++) {
    const who = whoOf(Math.floor(Math.random() * live), round)
    times.ours.push(await timeOfOurs(enforcement, eventAbout(round), who))
    times.floor.push(await timeOfFloor(floor, `tenant-${round}`))
  }
  // The last one finds every session, and its hook is given them all.
  sessionsOfRound = Array.from({ length: live }, (_, index) => whoOf(index, rounds - 1))
  const checking = checksUntil(() => hooked >= live, enforcement, sessionsOfRound)
  await enforcement.apply(eventAbout(rounds - 1))
  const checks = await checking
  await enforcement.stop()
  floor.close?.()
  if (written.length !== rounds) throw new Error(`${written.length} entries for ${rounds} signals`)
  const label = `tenant-wide signal, ${live.toLocaleString('en')} sessions, ${kind}`
  const [ours, other] = [median(times.ours.slice(10)), median(times.floor.slice(10))]
  return [
    { name: `${label}, → refused`, unit: 'ms', ours, floor: 1, goal: '≤1' },
    // Against a bare Map there is nothing to compare with: what is judged is the work.
    ...(kind === 'memory'
      ? []
      : [{ name: `${label}, to a commit`, unit: 'ms', ours, floor: other, goal: '≤1.5' }]),
    { name: `${label}, guard p99`, unit: 'ms', ours: quantile(checks, 0.99), floor: 1, goal: '≤1' },
    {
      name: `${label}, turn of a request p99`,
      unit: 'ms',
      ours: quantile(checks.waits, 0.99),
      floor: 1,
      goal: '≤1',
    },
  ]
}

function counting(ledger, written) {
  return {
    ...ledger,
    write: async (entry) => {
      written.push(entry)
      return ledger.write(entry)
    },
  }
}

const eventAbout = (round) =>
  readSet({ ...claims(round), sub_id: { format: 'complex', tenant: tenantOf(round) } }).events[0]

async function timeOfOurs(enforcement, event, who) {
  if (enforcement.check(who).outcome !== 'allow') throw new Error('refused before the signal')
  const start = performance.now()
  await enforcement.apply(event)
  const { outcome } = enforcement.check(who)
  const took = performance.now() - start
  if (outcome === 'allow') throw new Error('allowed after the signal')
  return took
}

async function timeOfFloor(floor, name) {
  const start = performance.now()
  await floor.write(name, Date.now())
  const isRefused = floor.isRefused(name, 0)
  const took = performance.now() - start
  if (!isRefused) throw new Error('the floor allowed after the signal')
  return took
}

/** Milliseconds of each check, one in each turn of the event loop, and how long the turns took. */
async function checksUntil(isOver, enforcement, sessions) {
  const checks = []
  const waits = [0]
  while (!isOver()) {
    const start = performance.now()
    enforcement.check(sessions[checks.length % sessions.length])
    checks.push(performance.now() - start)
    const turn = performance.now()
    await new Promise((resolve) => setImmediate(resolve))
    waits.push(performance.now() - turn)
  }
  return Object.assign(checks, { waits })
}
