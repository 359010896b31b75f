import { startAgent, type Agent } from '../agent.ts'
import type { Apps } from '../apps.ts'
import { agentId } from '../settings.ts'
import { expectAnswer, expectStatus, expectThat, signal } from '../timeline.ts'
import { browserOn, logIn, sidOn } from './person.ts'

/** How much it is to write: more than it gets to. */
const wantedLines = 500

/**
 * Alice sends an agent. It is writing when its risk becomes high: the write is aborted, the tool is
 * gone, with a fresh token too, and it goes on reading. Alice is told. When her account is
 * disabled, her agent has no access left.
 */
export async function doubtAgent(apps: Apps): Promise<void> {
  const browser = browserOn(apps)
  const page = await logIn(browser, apps)
  expectStatus(await browser.submit(page, {}), 200, `alice sends her agent, ${agentId}`)
  const agent = await startAgent(apps, await apps.sentAgent(sidOn(page)))
  try {
    await expectTools(agent, 'read_report, write_report')
    const jti = await doubtWhileWriting(apps, agent)
    await expectReading(agent)
    expectThat((await agent.renew()) === undefined, 'it gets a fresh token')
    await expectTools(agent, 'read_report')
    expectAnswer(await (await agent.write(1)).ended, 'error', 'it writes no more')
    const notice = `Your agent ${agentId} lost reports:write.`
    await apps.happened('hook:succeeded', jti)
    const told = await browser.open(apps.saas)
    if (!told.text.includes(notice)) throw new Error(`the page of alice does not say "${notice}"`)
    expectStatus(told, 200, `alice works on, and is told: "${notice}"`)
    await signal(apps, { name: 'account-disabled: alice', does: ['disable', { account: 'alice' }] })
    expectAnswer(await agent.read(), 'unauthorized', 'the agent has no access left')
    expectThat((await agent.renew()) === 'invalid_request', 'it gets no fresh token')
    expectStatus(await browser.open(apps.saas), 401, 'alice has no access either')
  } finally {
    await agent.close()
  }
}

/**
 * Has the agent write until its risk becomes high.
 *
 * @returns The `jti` of the SET
 */
export async function doubtWhileWriting(apps: Apps, agent: Agent): Promise<string> {
  const { began, ended } = await agent.write(wantedLines)
  expectThat(began, `write began: ${wantedLines} lines, one by one`)
  const jti = await rateAgent(apps, 'HIGH', { what: 'write aborted', ended })
  expectAnswer(await ended, 'error', 'the agent hears')
  return jti
}

/** Has the identity provider say what it thinks of the agent. */
export async function rateAgent(
  apps: Apps,
  level: 'HIGH' | 'LOW',
  ends?: { readonly what: string; readonly ended: Promise<unknown> },
): Promise<string> {
  const name = `risk-level-change: ${level}, ${agentId}`
  const does = ['risk', { account: agentId, level }] as const
  return await signal(apps, { name, does, ...(ends && { ends }) })
}

async function expectTools(agent: Agent, names: string): Promise<void> {
  const seen = (await agent.tools()).join(', ')
  expectThat(seen === names, `it sees ${names}`)
}

async function expectReading(agent: Agent): Promise<void> {
  const answer = await agent.read()
  expectAnswer(answer, 'result', 'it goes on reading')
  const lines = Number(/^Lines in the report: (\d+)\. Nobody writes\./.exec(answer.text)?.[1])
  if (!(lines > 0 && lines < wantedLines)) {
    throw new Error('the write was not stopped where it was')
  }
}
