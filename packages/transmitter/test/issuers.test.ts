import { afterEach, describe, expect, it } from '@jest/globals'
import { opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import fc from 'fast-check'
import type {
  IssuerStore,
  Transmitter,
  TransmitterOptions,
  TransmitterStore,
} from '../src/index.ts'
import { memoryStore } from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { call, makeTransmitter, subOf, temporaryFile, user } from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function started(options: Partial<TransmitterOptions>): Promise<Transmitter> {
  const transmitter = makeTransmitter(options)
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return transmitter
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Calls the API of one issuer as Receiver one, or two. */
async function ask(
  transmitter: Transmitter,
  base: string,
  route: string,
  { body, token = 'token-one' }: { readonly body?: object; readonly token?: string } = {},
): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ')
  const answer = await call(transmitter, `${method} ${base}/ssf${path}`, {
    token,
    ...(body ? { body } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
}

async function streamAt(transmitter: Transmitter, base: string): Promise<string> {
  const body = { events_requested: [SessionRevoked.uri] }
  const answer = await ask(transmitter, base, 'POST /streams', { body })
  return (answer.body as { stream_id: string }).stream_id
}

async function setsAt(transmitter: Transmitter, base: string, id: string): Promise<string[]> {
  const body = { returnImmediately: true }
  const answer = await ask(transmitter, base, `POST /poll/${id}`, { body })
  return Object.values((answer.body as { sets: Record<string, string> }).sets)
}

describe.each([
  ['on two hosts', 'https://one-idp.example', 'https://other-idp.example'],
  ['with two paths', 'https://idp.example/a', 'https://idp.example/b'],
  ['where one path begins like the other', 'https://idp.example', 'https://idp.example/b'],
])('two issuers in one process and one store, %s', (_, one, other) => {
  async function both(): Promise<readonly [Transmitter, Transmitter]> {
    const store = sqliteStore(await temporaryFile())
    return [await started({ issuer: one, store }), await started({ issuer: other, store })]
  }

  it('have their own streams, keys and events', async () => {
    const [first, second] = await both()
    const [id, otherId] = [await streamAt(first, one), await streamAt(second, other)]
    for (const [transmitter, base, foreign] of [
      [first, one, otherId],
      [second, other, id],
    ] as const) {
      const own = await ask(transmitter, base, 'GET /streams')
      expect(own.body).toHaveLength(1)
      const answer = await ask(transmitter, base, `GET /streams?stream_id=${foreign}`)
      expect(answer.status).toBe(404)
      await expect(transmitter.streams.read(foreign)).rejects.toMatchObject({
        code: 'ERR_STREAM_NOT_FOUND',
      })
    }
    const { deliveries } = await first.transmit(SessionRevoked, user('alice'), {})
    expect(deliveries).toHaveLength(1)
    expect((await setsAt(first, one, id)).map(subOf)).toEqual(['alice'])
    expect(await setsAt(second, other, otherId)).toEqual([])
    const keys = await Promise.all([ask(first, one, 'GET /jwks'), ask(second, other, 'GET /jwks')])
    const kids = keys.flatMap(({ body }) =>
      (body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid),
    )
    expect(new Set(kids).size).toBe(2)
  })

  it('have their own subjects and dead letters', async () => {
    const [first, second] = await both()
    const [id, otherId] = [await streamAt(first, one), await streamAt(second, other)]
    const body = { stream_id: id, subject: opaque('alice') }
    expect((await ask(first, one, 'POST /subjects:remove', { body })).status).toBe(204)
    const about = opaque('alice')
    expect((await first.transmit(SessionRevoked, about, {})).deliveries).toHaveLength(0)
    const { deliveries } = await second.transmit(SessionRevoked, about, {})
    const [{ jti } = { jti: '' }] = deliveries
    await setsAt(second, other, otherId)
    await ask(second, other, `POST /poll/${otherId}`, {
      body: { setErrs: { [jti]: { err: 'invalid_request' } }, returnImmediately: true },
    })
    expect(await second.deadLetters.list(otherId)).toHaveLength(1)
    expect(await first.health()).toMatchObject({ deadLetters: 0 })
    expect(await second.health()).toMatchObject({ deadLetters: 1 })
  })

  it('stop one by one: the other goes on', async () => {
    const [first, second] = await both()
    const otherId = await streamAt(second, other)
    await first.stop()
    expect(await first.health()).toMatchObject({ status: 'down' })
    await second.transmit(SessionRevoked, user('alice'), {})
    expect(await setsAt(second, other, otherId)).toHaveLength(1)
    await first.start()
    expect(await first.health()).toMatchObject({ status: 'ok' })
  })

  it('serve their own paths', async () => {
    const [first, second] = await both()
    const path = (base: string): string => `${new URL(base).pathname.replace(/\/$/, '')}/ssf/jwks`
    expect(first.serves(path(one))).toBe(true)
    expect(second.serves(path(other))).toBe(true)
    if (path(one) === path(other)) return
    expect(first.serves(path(other))).toBe(false)
    expect(second.serves(path(one))).toBe(false)
  })
})

/** What a Receiver does. `stream` and `foreign` count its own streams and those of the other. */
type Deed =
  | { readonly kind: 'create' }
  | { readonly kind: 'list' }
  | {
      readonly kind:
        'read' | 'status' | 'pause' | 'enable' | 'describe' | 'delete' | 'verify' | 'poll' | 'take'
      readonly stream: number
    }
  | { readonly kind: 'add' | 'remove'; readonly stream: number; readonly subject: number }

const subject = (which: number): object => opaque(`user ${which}`)

const streamDeed = fc.record({
  kind: fc.constantFrom(
    'read',
    'status',
    'pause',
    'enable',
    'describe',
    'delete',
    'verify',
    'poll',
    'take',
  ),
  stream: fc.nat({ max: 2 }),
}) satisfies fc.Arbitrary<Deed>
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.constantFrom<Deed>({ kind: 'create' }, { kind: 'list' }),
  streamDeed,
  fc.record({
    kind: fc.constantFrom('add', 'remove'),
    stream: fc.nat({ max: 2 }),
    subject: fc.nat({ max: 2 }),
  }),
)

type Step =
  | { readonly by: 'one' | 'two'; readonly deed: Deed }
  | { readonly by: 'two to one'; readonly deed: Deed }
  | { readonly by: 'issuer'; readonly subject: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ by: fc.constantFrom('one', 'two'), deed }) },
  { weight: 2, arbitrary: fc.record({ by: fc.constant('two to one' as const), deed }) },
  {
    weight: 2,
    arbitrary: fc.record({ by: fc.constant('issuer' as const), subject: fc.nat({ max: 2 }) }),
  },
)

