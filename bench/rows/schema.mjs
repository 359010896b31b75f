import { checkPayload, matches, readJson } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { strict } from '@drawbridge/schema/profiles'
import { fromBytes, matchesSession, matchesStream, validate } from '../floors/schema.mjs'
import { claims, subject } from '../support/events.mjs'
import { interleave, rate } from '../support/measure.mjs'

const count = 100_000
const rounds = 7
const encoder = new TextEncoder()

/** Session-revoked SETs per second: from claims, and from the bytes that were signed. */
export async function schemaValidations() {
  const made = Array.from({ length: count }, (_, index) => claims(index))
  const bytes = made.map((one) => encoder.encode(JSON.stringify(one)))
  const read = (value) => {
    const [event] = strict.read(value).events
    checkPayload(SessionRevoked, event.payload)
    return event
  }
  return [
    await row('schema, SET from claims, strict and payload', '≥0.3', made, read, validate),
    await row(
      'schema, SET from bytes, strict and payload',
      '≥0.3',
      bytes,
      (text) => read(readJson(text)),
      fromBytes,
    ),
  ]
}

/** Comparisons of two complex subjects per second, every second pair a match. */
export async function schemaMatches() {
  const events = Array.from({ length: count }, (_, index) => complex(index))
  // Other objects with the same text: nothing is found by identity.
  const others = events.map((_, index) => complex(index + (index % 2)))
  const pairs = events.map((event, index) => [event, others[index]])
  const by = (rule) => (pair) => matches(pair[0], pair[1], rule)
  return [
    await row('schema, complex match, rule session', '≥0.4', pairs, by('session'), (pair) =>
      matchesSession(pair[0], pair[1]),
    ),
    await row('schema, complex match, rule stream', '≥0.4', pairs, by('stream'), (pair) =>
      matchesStream(pair[0], pair[1]),
    ),
  ]
}

const complex = (index) => ({ ...subject(index), format: 'complex' })

async function row(name, goal, items, ours, floor) {
  const truthy = [ours, floor].map((one) => items.filter((item) => one(item)).length)
  if (truthy[0] !== truthy[1]) throw new Error(`${name}: ours and the floor differ`)
  const side = (one) => () => rate(items.length, async () => all(items, one))
  return { name, goal, unit: '/s', ...(await interleave(rounds, side(ours), side(floor))) }
}

/** Uses what comes out, or nothing would be left of a floor. */
function all(items, one) {
  let found = 0
  for (const item of items) if (one(item)) found++
  if (found === 0) throw new Error('nothing came out')
}
