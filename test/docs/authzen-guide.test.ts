import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { getCedarSDKVersion } from '@cedar-policy/cedar-wasm/nodejs'
import { createEnforcement, memoryLedger, recommendedPolicy } from '@drawbridge/enforcement'
import {
  createDecisionPoint,
  type DecisionPoint,
  type EvaluationRequest,
} from '@drawbridge/enforcement/authzen'
import { issSub } from '@drawbridge/schema'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { end, freePorts } from '../support/child.ts'
import { blocksOf, compile, root } from '../support/snippets.ts'

const asking = (
  [type, id]: readonly [string, string],
  name: string,
  resource: EvaluationRequest['resource'],
  more: { properties?: Record<string, unknown>; context?: Record<string, unknown> } = {},
): EvaluationRequest => {
  const { properties, context } = more
  return {
    subject: { type, id, ...(properties && { properties }) },
    action: { name },
    resource,
    ...(context && { context }),
  }
}
const alice = ['user', 'alice'] as const
const file = { type: 'file', id: '/a' }
const tool = (writes: boolean): EvaluationRequest['resource'] => {
  return { type: 'tool', id: 'search', properties: { writes } }
}
const agentOf = (on_behalf_of: string) => ({ properties: { on_behalf_of } })
const call = (writes: boolean, more: object = {}): EvaluationRequest =>
  asking(['agent', 'agent-7'], 'call', tool(writes), more)

describe('docs/guides/authzen.md', () => {
  let folder: string
  let cedar: ChildProcess | undefined
  let url: string
  /** The URLs that the client asked. */
  let asked: string[] = []
  const client = (onError: 'deny' | 'permit' = 'deny'): DecisionPoint =>
    createDecisionPoint({
      url,
      onError,
      allowInsecureHttp: true,
      fetch: (input, init) => {
        asked.push(String(input))
        return fetch(input, init)
      },
    })

  beforeAll(async () => {
    folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    const [port] = await freePorts()
    url = `http://127.0.0.1:${port}`
    const programs = await blocksOf('docs/guides/authzen.md')
    expect([...programs.keys()]).toEqual([
      'authzen.ts',
      'rules.ts',
      'tools.ts',
      'endpoint.ts',
      'cedar.ts',
    ])
    for (const [name, code] of programs) {
      await writeFile(path.join(folder, name), code.replaceAll('8181', String(port)))
    }
    await compile(folder)
    cedar = spawn(process.execPath, ['cedar.js'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [said] = (await Promise.race([
      once(cedar.stdout as NodeJS.ReadableStream, 'data'),
      once(cedar.stderr as NodeJS.ReadableStream, 'data'),
    ])) as [Buffer]
    expect(String(said).trim()).toBe(`decides at ${url}`)
  })
  afterAll(async () => {
    await end(cedar)
    await rm(folder, { recursive: true, force: true })
  })

  it('names the version of Cedar that it was tried with', async () => {
    const text = await readFile(path.join(root, 'docs/guides/authzen.md'), 'utf8')
    const [, major] = /`@cedar-policy\/cedar-wasm` (\d+)/.exec(text) ?? []
    expect(getCedarSDKVersion().split('.')[0]).toBe(major)
  })

  it.each<[string, EvaluationRequest, boolean]>([
    ['permits what a policy permits', asking(alice, 'read', file), true],
    ['denies what none does', asking(['user', 'mallory'], 'read', file), false],
    ['denies another type of resource', asking(alice, 'read', tool(false)), false],
    ['denies what a policy forbids', asking(alice, 'delete', file), false],
    ['permits it by the context', asking(alice, 'delete', file, { context: { acr: 'mfa' } }), true],
    ['denies it by the context', asking(alice, 'delete', file, { context: { acr: 'pwd' } }), false],
    ['permits by attributes of both', call(false, agentOf('alice')), true],
    ['denies by an attribute of the resource', call(true, agentOf('alice')), false],
    ['denies by an attribute of the subject', call(false, agentOf('mallory')), false],
  ])('has a Cedar decision point that %s', async (_, request, decision) => {
    const answer = await client().evaluate(request)
    expect(answer).toEqual({ decision, requestId: expect.any(String) })
  })

  it('has one that decides nothing where a policy fails, or the question is none for it', async () => {
    for (const request of [call(false), asking(['us er', 'alice'], 'read', file)]) {
      const [denied, permitted] = [client(), client('permit')]
      const failure = { code: 'ERR_PEER_ANSWER', message: expect.stringContaining('400') }
      expect(await denied.evaluate(request)).toMatchObject({ decision: false, failure })
      expect(await permitted.evaluate(request)).toMatchObject({ decision: true, failure })
    }
  })

  it('has one that answers 400 to what is no question, and goes on', async () => {
    const subject = { type: 'user', id: 'alice' }
    const action = { name: 'read' }
    const bodies = [
      'nonsense',
      '{}',
      'null',
      JSON.stringify({ subject, action }),
      JSON.stringify({ subject: { type: 'user' }, action, resource: file }),
      JSON.stringify({ subject, action: { name: 7 }, resource: file }),
      JSON.stringify({ subject, action, resource: file, context: 'mfa' }),
    ]
    for (const body of bodies) {
      const response = await fetch(`${url}/access/v1/evaluation`, { method: 'POST', body })
      expect([body, response.status]).toEqual([body, 400])
    }
    expect((await fetch(`${url}/access/v1/evaluation`)).status).toBe(404)
    expect(await client().evaluate(asking(alice, 'read', file))).toMatchObject({ decision: true })
  })

  it('has one that is asked for several one by one, once for each', async () => {
    asked = []
    const reads = asking(alice, 'read', file)
    const requests = [reads, asking(alice, 'delete', file), call(false, agentOf('alice')), reads]
    const answers = await client().evaluateAll(requests)
    expect(answers.map(({ decision }) => decision)).toEqual([true, false, true, true])
    const one = `${url}/access/v1/evaluation`
    expect(asked).toEqual([`${url}/.well-known/authzen-configuration`, one, one, one])
  })

  it('has one whose metadata are its own: asked by another name, it is not believed', async () => {
    const other = 'http://pdp.example'
    const answer = await createDecisionPoint({
      url: other,
      onError: 'deny',
      allowInsecureHttp: true,
      fetch: (input, init) => fetch(String(input).replace(other, url), init),
    }).evaluate(asking(alice, 'read', file))
    expect(answer).toMatchObject({ decision: false, failure: { code: 'ERR_PEER_ISSUER' } })
  })

  it('has one that a guard asks, and whose refusal takes nothing from the session', async () => {
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    await enforcement.start()
    const user = issSub('https://idp.example', 'alice')
    const who = { subject: { user }, began: new Date() }
    const point = client()
    const outcomes = [{}, { context: { acr: 'mfa' } }].map(async (more) => {
      const evaluation = asking(alice, 'delete', file, more)
      const decided = await point.check(enforcement, who, { requires: [], evaluation })
      return decided.outcome === 'allow' ? 200 : decided.response().status
    })
    expect(await Promise.all(outcomes)).toEqual([403, 200])
    expect(enforcement.explain(who).taken).toEqual([])
    await enforcement.take({ on: user, cause: 'operator', effect: 'suspend' })
    const evaluation = asking(alice, 'read', file)
    const before = asked.length
    const refused = await point.check(enforcement, who, { requires: [], evaluation })
    expect([refused.outcome, asked.length - before]).toEqual(['refuse', 0])
    await enforcement.stop()
  })
})
