import { issSub, jwtId, opaque, subjectOf, type SubjectInput } from '@drawbridge/schema'
import type { AccessDecision, AccessDenied } from '../guard/access-decision.ts'
import type { Effect } from '../effect.ts'
import type { ContractTest } from '../ledger/contract.ts'
import { delegatorsOf } from '../delegation.ts'
import type { Who } from '../who.ts'
import type { RegisteredSession, SessionStore } from './sessions.ts'

/** Makes a store without sessions. */
export type MakeSessionStore = () => SessionStore | Promise<SessionStore>

/**
 * Registers the tests that every {@link SessionStore} passes. Needs no test runner of its own.
 *
 * @example
 *   sessionsContract(it, () => memorySessions())
 */
export function sessionsContract(test: ContractTest, make: MakeSessionStore): void {
  for (const [name, run] of Object.entries({ ...keeping, ...finding, ...registering })) {
    test(name, async () => run(await make()))
  }
}

type ContractTests = Record<string, (store: SessionStore) => Promise<void>>

const keeping: ContractTests = {
  'what was put is read, whole': async (store) => {
    await store.put(whole)
    same(textOf(await store.read('s1')), textOf(whole), 'the session')
    same(await store.read('s2'), undefined, 'a session that was not put')
  },
  'what the caller changes afterwards changes nothing': async (store) => {
    const grants = ['read']
    await store.put(session('s1', { user: alice }, { grants }))
    grants.push('write')
    same((await store.read('s1'))?.grants?.join(), 'read', '"grants"')
  },
  'the same id again takes the place, under its new names alone': async (store) => {
    await store.put(session('s1', { user: alice, device: phone }))
    await store.put(session('s1', { user: bob, device: phone }))
    await finds(store, alice, [])
    await finds(store, bob, ['s1'])
    await finds(store, phone, ['s1'])
  },
  'what was removed is gone, and removing it again does nothing': async (store) => {
    await store.put(session('s1', { user: alice }))
    await store.put(session('s2', { user: alice }))
    await store.remove('s1')
    await store.remove('s1')
    same(await store.read('s1'), undefined, 'the session')
    await finds(store, alice, ['s2'])
  },
  'what has expired is not read and not found': async (store) => {
    await store.put(session('s1', { user: alice }, { expires: new Date(Date.now() - 1) }))
    await store.put(session('s2', { user: alice }, { expires: inAnHour() }))
    same(await store.read('s1'), undefined, 'the session')
    await finds(store, alice, ['s2'])
  },
  'a session lives on when it is put again with a later end, or with none': async (store) => {
    for (const [id, later] of [['s1', { expires: inAnHour() }] as const, ['s2', {}] as const]) {
      await store.put(session(id, { user: alice }, { expires: new Date(Date.now() - 1) }))
      await store.put(session(id, { user: alice }, later))
    }
    await finds(store, alice, ['s1', 's2'])
  },
  'a purge removes nothing that has not expired': async (store) => {
    await store.put(session('s1', { user: alice }, { expires: inAnHour() }))
    await store.put(session('s2', { user: alice }))
    await store.purge(Date.now() / 1000)
    await finds(store, alice, ['s1', 's2'])
  },
  'writes of one id at the same time leave one session, under its own names': async (store) => {
    const people = ['a', 'b', 'c', 'd', 'e'].map((sub) => issSub(issuer, sub))
    await Promise.all(people.map((user) => store.put(session('s1', { user }))))
    const found = await Promise.all(people.map((user) => store.find(user)))
    same(found.flat().length, 1, 'the number found')
    await store.remove('s1')
    for (const user of people) await finds(store, user, [])
  },
  'texts with any characters are texts': async (store) => {
    for (const [number, text] of hostileTexts.entries()) {
      await store.put(
        session(text, { user: alice, [text]: opaque(`${number}`), key: opaque(text) }),
      )
    }
    for (const [number, text] of hostileTexts.entries()) {
      same((await store.read(text))?.id, text, 'the id')
      await finds(store, { key: opaque(text) }, [text])
      await finds(store, { [text]: opaque(`${number}`) }, [text])
      await finds(store, { [text]: opaque(text) }, [])
    }
    for (const text of hostileTexts) await store.remove(text)
    await finds(store, alice, [])
  },
}