const requestOf = (
  { kind, ...more }: Deed,
  stream_id: string,
): readonly [route: string, body?: object] => {
  switch (kind) {
    case 'create':
      return ['POST /streams', { events_requested: [SessionRevoked.uri] }]
    case 'list':
      return ['GET /streams']
    case 'read':
      return [`GET /streams?stream_id=${stream_id}`]
    case 'status':
      return [`GET /status?stream_id=${stream_id}`]
    case 'pause':
      return ['POST /status', { stream_id, status: 'paused' }]
    case 'enable':
      return ['POST /status', { stream_id, status: 'enabled' }]
    case 'describe':
      return ['PATCH /streams', { stream_id, description: 'described' }]
    case 'delete':
      return [`DELETE /streams?stream_id=${stream_id}`]
    case 'verify':
      return ['POST /verify', { stream_id, state: 'x' }]
    case 'poll':
    case 'take':
      return [`POST /poll/${stream_id}`, { returnImmediately: true }]
    case 'add':
    case 'remove':
      return [
        `POST /subjects:${kind}`,
        { stream_id, subject: subject('subject' in more ? more.subject : 0) },
      ]
  }
}

/** What is done now and then, whoever asks for something meanwhile. */
const upkeep: readonly string[] = ['backlog', 'forget', 'applySubjectChanges']

