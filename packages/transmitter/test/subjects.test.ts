import { describe, expect, it } from '@jest/globals'
import {
  aliases,
  complex,
  email,
  issSub,
  opaque,
  type Subject,
  type SubjectInput,
} from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { memoryStore, type Transmitter, type TransmitterOptions } from '../src/index.ts'
import { manualClock } from '@drawbridge/testkit'
import {
  call,
  claimsOf,
  createStream,
  makeTransmitter,
  nextEvent,
  poll,
  pushEndpoint,
  pushTo,
} from './support.ts'

const alice = issSub('https://idp.example', 'alice')
const bob = issSub('https://idp.example', 'bob')
const laptop = opaque('laptop')
const acme = opaque('acme')

async function started(options: Partial<TransmitterOptions> = {}): Promise<Transmitter> {
  const transmitter = makeTransmitter(options)
  await transmitter.start()
  return transmitter
}

const change = async (
  transmitter: Transmitter,
  what: 'add' | 'remove',
  body: object,
): Promise<Response> => call(transmitter, `POST /subjects:${what}`, { body })

const add = async (
  transmitter: Transmitter,
  stream_id: string,
  subject: Subject,
): Promise<void> => {
  expect((await change(transmitter, 'add', { stream_id, subject })).status).toBe(200)
}
const remove = async (
  transmitter: Transmitter,
  stream_id: string,
  subject: Subject,
): Promise<void> => {
  expect((await change(transmitter, 'remove', { stream_id, subject })).status).toBe(204)
}

/** Whether an event about a subject is recorded for a stream. */
async function reaches(transmitter: Transmitter, subject: SubjectInput): Promise<boolean> {
  const { deliveries } = await transmitter.transmit(SessionRevoked, subject, {})
  return deliveries.length > 0
}

