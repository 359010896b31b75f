import { EventEmitter, once } from 'node:events'
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  InMemoryServerEventBus,
  McpServer,
  type ScopeChallengeHandler,
} from '@modelcontextprotocol/server'
import { DeviceComplianceChange } from '@drawbridge/schema/caep'
import {
  createPolicy,
  memoryLedger,
  type Ledger,
  type LedgerFollower,
} from '@drawbridge/enforcement'
import { guardMcp, type GuardMcpOptions } from '@drawbridge/enforcement/mcp'
import {
  agentClaims,
  connect,
  resourceMetadata,
  revisions,
  serveMcp,
  type McpSite,
  type SiteOptions,
} from './mcp-site.ts'
import {
  alice,
  compliant,
  entryWith,
  laptop,
  notCompliant,
  noon,
  revoked,
  startedNode,
} from './signals.ts'

const parameter = `resource_metadata="${resourceMetadata}"`
const listTools = { method: 'tools/list' }

/** Closes what a test opened. */
const opened: McpSite[] = []
const site = async (options?: SiteOptions): Promise<McpSite> => {
  const one = await serveMcp(options)
  opened.push(one)
  return one
}
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

describe('the HTTP answer of a guarded MCP server', () => {
  it('is 401 with the metadata, and no error code, for a request without a token', async () => {
    const { post } = await site()
    const { status, headers } = await post(undefined, listTools)
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe(`Bearer ${parameter}`)
    expect(headers.get('cache-control')).toBe('no-store')
  })
  it('is 401 invalid_token for a token that nobody knows', async () => {
    const { post } = await site()
    const { status, headers } = await post('unknown', listTools)
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", .*, resource_/)
    expect(headers.get('www-authenticate')).toContain(parameter)
  })
  it('is 401 with the metadata for a session that has ended, before the body is read', async () => {
    const { post, token, node } = await site()
    await node.enforcement.apply(revoked({ user: alice }))
    const { status, headers } = await post(token(), { method: 'not JSON-RPC' })
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
    expect(headers.get('www-authenticate')).toContain(parameter)
  })
  it('asks for the authentication that a signal wants', async () => {
    const policy = createPolicy([
      { on: DeviceComplianceChange, effect: 'reauthenticate', terms: { acr: 'phr' } },
    ])
    const { post, token, node } = await site({ enforcement: { policy } })
    await node.enforcement.apply(notCompliant({ device: laptop }))
    const { status, headers } = await post(token(), listTools)
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toMatch(
      /error="insufficient_user_authentication".*acr_values="phr".*resource_metadata=/,
    )
  })
  it('is 503, and challenges nobody, while access cannot be checked', async () => {
    const { post, token, node } = await site()
    await node.enforcement.stop()
    const { status, headers } = await post(token(), listTools)
    expect([status, headers.get('www-authenticate')]).toEqual([503, null])
  })
  it('serves no earlier revision where that is switched off', async () => {
    const { post, token, url } = await site({ handler: { legacy: 'reject' } })
    const bearer = token()
    const get = await fetch(url, {
      headers: { authorization: `Bearer ${bearer}`, accept: 'text/event-stream' },
    })
    expect(get.status).toBe(405)
    expect((await post(bearer, listTools)).status).toBe(400)
  })
})

