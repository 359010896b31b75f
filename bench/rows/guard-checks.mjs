import {
  createEnforcement,
  memoryLedger,
  prepare,
  recommendedPolicy,
} from '@drawbridge/enforcement'
import { issSub, opaque, readSet } from '@drawbridge/schema'
import { check } from '../floors/guard.mjs'
import { claims, issuer, subject } from '../support/events.mjs'
import { interleave, rate } from '../support/measure.mjs'

const sessions = 100_000
const checks = 300_000

/**
 * Guard checks per second over 100,000 random sessions, with so many entries in force. Delegated
 * sessions are those of agents that each act for somebody else; the floor looks for both.
 */
export async function guardChecks(entries, { delegated = false } = {}) {
  const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
  await enforcement.start()
  const map = new Map()
  // The entries in force are about other sessions: the common case is that a session is not touched.
  for (let index = 0; index < entries; index++) {
    const other = sessions + index
    await enforcement.apply(readSet(claims(other)).events[0])
    map.set(`session-${other}`, 1)
  }
  const began = new Date()
  const behalfOf = (person, index) => {
    const user = issSub(issuer, `agent-${index}`)
    return delegated ? { subject: { user }, kind: 'agent', began, delegator: person } : person
  }
  const prepared = Array.from({ length: sessions }, (_, index) =>
    prepare(behalfOf({ subject: subject(index), began }, index)),
  )
  const keyed = Array.from({ length: sessions }, (_, index) => ({
    key: delegated ? `agent-${index}` : `session-${index}`,
    began: 2,
    ...(delegated && { delegator: { key: `session-${index}`, began: 2 } }),
  }))
  const order = Array.from({ length: checks }, () => Math.floor(Math.random() * sessions))
  const isAllowed = (who) => enforcement.check(who).outcome === 'allow'
  const isAllowedByFloor = (who) => check(map, who)

  const again = await interleave(
    7,
    () => rate(checks, async () => expectAllowed(order, (index) => isAllowed(prepared[index]))),
    () => rate(checks, async () => expectAllowed(order, (index) => isAllowedByFloor(keyed[index]))),
  )
  // As in the bindings: made from the application's session for this request, just before.
  const whoOf = (index) => {
    const { user, session } = (prepared[index].delegator ?? prepared[index]).subject
    const subject = { user: issSub(issuer, user.sub), session: opaque(session.id) }
    return behalfOf({ subject, began }, index)
  }
  const keyOf = (index) => ({ ...keyed[index] })
  const fresh = await interleave(
    7,
    () => rateOfFresh(order, whoOf, isAllowed),
    () => rateOfFresh(order, keyOf, isAllowedByFloor),
  )
  await enforcement.stop()
  const time = ({ ours, floor: other }) => ({ ours: 1e6 / ours, floor: 1e6 / other, unit: 'µs' })
  const label = `${delegated ? 'delegated, ' : ''}${entries.toLocaleString('en')}`
  return [
    { name: `guard check, ${label} entries, prepared, again`, ...time(again), goal: '≤1.5' },
    { name: `guard check, ${label} entries, session seen first`, ...time(fresh), goal: '≤4' },
  ]
}

function expectAllowed(items, one) {
  for (const item of items) {
    if (!one(item)) throw new Error('a session was refused that nothing touches')
  }
}

/** Checks per second of objects that were made just before; to make them is not measured. */
function rateOfFresh(order, make, one) {
  const batch = 100
  let took = 0
  for (let from = 0; from < order.length; from += batch) {
    const items = order.slice(from, from + batch).map(make)
    const start = performance.now()
    expectAllowed(items, one)
    took += performance.now() - start
  }
  return (order.length * 1000) / took
}
