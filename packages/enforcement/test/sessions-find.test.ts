import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createClient } from 'redis'
import {
  aliases,
  complex,
  createCanonical,
  email,
  issSub,
  jwtId,
  matches,
  opaque,
  phoneNumber,
  principalKey,
  type Subject,
  type SubjectIdentifier,
} from '@drawbridge/schema'
import { linesOf, readSession } from '../src/session.ts'
import { memorySessions } from '../src/sessions/memory.ts'
import { redisSessions } from '../src/sessions/redis.ts'
import type { RegisteredSession, SessionStore } from '../src/sessions/sessions.ts'
import { forgetful, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import { idp } from './signals.ts'

const describeRedis = hasRedisServer('finding sessions') ? describe : describe.skip

const began = new Date(0)
const names = ['user', 'device', 'session', 'tenant', 'key', '__proto__']

/** Few names and few texts, so that subjects often have something in common. */
const texts = fc.constantFrom('a', 'A', 'b:c', '{b}', '\0', '__proto__', 'ü')
const simple = fc.oneof(
  texts.map((text) => opaque(text)),
  texts.map((text) => issSub(idp, text)),
  texts.map((text) => issSub('https://old.example', text)),
  texts.map((text) => jwtId(idp, text)),
  texts.map((text) => email(`${text}@x.example`)),
  fc.constant(phoneNumber('+12065550100')),
  texts.map((text): SubjectIdentifier => ({ format: 'https://app.example/f', text })),
)
const identifier = fc.oneof(
  { weight: 4, arbitrary: simple },
  {
    weight: 1,
    arbitrary: fc
      .array(simple, { minLength: 1, maxLength: 3 })
      .map((identifiers) => aliases(...identifiers)),
  },
)
const subject: fc.Arbitrary<Subject> = fc.oneof(
  { weight: 1, arbitrary: identifier },
  {
    weight: 3,
    arbitrary: fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), identifier), {
        minLength: 1,
        maxLength: 4,
        selector: ([name]) => name,
      })
      .map((members) => complex(Object.fromEntries(members))),
  },
)
const sessions = fc
  .array(fc.record({ subject, delegator: fc.option(subject, { nil: undefined }) }), {
    maxLength: 12,
  })
  .map((all) =>
    all.map(({ subject, delegator }, at): RegisteredSession => ({
      id: `s${at}`,
      subject,
      issuer: idp,
      began,
      // Nobody acts on behalf of themselves.
      ...(delegator &&
        principalKey(delegator) !== principalKey(subject) && {
          delegator: { subject: delegator, began },
        }),
    })),
  )

const issuerAliases = { [idp]: ['https://old.example'] }
const canonical = createCanonical(issuerAliases)

const naive = (all: readonly RegisteredSession[], wanted: Subject): readonly string[] =>
  all
    .filter((session) =>
      linesOf(readSession(session, 0)).some(({ subject }) =>
        matches(canonical.subject(wanted), canonical.subject(subject), 'session'),
      ),
    )
    .map(({ id }) => id)
    .toSorted()

/** Some sessions are removed and some are replaced by others: the index has to follow. */
async function findsAsNaively(make: () => SessionStore, runs: number): Promise<void> {
  const changes = fc.record({ removed: fc.nat(12), replacedBy: sessions })
  let hits = 0
  await fc.assert(
    fc.asyncProperty(sessions, changes, fc.array(subject, { maxLength: 6 }), async (...given) => {
      const [first, { removed, replacedBy }, wanted] = given
      const store = make()
      for (const session of [...first, ...replacedBy.slice(0, 3)]) await store.put(session)
      await store.remove(`s${removed}`)
      const standing = new Map([...first, ...replacedBy.slice(0, 3)].map((one) => [one.id, one]))
      standing.delete(`s${removed}`)
      for (const one of wanted) {
        const found = (await store.find(one)).map(({ id }) => id).toSorted()
        expect(found).toEqual(naive([...standing.values()], one))
        hits += found.length
      }
    }),
    { numRuns: runs },
  )
  expect(hits).toBeGreaterThan(runs / 4)
}

describe('finding sessions in memory', () => {
  it('finds what a look at every session finds, for any sessions and subjects', () =>
    findsAsNaively(() => memorySessions({ issuerAliases }), 400))

  it('finds the right ones among ten thousand', async () => {
    const store = memorySessions()
    const tenant = opaque('acme')
    for (let number = 0; number < 10_000; number++) {
      const user = issSub(idp, `u${number % 1000}`)
      await store.put({
        id: `${number}`,
        subject: { user, tenant, key: opaque(`${number}`) },
        began,
      })
    }
    const ids = async (wanted: Subject): Promise<readonly number[]> =>
      (await store.find(wanted)).map(({ id }) => Number(id))
    expect(await ids(opaque('4711'))).toEqual([4711])
    const ofUser = Array.from({ length: 10 }, (_, place) => 7 + place * 1000)
    expect(await ids(issSub(idp, 'u7'))).toEqual(ofUser)
    expect(await ids(complex({ tenant, user: issSub(idp, 'u7') }))).toEqual(ofUser)
    expect(await ids(tenant)).toHaveLength(10_000)
    expect(await ids(complex({ tenant: opaque('other'), user: issSub(idp, 'u7') }))).toEqual([])
  })
})

describeRedis('finding sessions in Redis', () => {
  let server: RedisServer
  let redis: ReturnType<typeof clientOf>
  const clientOf = (url: string) => createClient({ url })
  let number = 0
  beforeAll(async () => {
    server = await startRedis(forgetful)
    redis = clientOf(server.url)
    await redis.connect()
  })
  afterAll(async () => {
    redis.destroy()
    await server.remove()
  })
  it('finds what a look at every session finds, for any sessions and subjects', () =>
    findsAsNaively(() => redisSessions(redis, { prefix: `t${++number}`, issuerAliases }), 60))
})