describe.each(revisions)('a guarded MCP server for clients of %s', (_, negotiation) => {
  it('asks for the scopes of a tool that a new token would open', async () => {
    const one = await site()
    const token = one.token({ ...agentClaims, scope: 'files:read' })
    const { client, last } = await connect(one, token, negotiation)
    await expect(client.callTool({ name: 'write', arguments: {} })).rejects.toThrow()
    expect(last().status).toBe(403)
    const challenge = last().headers.get('www-authenticate')
    expect(challenge).toContain('error="insufficient_scope"')
    expect(challenge).toContain('scope="files:write"')
    expect(challenge).toContain(parameter)
    expect(one.node.told('request:denied')).toHaveLength(1)
    await client.close()
  })
  it('asks for no scope that a signal has taken', async () => {
    const one = await site()
    await one.node.enforcement.apply(notCompliant({ device: laptop }))
    const token = one.token({ ...agentClaims, scope: 'files:read' })
    const { client, last } = await connect(one, token, negotiation)
    expect(await client.callTool({ name: 'write', arguments: {} })).toHaveProperty('isError', true)
    expect([last().status, last().headers.get('www-authenticate')]).toEqual([200, null])
    expect(one.node.told('request:denied')).toHaveLength(1)
    await client.close()
  })
  it("leaves the application's own challenge to those who may use the tool", async () => {
    const scopeChallenge: ScopeChallengeHandler = () => ({ scopes: ['payment'] })
    const one = await site({
      server: (guard) => {
        const server = guard(new McpServer({ name: 'files', version: '1.0.0' }))
        const config = { requires: ['files:write'], scopeChallenge }
        server.registerTool('write', config, () => ({ content: [] }))
        return server
      },
    })
    const { client, last } = await connect(one, one.token(), negotiation)
    await expect(client.callTool({ name: 'write' })).rejects.toThrow()
    expect(last().headers.get('www-authenticate')).toContain('scope="payment"')
    await one.node.enforcement.apply(notCompliant({ device: laptop }))
    expect(await client.callTool({ name: 'write' })).toHaveProperty('isError', true)
    await client.close()
  })
  it('lists for one session and this moment, and counts no list as a denial', async () => {
    const one = await site()
    await one.node.enforcement.apply(notCompliant({ device: laptop }))
    const { client, last } = await connect(one, one.token(), negotiation)
    const list = await client.listTools()
    expect(last().headers.get('cache-control')).toMatch(/^no-(store|cache)/)
    const hints = { ttlMs: 0, cacheScope: 'private' }
    if (negotiation.mode !== 'legacy') expect(list).toMatchObject(hints)
    else expect(list).not.toHaveProperty('cacheScope')
    expect(one.node.told('request:denied')).toEqual([])
    await client.close()
  })
  it('tells of what another node took and gave back', async () => {
    let follower: LedgerFollower | undefined
    const ledger: Ledger = {
      ...memoryLedger(),
      follow: async (one) => {
        follower = one
        one.heard()
      },
    }
    const one = await site({ enforcement: { ledger } })
    const { client, change } = await connect(one, one.token(), negotiation)
    const entry = entryWith({
      effect: 'restrict',
      terms: { take: ['files:write'] },
      reaches: 'all',
    })
    follower?.put([entry])
    expect(await change()).toEqual(['about', 'read'])
    follower?.put([{ ...entry, since: noon + 1, lifted: true }])
    expect(await change()).toContain('write')
    await client.close()
  })
  it('tells everybody what the application publishes', async () => {
    const one = await site()
    const { client, change } = await connect(one, one.token(), negotiation)
    one.guard.notify.promptsChanged()
    one.guard.notify.toolsChanged()
    expect(await change()).toContain('write')
    await client.close()
  })
  it('ends the stream of a session that has ended', async () => {
    const { bus, left } = watchedBus()
    const one = await site({ handler: { bus } })
    const { client } = await connect(one, one.token(), negotiation)
    expect(bus.listenerCount).toBe(1)
    const leaving = once(left, 'left')
    await one.node.enforcement.apply(revoked({ user: alice }))
    await leaving
    expect(bus.listenerCount).toBe(0)
    await client.close()
  })
  it('forgets who listens no more', async () => {
    const { bus, left } = watchedBus()
    const one = await site({ handler: { bus } })
    const { client } = await connect(one, one.token(), negotiation)
    const leaving = once(left, 'left')
    await client.close()
    await leaving
    expect(bus.listenerCount).toBe(0)
    const before = one.looks()
    await one.node.enforcement.apply(notCompliant({ device: laptop }))
    expect(one.looks()).toBe(before)
  })
  it('lets no more listen than it is told to, and the next when one has left', async () => {
    const { bus, left } = watchedBus()
    const one = await site({ handler: { bus, maxSubscriptions: 1 } })
    const first = await connect(one, one.token(), negotiation)
    const second = await connect(one, one.token(), negotiation)
    await one.node.enforcement.apply(notCompliant({ device: laptop }))
    expect(await first.change()).toEqual(['about', 'read'])
    expect(await second.names()).toEqual(['about', 'read'])
    expect(second.changes()).toBe(0)
    const leaving = once(left, 'left')
    await first.client.close()
    await leaving
    const third = await connect(one, one.token(), negotiation)
    await one.node.enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    expect(await third.change()).toContain('write')
    await second.client.close()
    await third.client.close()
  })
  it('ends all streams when it is closed', async () => {
    const { bus, left } = watchedBus()
    const one = await site({ handler: { bus } })
    const { client } = await connect(one, one.token(), negotiation)
    const leaving = once(left, 'left')
    await one.guard.close()
    await leaving
    expect(bus.listenerCount).toBe(0)
    await client.close()
  })
  it('aborts a call whose client has gone', async () => {
    const one = await site()
    const { client } = await connect(one, one.token(), negotiation)
    const began = once(one.told, 'write:began')
    const aborted = once(one.told, 'write:aborted')
    const calling = client.callTool({ name: 'write', arguments: { path: 'obedient' } })
    const outcome = calling.then(() => 'answered').catch(() => 'rejected')
    await began
    await client.close()
    await aborted
    expect(await outcome).toBe('rejected')
  })
  it("puts its own hints over the application's where it lists tools", async () => {
    const cacheHints = { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } } as const
    const one = await site({
      server: (guard) => {
        const server = guard(new McpServer({ name: 'files', version: '1.0.0' }, { cacheHints }))
        server.registerTool('about', { requires: [] }, () => ({ content: [] }))
        return server
      },
    })
    const { client } = await connect(one, one.token(), negotiation)
    const { cacheScope = 'private', ttlMs = 0 } = await client.listTools()
    expect({ cacheScope, ttlMs }).toEqual({ cacheScope: 'private', ttlMs: 0 })
    await client.close()
  })
  it('serves nothing from a server that the guard was not put into', async () => {
    const one = await site({
      server: () => new McpServer({ name: 'files', version: '1.0.0' }),
    })
    await expect(connect(one, one.token(), negotiation)).rejects.toThrow()
    expect(one.errors.map(({ message }) => message)).toContain(
      '"server" must return what "guard" returned',
    )
  })
})