/** A store that writes down what it is asked for requests. */
function watchedStore(calls: string[]): TransmitterStore {
  const store = memoryStore()
  const watch = (opened: IssuerStore): IssuerStore =>
    Object.fromEntries(
      Object.entries(opened).map(([name, method]) => [
        name,
        (...given: unknown[]): unknown => {
          if (!upkeep.includes(name)) calls.push(name)
          return (method as (...given: unknown[]) => unknown)(...given)
        },
      ]),
    ) as unknown as IssuerStore
  return { open: async (issuer) => watch(await store.open(issuer)) }
}

interface Seen extends Answer {
  /** What the store was asked for it: what takes time. */
  readonly work: readonly string[]
}

const base = 'https://idp.example/tenant'
const nobodys = '00000000-0000-4000-8000-000000000000'

/** Does the steps; with `isAlone`, leaves out what two does. Returns what one saw, and what two did. */
async function run(
  steps: readonly Step[],
  isAlone: boolean,
): Promise<{ readonly one: Seen[]; readonly trespasses: (readonly [Seen, Seen])[] }> {
  const calls: string[] = []
  const transmitter = makeTransmitter({ store: watchedStore(calls) })
  await transmitter.start()
  const streams: Record<'one' | 'two', string[]> = { one: [], two: [] }
  const names = new Map<string, string>()
  const masked = (text: string): string =>
    text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
      if (!names.has(id)) names.set(id, `id ${names.size}`)
      return names.get(id) ?? ''
    })
  const request = async (
    by: 'one' | 'two',
    id: string,
    what: Deed,
  ): Promise<Seen & { readonly id: string | undefined }> => {
    const [route, body] = requestOf(what, id)
    const before = calls.length
    const token = `token-${by}`
    const answer = await ask(transmitter, base, route, { token, ...(body ? { body } : {}) })
    const { stream_id, sets } = (answer.body ?? {}) as {
      stream_id?: string
      sets?: Record<string, string>
    }
    const work = calls.slice(before)
    // A signature is another each time; what is signed is compared.
    const shown = sets ? Object.values(sets).map((set) => readable(set)) : answer.body
    const text = JSON.stringify(shown)
    return {
      status: answer.status,
      body: text === undefined || by === 'two' ? text : masked(text),
      work,
      id: stream_id,
    }
  }
  const one: Seen[] = []
  const trespasses: (readonly [Seen, Seen])[] = []
  for (const { by, ...what } of steps) {
    if (by === 'issuer') {
      const { subject: which } = what as { readonly subject: number }
      await transmitter.transmit(SessionRevoked, opaque(`user ${which}`), {})
      continue
    }
    const { deed: wanted } = what as { readonly deed: Deed }
    const which = 'stream' in wanted ? wanted.stream : 0
    if (by === 'two to one') {
      if (isAlone || !('stream' in wanted)) continue
      const foreign = streams.one[which] ?? nobodys
      const { id: _, ...seen } = await request('two', foreign, wanted)
      const { id: __, ...nothing } = await request('two', nobodys, wanted)
      trespasses.push([seen, nothing])
      continue
    }
    if (by === 'two' && isAlone) continue
    const { id, ...seen } = await request(by, streams[by][which] ?? nobodys, wanted)
    if (by === 'one') one.push(seen)
    if (wanted.kind === 'create' && id !== undefined) streams[by].push(id)
  }
  await transmitter.stop()
  return { one, trespasses }
}

function readable(set: string): unknown {
  const { iat: _, ...claims } = JSON.parse(
    Buffer.from(set.split('.')[1] ?? '', 'base64url').toString(),
  ) as Record<string, unknown>
  return claims
}

describe('isolation of Receivers', () => {
  it('SSF-8.1.1.2-9 SSF-9.1-1: what a Receiver sees, and what it costs, is the same with another one as without', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const [together, alone] = [await run(steps, false), await run(steps, true)]
        expect(together.one).toEqual(alone.one)
        // A stream of somebody else answers, and costs, what one does that was never there.
        for (const [seen, nothing] of together.trespasses) {
          expect(seen).toEqual(nothing)
          expect(seen.status).toBe(404)
          expect(seen.work).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })
})