describe('subjects of a stream', () => {
  it('SSF-8.1.3.2-4 SSF-8.1.3.3-2: adding is 200, removing 204, both with an empty body', async () => {
    const transmitter = await started()
    const stream_id = await createStream(transmitter)
    for (const [what, status] of [
      ['add', 200],
      ['remove', 204],
    ] as const) {
      const answer = await change(transmitter, what, { stream_id, subject: alice })
      expect(answer.status).toBe(status)
      expect(await answer.text()).toBe('')
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('SSF-7.1-17: with ALL a stream has every subject; removing one suppresses it, adding it back restores it', async () => {
    const transmitter = await started()
    const stream = await createStream(transmitter)
    expect(await reaches(transmitter, alice)).toBe(true)
    await remove(transmitter, stream, alice)
    expect(await reaches(transmitter, alice)).toBe(false)
    expect(await reaches(transmitter, { user: alice, device: laptop })).toBe(false)
    expect(await reaches(transmitter, bob)).toBe(true)
    await add(transmitter, stream, alice)
    expect(await reaches(transmitter, alice)).toBe(true)
  })

  it('SSF-7.1-18 SSF-8.1.3.1-1 SSF-8-4: with NONE only subjects that were added are sent, and a removal undoes it', async () => {
    const transmitter = await started({ subjects: { byDefault: 'NONE' } })
    const stream = await createStream(transmitter)
    expect(await reaches(transmitter, alice)).toBe(false)
    await add(transmitter, stream, alice)
    expect(await reaches(transmitter, alice)).toBe(true)
    expect(await reaches(transmitter, { user: alice, session: opaque('s') })).toBe(true)
    expect(await reaches(transmitter, bob)).toBe(false)
    await remove(transmitter, stream, alice)
    expect(await reaches(transmitter, alice)).toBe(false)
  })

  it('SSF-8.1.3.1-4 SSF-8.1.3.1-5 SSF-8.1.3.1-6: broader and narrower subjects match, different ones do not', async () => {
    const transmitter = await started({ subjects: { byDefault: 'NONE' } })
    const stream = await createStream(transmitter)
    await add(transmitter, stream, complex({ tenant: acme }))
    expect(await reaches(transmitter, { tenant: acme, user: alice })).toBe(true)
    expect(await reaches(transmitter, { tenant: opaque('other'), user: alice })).toBe(false)
    await add(transmitter, stream, complex({ user: bob, device: laptop }))
    expect(await reaches(transmitter, { user: bob })).toBe(true)
    expect(await reaches(transmitter, { user: bob, device: opaque('telephone') })).toBe(false)
  })

  it('the literal rule by option: a simple subject is no member, complex ones may have nothing in common', async () => {
    const matching = 'stream-literal'
    const transmitter = await started({ subjects: { byDefault: 'NONE', matching } })
    const stream = await createStream(transmitter)
    await add(transmitter, stream, alice)
    expect(await reaches(transmitter, alice)).toBe(true)
    expect(await reaches(transmitter, { user: alice })).toBe(false)
    await add(transmitter, stream, complex({ device: laptop }))
    expect(await reaches(transmitter, { user: bob })).toBe(true)
  })

  it('a removal takes no more than it names: of a user, one device', async () => {
    const transmitter = await started()
    const stream = await createStream(transmitter)
    await remove(transmitter, stream, complex({ user: alice, device: laptop }))
    expect(await reaches(transmitter, { user: alice, device: laptop })).toBe(false)
    expect(await reaches(transmitter, { user: alice, device: laptop, session: opaque('s') })).toBe(
      false,
    )
    expect(await reaches(transmitter, { user: alice })).toBe(true)
    expect(await reaches(transmitter, { user: alice, device: opaque('telephone') })).toBe(true)
  })

  it('the narrowest subject that was named decides', async () => {
    const transmitter = await started()
    const stream = await createStream(transmitter)
    await remove(transmitter, stream, complex({ tenant: acme }))
    await add(transmitter, stream, complex({ tenant: acme, user: alice }))
    expect(await reaches(transmitter, { tenant: acme, user: alice })).toBe(true)
    expect(await reaches(transmitter, { tenant: acme, user: bob })).toBe(false)
    const none = await started({ subjects: { byDefault: 'NONE' } })
    const other = await createStream(none)
    await add(none, other, alice)
    await remove(none, other, complex({ user: alice, device: laptop }))
    expect(await reaches(none, { user: alice, device: laptop })).toBe(false)
    expect(await reaches(none, { user: alice, device: opaque('telephone') })).toBe(true)
    // What was added by name stays when something broader is removed.
    await add(none, other, bob)
    await add(none, other, complex({ user: bob, device: laptop }))
    await remove(none, other, bob)
    expect(await reaches(none, { user: bob, device: laptop })).toBe(true)
    expect(await reaches(none, { user: bob, device: opaque('telephone') })).toBe(false)
    // With ALL, adding back leaves nothing behind that a later removal would meet.
    await remove(transmitter, stream, complex({ user: bob, device: laptop }))
    await add(transmitter, stream, complex({ user: bob, device: laptop }))
    await remove(transmitter, stream, bob)
    expect(await reaches(transmitter, { user: bob, device: laptop })).toBe(false)
  })

  it('aliases match by each of their names, on either side', async () => {
    const transmitter = await started({ subjects: { byDefault: 'NONE' } })
    const stream = await createStream(transmitter)
    const mail = email('alice@idp.example')
    await add(transmitter, stream, aliases(mail, alice))
    expect(await reaches(transmitter, mail)).toBe(true)
    expect(await reaches(transmitter, { user: alice, session: opaque('s') })).toBe(true)
    await remove(transmitter, stream, aliases(mail, alice))
    expect(await reaches(transmitter, alice)).toBe(false)
    await add(transmitter, stream, bob)
    expect(await reaches(transmitter, aliases(mail, bob))).toBe(true)
  })

  it('SSF-8.1-1 SSF-8.1.2-1: each stream has its own subjects', async () => {
    const transmitter = await started({ subjects: { byDefault: 'NONE' } })
    const [one, other] = [await createStream(transmitter), await createStream(transmitter)]
    await add(transmitter, one, alice)
    await add(transmitter, other, bob)
    const { deliveries } = await transmitter.transmit(SessionRevoked, alice, {})
    expect(deliveries.map(({ stream_id }) => stream_id)).toEqual([one])
  })

  it('SSF-8.1.3.2-6 SSF-8.1.3.3-3: 400, 401, 403 and 404', async () => {
    const transmitter = await started()
    const stream_id = await createStream(transmitter)
    for (const route of ['POST /subjects:add', 'POST /subjects:remove']) {
      const status = async (body: unknown, token?: string | null): Promise<number> =>
        (await call(transmitter, route, { body, ...(token === undefined ? {} : { token }) })).status
      expect(await status('{')).toBe(400)
      expect(await status({ subject: alice })).toBe(400)
      expect(await status({ stream_id })).toBe(400)
      expect(await status({ stream_id, subject: { format: 'email' } })).toBe(400)
      expect(await status({ stream_id, subject: alice }, null)).toBe(401)
      expect(await status({ stream_id, subject: alice }, 'token-read')).toBe(403)
      expect(await status({ stream_id: 'unknown', subject: alice })).toBe(404)
      expect(await status({ stream_id, subject: alice }, 'token-two')).toBe(404)
    }
  })

  it('a subject with too many members is 400, and the answer says why', async () => {
    const transmitter = await started()
    const stream_id = await createStream(transmitter)
    const members = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`m${index}`, opaque('x')]),
    )
    const answer = await change(transmitter, 'add', { stream_id, subject: complex(members) })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ description: expect.stringContaining('7 members') })
  })

  it('SSF-8.1.3.2-7 SSF-8.1.3.3-4: a subject nobody knows gets the answer of a known one, by the same work', async () => {
    const store = memoryStore()
    const calls: string[] = []
    const transmitter = await started({
      store: {
        open: async (name) =>
          new Proxy(await store.open(name), {
            get: (target, method) => {
              calls.push(String(method))
              return Reflect.get(target, method) as unknown
            },
          }),
      },
    })
    const stream_id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, alice, {})
    await add(transmitter, stream_id, alice)
    const work = async (what: 'add' | 'remove', subject: Subject): Promise<unknown> => {
      calls.length = 0
      const { status, headers } = await change(transmitter, what, { stream_id, subject })
      return { status, headers: [...headers], calls: [...calls] }
    }
    expect(await work('add', issSub('https://idp.example', 'nobody'))).toEqual(
      await work('add', alice),
    )
    expect(await work('remove', issSub('https://idp.example', 'nowhere'))).toEqual(
      await work('remove', alice),
    )
  })

  it('SSF-9.3-1: an event about a removed subject is sent until the grace period is over', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, subjects: { removalGraceSeconds: 3600 } })
    const stream = await createStream(transmitter)
    await remove(transmitter, stream, alice)
    expect(await reaches(transmitter, alice)).toBe(true)
    // Added again meanwhile: the removal is off.
    await remove(transmitter, stream, bob)
    await add(transmitter, stream, bob)
    await clock.advance(3_600_000)
    await clock.advance(60_000)
    expect(await reaches(transmitter, alice)).toBe(false)
    expect(await reaches(transmitter, bob)).toBe(true)
  })

  it('what waits is looked at once more: what the Receiver may not learn any more is withheld', async () => {
    let permitted = true
    const transmitter = await started({ permitEvent: () => permitted })
    const stream = await createStream(transmitter)
    const { deliveries } = await transmitter.transmit(SessionRevoked, alice, {})
    permitted = false
    const withheld = nextEvent(transmitter, 'set:withheld')
    expect((await poll(transmitter, stream)).sets).toEqual({})
    expect((await withheld).jti).toBe(deliveries[0]?.jti)
    permitted = true
    expect((await poll(transmitter, stream)).sets).toEqual({})
  })

  it('what waits is looked at once more: a subject that was removed is withheld', async () => {
    const transmitter = await started()
    const stream = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, alice, {})
    await transmitter.transmit(SessionRevoked, bob, {})
    await remove(transmitter, stream, alice)
    const sets = Object.values((await poll(transmitter, stream)).sets)
    expect(sets.map((set) => claimsOf(set).sub_id)).toEqual([bob])
  })

  it('SSF-8.1.4.1-4: the subject of the stream itself cannot be removed', async () => {
    const transmitter = await started()
    const stream = await createStream(transmitter)
    await remove(transmitter, stream, opaque(stream))
    await call(transmitter, 'POST /verify', { body: { stream_id: stream } })
    expect(Object.keys((await poll(transmitter, stream)).sets)).toHaveLength(1)
  })

  it('a push stream withholds too, and goes on with the next', async () => {
    const endpoint = await pushEndpoint()
    const transmitter = await started()
    const stream = await createStream(transmitter, pushTo(endpoint.url))
    await call(transmitter, 'POST /status', { body: { stream_id: stream, status: 'paused' } })
    await transmitter.transmit(SessionRevoked, alice, {})
    await transmitter.transmit(SessionRevoked, bob, {})
    await remove(transmitter, stream, alice)
    const delivered = nextEvent(transmitter, 'set:delivered')
    await call(transmitter, 'POST /status', { body: { stream_id: stream, status: 'enabled' } })
    await delivered
    expect(endpoint.received.map(({ set }) => claimsOf(set).sub_id)).toEqual([bob])
    await transmitter.stop()
    await endpoint.close()
  })
})
