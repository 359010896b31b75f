// Sets the stage of a scenario: a Redis, the issuers, where agents act a decision point, and two
// processes of the API that share the Redis.
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { LocalLift } from '@drawbridge/enforcement'
import type { EventType, SubjectInput } from '@drawbridge/schema'
import type { Agents } from './agents.ts'
import { startRedis } from './redis.ts'
import type { Settings, Told } from './serve.ts'
import { startProcess, type Started } from './start.ts'

/** The processes of the API by name: `one` has the Receiver, `two` hears by the ledger alone. */
export const nodes = ['one', 'two'] as const

/** One of {@link nodes}. */
export type NodeName = (typeof nodes)[number]

/** Everything that runs, and what the driver can do with it. */
export interface Stage {
  /** When it was set, by `performance.now()`. */
  readonly began: number
  /** Logs in at the identity provider and resolves with the access token. */
  logIn(secret: string, login?: Readonly<Record<string, string>>): Promise<string>
  /** Asks the identity provider for a token that is exchanged for others: RFC 8693. */
  exchange(parameters: Readonly<Record<string, string>>): Promise<string>
  /** Where a process of the API serves. */
  url(node: NodeName): string
  /** Sends a request to one process of the API: `GET /reports`. */
  request(node: NodeName, token: string, route: string): Promise<Response>
  /** Has a Transmitter say something; resolves with the SET's `jti` when it is durable there. */
  transmit<Payload extends object>(
    issuer: string,
    type: EventType<Payload>,
    subject: SubjectInput,
    payload: NoInfer<Payload>,
  ): Promise<string>
  /** Notes something in both processes, as an operator would. */
  note(name: string, value: unknown): Promise<void>
  /** Gives back, in one process, what the application took, as an operator would. */
  giveBack(node: NodeName, lift: LocalLift): Promise<void>
  /** Turns the clocks of some processes ahead. Default: of all. */
  turn(ms: number, only?: NodeName): Promise<void>
  /** What a process has told under a name until now. */
  told(node: NodeName, event: string): readonly unknown[]
  /** Resolves with the first thing that a process tells under a name and that holds. */
  happened(node: NodeName, event: string, holds: (data: never) => boolean): Promise<unknown>
  /** Ends every process, hooks and all, and removes the folder. Idempotent. */
  stop(): Promise<void>
}

/** Who takes part in a scenario, besides the identity provider and the API. */
export interface Cast {
  readonly transmitters?: readonly string[]
  /** Present where there is something for a decision point to decide. */
  readonly agents?: Agents
}

/**
 * Starts everything.
 *
 * @param name The scenario's
 */
export async function setStage(name: string, { transmitters = [], agents }: Cast): Promise<Stage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-scenario-'))
  const running: { stop(): Promise<void> }[] = []
  const stopAll = async (): Promise<void> => {
    for (const one of running.toReversed()) await one.stop()
    await rm(folder, { recursive: true, force: true })
    process.off('SIGINT', end).off('SIGTERM', end)
  }
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopAll())
  // Whoever ends the driver ends all of it.
  const end = (): void => void stop().finally(() => process.exit(1))
  process.once('SIGINT', end).once('SIGTERM', end)
  const news = createNews()
  try {
    const redis = await startRedis(folder)
    running.push(redis)
    const secret = (): string => randomBytes(32).toString('base64url')
    const settings: Settings = {
      scenario: name,
      issuers: {},
      redis: redis.url,
      decisionPoint: '',
      folder,
      secret: secret(),
      signalsToken: secret(),
      receives: false,
    }
    const start = async (module: string, more: Partial<Settings>, node?: NodeName) => {
      const started = await startProcess(module, { ...settings, ...more }, (told) => {
        if (node) news.add(node, told)
      })
      running.push(started)
      return started
    }
    const issuers = await byName(['idp', ...transmitters], () => start('../issuer-process.js', {}))
    const urls = Object.fromEntries(Object.entries(issuers).map(([id, { url }]) => [id, url]))
    const decides = agents && (await start('../decision-point-process.js', {}))
    const known = { issuers: urls, decisionPoint: decides?.url ?? '' }
    const api = await byName(nodes, (node) =>
      start('../api-process.js', { ...known, receives: node === 'one' }, node),
    )
    return { ...actsOf(issuers, api), ...news, stop, began: performance.now() }
  } catch (error) {
    await stop()
    throw error
  }
}

type ByName = Readonly<Record<string, Started>>

async function byName(
  names: readonly string[],
  start: (name: never) => Promise<Started>,
): Promise<ByName> {
  const started = await Promise.all(names.map(async (name) => [name, await start(name as never)]))
  return Object.fromEntries(started) as ByName
}

type Acts = Omit<Stage, 'began' | 'told' | 'happened' | 'stop'>

function actsOf(issuers: ByName, api: ByName): Acts {
  const named = (processes: ByName, name: string): Started => {
    const found = processes[name]
    if (!found) throw new Error(`there is no process "${name}"`)
    return found
  }
  const obtain = async (parameters: Readonly<Record<string, string>>): Promise<string> => {
    const body = new URLSearchParams(parameters)
    const answer = await fetch(`${named(issuers, 'idp').url}/token`, { method: 'POST', body })
    const { access_token } = (await answer.json()) as { access_token?: string }
    if (!access_token) throw new Error(`the token endpoint answered ${answer.status}`)
    return access_token
  }
  return {
    logIn: (secret, login = {}) => obtain({ secret, ...login }),
    exchange: obtain,
    url: (node) => named(api, node).url,
    request: (node, token, route) => {
      const [method = 'GET', pathname = '/'] = route.split(' ')
      const headers = { authorization: `Bearer ${token}` }
      return fetch(new URL(pathname, named(api, node).url), { method, headers })
    },
    transmit: async (issuer, { uri: type }, subject, payload) =>
      String(await named(issuers, issuer).ask('transmit', { type, subject, payload })),
    note: async (name, value) => {
      await Promise.all(nodes.map((node) => named(api, node).ask('note', [name, value])))
    },
    giveBack: async (node, lift) => {
      await named(api, node).ask('giveBack', lift)
    },
    turn: async (ms, only) => {
      const turned = only ? [named(api, only)] : Object.values({ ...issuers, ...api })
      await Promise.all(turned.map((one) => one.ask('turn', ms)))
    },
  }
}

/** Keeps what the processes tell, and wakes who waits for it. */
function createNews(): Pick<Stage, 'told' | 'happened'> & {
  add(node: NodeName, told: Told): void
} {
  const all: (Told & { readonly node: NodeName })[] = []
  const watch = new EventEmitter()
  const told = (node: NodeName, event: string): readonly unknown[] =>
    all.filter((one) => one.node === node && one.event === event).map(({ data }) => data)
  return {
    told,
    add: (node, one) => {
      all.push({ ...one, node })
      watch.emit('told')
    },
    happened: async (node, event, holds) => {
      const signal = AbortSignal.timeout(30_000)
      for (;;) {
        const found = told(node, event).find((data) => holds(data as never))
        if (found !== undefined) return found
        await once(watch, 'told', { signal }).catch(() => {
          throw new Error(`process ${node} did not tell "${event}" within 30 s`)
        })
      }
    },
  }
}
