// The story of S2.
import { agentKey } from '@drawbridge/enforcement'
import { issSub, opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled } from '@drawbridge/schema/risc'
import { decodeJwt } from 'jose'
import {
  expectAnswer,
  expectChange,
  expectDwell,
  expectThat,
  expectTurn,
  say,
} from '../frame/observe.ts'
import { nodes, type NodeName, type Stage } from '../frame/stage.ts'
import { exchangeGrant } from '../token-exchange.ts'
import { connectAgent, revisions, type AgentClient } from './client.ts'
import { boundaryCause } from './data-boundary.ts'
import { resource } from './resource.ts'
import type { Message } from './tell-person.ts'
import { whoOf } from './who.ts'

const refused = '401 invalid_token'
const noTool = 'This session has no access to this tool.'
const ended = 'The access of this session ended while the tool was running.'
const noFile = 'This session has no access to this file.'
const allTools = 'list_files, read_file, write_file'
const leftTools = 'list_files, read_file'
const report = { path: 'reports/q3.txt' }
const plan = { path: 'reports/q4.txt', content: 'Hire two more.' }
const read = 'GET /files'

/** One client for each process. */
type Agent = Readonly<Record<NodeName, AgentClient>>

/** Plays it. */
export async function playAgent(stage: Stage): Promise<void> {
  const alice = await stage.logIn('alice knows it')
  await expectAnswer(stage, 'Alice works in her browser', answered(alice, '200'))
  const exchange = (): Promise<string> =>
    exchangeFor(stage, alice, { secret: 'the researcher has it', task: 'quarterly-report' })
  const token = await exchange()
  const researcher = await connect(stage, token)
  const helper = await connect(
    stage,
    await exchangeFor(stage, alice, { secret: 'the helper has it' }),
  )
  try {
    await work(stage, researcher, token)
    for (const node of nodes) researcher[node].use(await exchange())
    await expectBoth(stage, 'and with a second token', { of: researcher, ask: reading, is: reads })
    await reachBoundary(stage, researcher)
    await goOn(stage, researcher, { fresh: await exchange() })
    await expectAnswer(stage, 'Alice herself', { token: alice, route: 'PUT /files', answer: '200' })
    await giveBack(stage, researcher, token)
    await reachAgain(stage, researcher)
    await signOut(stage, alice, { researcher, helper })
    await disable(stage, alice, { researcher, fresh: await exchange() })
  } finally {
    for (const { one, two } of [researcher, helper]) await Promise.all([one.close(), two.close()])
  }
  await expectMessages(stage)
}

const answered = (token: string, answer: string) => ({ token, route: read, answer })

/** The agent logs in as itself, and exchanges both tokens for one to act with. */
async function exchangeFor(
  stage: Stage,
  person: string,
  { secret, task }: { readonly secret: string; readonly task?: string },
): Promise<string> {
  const type = 'urn:ietf:params:oauth:token-type:access_token'
  return await stage.exchange({
    grant_type: exchangeGrant,
    subject_token: person,
    subject_token_type: type,
    actor_token: await stage.logIn(secret),
    actor_token_type: type,
    resource,
    ...(task !== undefined && { task }),
  })
}

async function connect(stage: Stage, token: string): Promise<Agent> {
  const connected = (node: NodeName): Promise<AgentClient> =>
    connectAgent(new URL('/mcp', stage.url(node)), token, revisions[node])
  return { one: await connected('one'), two: await connected('two') }
}

/** Asks both processes, and compares what comes back. */
async function expectBoth(
  stage: Stage,
  what: string,
  { of, ask, is }: { of: Agent; ask: (client: AgentClient) => Promise<string>; is: string },
): Promise<void> {
  const answers = await Promise.all(nodes.map((node) => ask(of[node])))
  for (const [place, answer] of answers.entries()) {
    if (answer === is) continue
    throw new Error(`${what}: process ${nodes[place]} answered ${answer}, not ${is}`)
  }
  say(stage, `${what}, in both processes: ${is}`)
}

const reading = (client: AgentClient): Promise<string> => client.call('read_file', report)
const writing = (client: AgentClient): Promise<string> => client.call('write_file', plan)
const readingBack = (client: AgentClient): Promise<string> =>
  client.call('read_file', { path: plan.path })
const reads = 'Revenue has grown.'

async function work(stage: Stage, agent: Agent, token: string): Promise<void> {
  const { sub, act, task } = decodeJwt<{ act: { sub: string } }>(token)
  say(stage, `an agent has exchanged tokens: sub ${sub}, act.sub ${act.sub}, task ${task}`)
  await expectAnswer(stage, 'its token, at the API itself', answered(token, '401'))
  await expectBoth(stage, 'its tools', { of: agent, ask: (client) => client.tools(), is: allTools })
  await expectBoth(stage, 'it reads a report', { of: agent, ask: reading, is: reads })
}