const finding: ContractTests = {
  'a session is found by each of its names, of every kind': async (store) => {
    await store.put(whole)
    await store.put(session('s2', { user: bob }))
    for (const [name, identifier] of Object.entries(everyName)) {
      await finds(store, identifier, ['s1'])
      await finds(store, { [name]: identifier }, ['s1'])
      await finds(store, { [name]: opaque('another') }, [])
    }
  },
  'every member of the subject has to be in the session': async (store) => {
    await store.put(session('s1', { user: alice, device: phone }))
    await store.put(session('s2', { user: alice }))
    await store.put(session('s3', { user: bob, device: phone }))
    await finds(store, { user: alice, device: phone }, ['s1'])
    await finds(store, { user: alice, tenant: opaque('acme') }, [])
    await finds(store, { device: alice }, [])
  },
  'a session is found by any name of aliases, and once': async (store) => {
    const names = { format: 'aliases', identifiers: [alice, opaque('a-1')] } as const
    await store.put(session('s1', { user: names }, { issuer }))
    await store.put(session('s2', { user: alice }))
    await finds(store, opaque('a-1'), ['s1'])
    await finds(store, names, ['s1', 's2'])
  },
  'a session is found by its delegators, and by what it does for them': async (store) => {
    const agent = { user: issSub(issuer, 'agent'), task: opaque('t-1') }
    const browser = whoIs({ user: alice, session: opaque('w') })
    const helper = whoIs({ user: issSub(issuer, 'helper') }, { delegator: browser })
    await store.put(session('s1', agent, { kind: 'agent', delegator: whoIs({ user: alice }) }))
    await store.put(session('s2', agent, { delegator: helper }))
    await store.put(session('s3', agent, { delegator: whoIs({ user: bob }) }))
    await finds(store, alice, ['s1', 's2'])
    await finds(store, { user: alice, session: opaque('w') }, ['s2'])
    await finds(store, { user: issSub(issuer, 'helper') }, ['s2'])
    await finds(store, agent, ['s1', 's2', 's3'])
    await finds(store, { user: bob, actor: agent.user, task: agent.task }, ['s3'])
    await store.remove('s1')
    await finds(store, alice, ['s2'])
  },
  'a session of a grant is not found by the session in which it was given': async (store) => {
    const delegator = whoIs({ user: alice, session: opaque('w'), device: phone })
    const agent = { user: issSub(issuer, 'agent') }
    await store.put(session('s1', agent, { delegator, endsWith: 'grant' }))
    await finds(store, alice, ['s1'])
    await finds(store, { user: alice, session: opaque('w') }, [])
    await finds(store, phone, [])
  },
  'a subject without members finds nothing': async (store) => {
    await store.put(session('s1', { user: alice }))
    same((await store.find({ format: 'complex' })).length, 0, 'the number found')
  },
  'very many sessions are found, each once': async (store) => {
    const ids = Array.from({ length: 1200 }, (_, number) => `s${number}`)
    const user = (number: number) => issSub(issuer, `${number % 100}`)
    const tenant = opaque('acme')
    await Promise.all(ids.map((id, at) => store.put(session(id, { user: user(at), tenant }))))
    await finds(store, tenant, ids)
    await finds(
      store,
      { user: user(7), tenant },
      ids.filter((_, at) => at % 100 === 7),
    )
  },
  '"find" is bound': async ({ find, put }) => {
    await put(session('s1', { user: alice }))
    same((await find(alice)).length, 1, 'the number found')
  },
}

