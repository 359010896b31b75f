import { createEnforcement, memoryLedger, recommendedPolicy } from '@drawbridge/enforcement'
import { readSet } from '@drawbridge/schema'
import { check } from '../floors/guard.mjs'
import { claims, subject } from '../support/events.mjs'
import { interleave, rate } from '../support/measure.mjs'

const sessions = 100_000
const checks = 300_000

/** Guard checks per second over 100,000 random sessions, with so many entries in force. */
export async function guardChecks(entries) {
  const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
  await enforcement.start()
  const map = new Map()
  // The entries in force are about other sessions: the common case is that a session is not touched.
  for (let index = 0; index < entries; index++) {
    const other = sessions + index
    await enforcement.apply(readSet(claims(other)))
    map.set(`session-${other}`, 1)
  }
  const began = new Date()
  const prepared = Array.from({ length: sessions }, (_, index) => ({
    subject: subject(index),
    began,
  }))
  const keyed = Array.from({ length: sessions }, (_, index) => ({
    key: `session-${index}`,
    began: 2,
  }))
  const order = Array.from({ length: checks }, () => Math.floor(Math.random() * sessions))

  const run = (one) =>
    rate(checks, async () => {
      let allowed = 0
      for (const index of order) if (one(index)) allowed++
      if (allowed !== checks) throw new Error('a session was refused that nothing touches')
    })
  const floor = () => run((index) => check(map, keyed[index]))
  const again = await interleave(
    7,
    () => run((i) => enforcement.check(prepared[i]).outcome === 'allow'),
    floor,
  )
  const fresh = await interleave(
    3,
    () => run((i) => enforcement.check({ ...prepared[i] }).outcome === 'allow'),
    floor,
  )
  await enforcement.stop()
  const time = ({ ours, floor: other }) => ({ ours: 1e6 / ours, floor: 1e6 / other, unit: 'µs' })
  const label = entries.toLocaleString('en')
  return [
    { name: `guard check, ${label} entries, same session again`, ...time(again), goal: '≤1.5' },
    { name: `guard check, ${label} entries, session seen first`, ...time(fresh), goal: '≤4' },
  ]
}