/** In process two, while a tool that writes is running in process one. */
async function reachBoundary(stage: Stage, { one, two }: Agent): Promise<void> {
  const timed = async (event: Promise<string>): Promise<{ text: string; at: number }> => {
    return { text: await event, at: performance.now() }
  }
  const running = timed(one.call('write_file', { ...report, content: '\n'.repeat(10_000) }))
  await stage.happened('one', 'write:began', () => true)
  say(stage, 'a long write is running in process one')
  const changes = [timed(one.changed()), timed(two.changed())]

  say(stage, 'it asks process two for payroll/salaries.csv')
  const acted = performance.now()
  const answer = await two.call('read_file', { path: 'payroll/salaries.csv' })
  const [write, ...lists] = await Promise.all([running, ...changes])
  const after = (at: number): string => `+${(at - acted).toFixed(0)} ms`
  expectThat(stage, `process two: ${answer}`, answer === noFile)
  const what = `${after(write.at)}  process one: write_file: ${write.text}`
  expectThat(stage, what, write.text === ended)
  for (const [place, list] of lists.entries()) {
    const told = `${after(list.at)}  process ${nodes[place]}: list_changed: ${list.text}`
    expectThat(stage, told, list.text === leftTools)
  }
  await stage.happened('one', 'write:stopped', () => true)
  say(stage, 'process one: the tool has stopped, and has kept nothing')
  await expectMessage(stage)
}

/** The process that has found it out tells the person. */
async function expectMessage(stage: Stage): Promise<void> {
  const message = (await stage.happened('two', 'message', () => true)) as Message
  const { to, agent, task, lost, cause } = message
  const text = `${agent}, for ${task}, has lost ${lost.join()} (${cause})`
  const expected = 'researcher, for quarterly-report, has lost files:write (data-boundary)'
  expectThat(stage, `process two tells ${to}: ${text}`, to === 'alice' && text === expected)
}

/** A process that ends lets its hooks finish: after that, none can come late. */
async function expectMessages(stage: Stage): Promise<void> {
  await stage.stop()
  say(stage, 'every process has ended')
  const [one, two] = nodes.map((node) => stage.told(node, 'message').length)
  const told = `Alice was told ${one} time by process one, ${two} time by process two`
  expectThat(stage, told, one === 1 && two === 1)
}

async function goOn(stage: Stage, agent: Agent, { fresh }: { fresh: string }): Promise<void> {
  await expectBoth(stage, 'it writes', { of: agent, ask: writing, is: noTool })
  await expectBoth(stage, 'it goes on reading', { of: agent, ask: reading, is: reads })
  for (const node of nodes) agent[node].use(fresh)
  say(stage, 'it exchanges for a fresh token')
  await expectBoth(stage, 'it writes with that', { of: agent, ask: writing, is: noTool })
  await expectBoth(stage, 'and it reads', { of: agent, ask: reading, is: reads })
}

/** What was taken from the agent, for this task, is given back: to whichever token it has. */
async function giveBack(stage: Stage, agent: Agent, token: string): Promise<void> {
  const changes = nodes.map((node) => agent[node].changed())
  say(stage, 'Alice has looked at it, and an operator gives the tools back')
  const on = agentKey(whoOf(decodeJwt(token)))
  await stage.giveBack('one', { on, cause: boundaryCause, by: 'operator' })
  const lists = await Promise.all(changes)
  expectThat(
    stage,
    `list_changed: ${lists[0]}`,
    lists.every((list) => list === allTools),
  )
  await expectBoth(stage, 'it writes', { of: agent, ask: writing, is: 'written' })
  await expectBoth(stage, 'and it is there', { of: agent, ask: readingBack, is: plan.content })
}

/** What was given back once is taken again. */
async function reachAgain(stage: Stage, agent: Agent): Promise<void> {
  const changes = nodes.map((node) => agent[node].changed())
  const answer = await agent.one.call('write_file', { path: 'payroll/bonus.csv', content: '' })
  expectThat(stage, `it writes payroll/bonus.csv in process one: ${answer}`, answer === ended)
  const lists = await Promise.all(changes)
  expectThat(
    stage,
    `list_changed: ${lists[0]}`,
    lists.every((list) => list === leftTools),
  )
}

/** Signing out ends what rests on the session, and nothing that was consented to for longer. */
async function signOut(
  stage: Stage,
  token: string,
  { researcher, helper }: { researcher: Agent; helper: Agent },
): Promise<void> {
  await expectBoth(stage, 'a helper works for Alice as well', {
    of: helper,
    ask: reading,
    is: reads,
  })
  const { iss = '', sub = '', sid } = decodeJwt<{ sid: string }>(token)
  const subject = { user: issSub(iss, sub), session: opaque(sid) }
  const change = { token, route: read, from: '200', to: refused }
  const jti = await expectChange(
    stage,
    { ...change, what: 'session-revoked: Alice signs out' },
    () => stage.transmit('idp', SessionRevoked, subject, { initiating_entity: 'user' }),
  )
  await expectDwell(stage, jti)
  await expectBoth(stage, 'the helper', { of: helper, ask: reading, is: refused })
  const what = 'the researcher goes on with its task'
  await expectBoth(stage, what, { of: researcher, ask: reading, is: reads })
}

async function disable(
  stage: Stage,
  token: string,
  { researcher, fresh }: { researcher: Agent; fresh: string },
): Promise<void> {
  const { iss = '', sub = '' } = decodeJwt(token)
  const what = "account-disabled: Alice's"
  const ends = nodes.map((node) => researcher[node].ended())
  const ask = async (node: NodeName): Promise<string> => {
    const answer = await reading(researcher[node])
    return answer === reads ? 'it reads' : answer
  }
  const turn = { what, from: 'it reads', to: refused, ask }
  const jti = await expectTurn(stage, turn, () =>
    stage.transmit('idp', AccountDisabled, issSub(iss, sub), { reason: 'hijacking' }),
  )
  await expectDwell(stage, jti)
  await Promise.all(ends)
  say(stage, 'the streams on which it was told of changes have ended in both processes')
  for (const node of nodes) researcher[node].use(fresh)
  await expectBoth(stage, 'with a fresh token', { of: researcher, ask: reading, is: refused })
}