const registering: ContractTests = {
  'the enforcement is asked when the session is there already': async (store) => {
    let there: Promise<readonly RegisteredSession[]> | undefined
    const check = (): AccessDecision => {
      there = store.find(alice)
      return { outcome: 'allow', causes: [] }
    }
    const { outcome } = await store.register(session('s1', { user: alice }), { check })
    same(outcome, 'allow', 'the outcome')
    same((await there)?.length, 1, 'the number found meanwhile')
  },
  'a session that is terminated is removed again': async (store) => {
    const { outcome } = await store.register(session('s1', { user: alice }), denies('terminate'))
    same(outcome, 'refuse', 'the outcome')
    same(await store.read('s1'), undefined, 'the session')
    await finds(store, alice, [])
  },
  'a session that can be given back is kept': async (store) => {
    for (const effect of ['suspend', 'reauthenticate', undefined] as const) {
      await store.register(session('s1', { user: alice }), denies(effect))
      await finds(store, alice, ['s1'])
      await store.remove('s1')
    }
  },
  'every mistake is named and nothing is kept': async (store) => {
    const bad = { id: '', subject: { user: alice } } as unknown as RegisteredSession
    const mistake = await store.register(bad, denies('terminate')).then(
      () => undefined,
      (error: unknown) => error as { readonly code?: string; readonly message: string },
    )
    same(mistake?.code, 'ERR_INVALID_ARG_VALUE', 'the error code')
    for (const name of ['"session.id"', '"session.began"']) {
      same(mistake?.message.includes(name), true, `that ${name} is named`)
    }
    await finds(store, alice, [])
  },
}

const issuer = 'https://idp.example'
const alice = issSub(issuer, 'alice')
const bob = issSub(issuer, 'bob')
const phone = opaque('phone')

/** Members of a subject: those of the specification, and others. */
const everyName = {
  user: alice,
  device: phone,
  session: opaque('login-1'),
  tenant: opaque('acme'),
  application: opaque('crm'),
  group: opaque('sales'),
  org_unit: opaque('north'),
  token: jwtId(issuer, 'jti-1'),
  credential: opaque('credential-1'),
  key: opaque('thumbprint-1'),
  'https://app.example/robot': opaque('robot-1'),
}

const hostileTexts = [
  'a:b',
  '{a}',
  '}{',
  'a b',
  'a\nb',
  'a\0b',
  '\0',
  '*',
  '__proto__',
  'constructor',
  '"',
  '\ud800',
  '\udfff',
  '\u{1f980}',
  'x'.repeat(5000),
]

const session = (
  id: string,
  subject: SubjectInput,
  more: Partial<RegisteredSession> = {},
): RegisteredSession => ({ id, subject, began: new Date(1_795_000_000_000), ...more })

const whoIs = (subject: SubjectInput, more: Partial<Who> = {}): Who => ({
  subject,
  began: new Date(1_794_999_000_000),
  ...more,
})

const inAnHour = (): Date => new Date(Date.now() + 3_600_000)

const whole: RegisteredSession = session('s1', everyName, {
  issuer,
  beganIsLocal: true,
  kind: 'agent',
  acr: 'urn:example:mfa',
  grants: ['files:read', 'files:write'],
  delegator: whoIs(
    { user: issSub(issuer, 'carol'), session: opaque('w') },
    { acr: 'mfa', delegator: whoIs({ user: issSub(issuer, 'dave') }), endsWith: 'session' },
  ),
  endsWith: 'grant',
  expires: new Date(8_640_000_000_000_000),
})

const denies = (effect: Effect | undefined): { check(): AccessDenied } => ({
  check: () => ({
    outcome: effect === 'reauthenticate' ? 'challenge' : 'refuse',
    ...(effect && { effect }),
    causes: [],
    response: () => new Response(null, { status: 401 }),
  }),
})

/** The store finds these sessions and no others, in one piece and one by one. */
async function finds(store: SessionStore, on: SubjectInput, ids: readonly string[]): Promise<void> {
  const subject = subjectOf(on)
  const found = (await store.find(subject)).map(({ id }) => id)
  same(JSON.stringify(found.toSorted()), JSON.stringify(ids.toSorted()), 'what "find" finds')
  const each: string[] = []
  for await (const { id } of store.each(subject)) each.push(id)
  same(JSON.stringify(each.toSorted()), JSON.stringify(ids.toSorted()), 'what "each" gives')
}

/** A session as text, in which a date and its text are told apart. */
function textOf(one: RegisteredSession | undefined): string {
  const dates = [one?.began, one?.expires, ...delegatorsOf(one ?? {}).map(({ began }) => began)]
  return [JSON.stringify(one, inOrder), ...dates.map((date) => date?.getTime())].join('\n')
}

/** The order of members says nothing. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

function same(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) {
    throw new Error(`${what} must be ${String(expected)}, and is ${String(actual)}`)
  }
}