describe('the stream of changes for clients of 2025-11-25', () => {
  const get = (one: McpSite, accept = 'text/event-stream'): Promise<Response> =>
    fetch(one.url, { headers: { authorization: `Bearer ${one.token()}`, accept } })

  it('closes its server when the client has left', async () => {
    const told = new EventEmitter()
    const one = await site({
      server: (guard, { requestInfo }) => {
        const server = guard(new McpServer({ name: 'files', version: '1.0.0' }))
        server.registerTool('about', { requires: [] }, () => ({ content: [] }))
        const onclose = () => told.emit('closed')
        if (requestInfo?.method === 'GET') Object.assign(server.server, { onclose })
        return server
      },
    })
    const closed = once(told, 'closed')
    const response = await get(one)
    await response.body?.cancel()
    await closed
    expect(response.headers.get('content-type')).toBe('text/event-stream')
  })
  it('is nothing that listens where the client takes no stream', async () => {
    const { bus, joined } = watchedBus()
    const one = await site({ handler: { bus } })
    expect((await get(one, 'application/json')).status).toBe(406)
    expect(joined()).toBe(0)
  })
  it('is 500, and told, where the server cannot be made', async () => {
    const one = await site({
      server: () => {
        throw new RangeError('no tools')
      },
    })
    expect((await get(one)).status).toBe(500)
    expect(one.errors).toMatchObject([{ message: 'no tools' }])
  })
  it('says nothing of what its server does not have', async () => {
    const one = await site()
    const { client, change } = await connect(one, one.token(), { mode: 'legacy' })
    one.guard.notify.promptsChanged()
    one.guard.notify.toolsChanged()
    expect(await change()).toContain('write')
    await client.close()
  })
})

describe('what the guard of an MCP server is made of', () => {
  const made = (change: Readonly<Record<string, unknown>>) => async () => {
    const { enforcement } = await startedNode()
    const identify = () => undefined
    const server: GuardMcpOptions['server'] = (guard) =>
      guard(new McpServer({ name: 'files', version: '1.0.0' }))
    const options: GuardMcpOptions = { identify, server, resourceMetadata }
    guardMcp(enforcement, { ...options, ...change })
  }
  it('is checked at once, with all mistakes together', async () => {
    await expect(made({})()).resolves.toBeUndefined()
    const wrong = { identify: 1, server: 'files', resourceMetadata: 'files', scopes: [] }
    await expect(made(wrong)()).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      mistakes: [
        '"scopes" is not an option',
        '"identify" must be a function of the request',
        '"server" must be a function that makes an McpServer',
        '"resourceMetadata" must be an https URL',
      ],
    })
    expect(() => guardMcp({} as never, {} as never)).toThrow('createEnforcement(options)')
  })
  it.each<[string, object, { requires?: string[] }, string]>([
    ['has tools already', { capabilities: { tools: {} } }, {}, '"guard" before it registers'],
    ['names what can be no grant', {}, { requires: ['two words'] }, '"requires" of "write"'],
    [
      'names one grant for a list',
      {},
      { requires: 'files:write' as never },
      '"requires" of "write"',
    ],
  ])('is refused with each request for a server that %s', async (...[, options, config, why]) => {
    const one = await site({
      server: (guard) => {
        const server = guard(new McpServer({ name: 'files', version: '1.0.0' }, options))
        server.registerTool('write', config, () => ({ content: [] }))
        return server
      },
    })
    const { status } = await one.post(one.token(), listTools)
    expect(status).toBe(500)
    expect(one.errors.map(({ message }) => message)).toEqual([expect.stringContaining(why)])
  })
  it('watches the enforcement no more when it is closed', async () => {
    const { enforcement } = await startedNode()
    const watched = new Set<string>()
    const { on, off } = enforcement.events
    const events: typeof enforcement.events = {
      ...enforcement.events,
      on: (name, listener) => {
        watched.add(name)
        return on(name, listener)
      },
      off: (name, listener) => {
        watched.delete(name)
        return off(name, listener)
      },
    }
    const { close } = guardMcp(
      { ...enforcement, events },
      {
        identify: () => undefined,
        server: (guard) => guard(new McpServer({ name: 'files', version: '1.0.0' })),
        resourceMetadata,
      },
    )
    expect(watched.size).toBeGreaterThan(0)
    await close()
    expect(watched.size).toBe(0)
  })
  it('rejects with what "identify" throws', async () => {
    const { enforcement } = await startedNode()
    const { fetch } = guardMcp(enforcement, {
      identify: () => {
        throw new RangeError('no keys')
      },
      server: (guard) => guard(new McpServer({ name: 'files', version: '1.0.0' })),
      resourceMetadata,
    })
    await expect(fetch(new Request('https://files.example/mcp'))).rejects.toThrow('no keys')
  })
})

/** A bus that says when somebody has left, and how many have come. */
function watchedBus(): {
  bus: InMemoryServerEventBus
  left: EventEmitter
  joined(): number
} {
  const left = new EventEmitter()
  let joined = 0
  const bus = new InMemoryServerEventBus()
  const subscribe = bus.subscribe.bind(bus)
  bus.subscribe = (listener) => {
    joined += 1
    const leave = subscribe(listener)
    return () => {
      leave()
      left.emit('left')
    }
  }
  return { bus, left, joined: () => joined }
}
