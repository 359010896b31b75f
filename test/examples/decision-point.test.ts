import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startScenarioProcess, type ScenarioProcess } from './scenario-process.ts'

let process: ScenarioProcess
beforeAll(async () => {
  process = await startScenarioProcess('decision-point-process.js', 's2')
})
afterAll(() => process.stop())

const evaluation = {
  subject: { type: 'agent', id: 'researcher' },
  action: { name: 'read_file' },
  resource: { type: 'file', id: 'reports/q3.txt' },
}
const file = (id: string) => ({ resource: { type: 'file', id } })

const post = (body: string, path = '/access/v1/evaluation'): Promise<Response> =>
  fetch(`${process.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'request-1' },
    body,
  })
const decisionOn = async (change: object = {}): Promise<unknown> => {
  const answer = await post(JSON.stringify({ ...evaluation, ...change }))
  expect([answer.status, answer.headers.get('x-request-id')]).toEqual([200, 'request-1'])
  return await answer.json()
}

describe('examples/scenarios, the decision point', () => {
  it('says where it is asked', async () => {
    const answer = await fetch(`${process.url}/.well-known/authzen-configuration`)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual({
      policy_decision_point: process.url,
      access_evaluation_endpoint: `${process.url}/access/v1/evaluation`,
    })
  })
  it('lets agents work on ordinary files', async () => {
    expect(await decisionOn()).toEqual({ decision: true })
    expect(await decisionOn({ action: { name: 'write_file' } })).toEqual({ decision: true })
    expect(await decisionOn(file('payroll-forms/empty.txt'))).toEqual({ decision: true })
  })
  it('says that a boundary was reached, whatever was to be done there', async () => {
    const refused = { decision: false, context: { boundary: 'payroll' } }
    expect(await decisionOn(file('payroll/salaries.csv'))).toEqual(refused)
    const writing = { action: { name: 'write_file' }, ...file('payroll/2026/new.csv') }
    expect(await decisionOn(writing)).toEqual(refused)
  })
  it('refuses what no policy permits, and says nothing of a boundary', async () => {
    expect(await decisionOn({ action: { name: 'delete_file' } })).toEqual({ decision: false })
    const somebody = { subject: { type: 'user', id: 'alice' } }
    expect(await decisionOn(somebody)).toEqual({ decision: false })
    expect(await decisionOn({ ...somebody, ...file('payroll/salaries.csv') })).toEqual({
      decision: false,
    })
  })
  it.each([
    ['no JSON', '{'],
    ['no object', 'null'],
    ['nobody', JSON.stringify({ ...evaluation, subject: undefined })],
    ['a subject without a type', JSON.stringify({ ...evaluation, subject: { id: 'researcher' } })],
    ['a resource without an id', JSON.stringify({ ...evaluation, ...file('') })],
    ['no action', JSON.stringify({ ...evaluation, action: undefined })],
    ['an action without a name', JSON.stringify({ ...evaluation, action: {} })],
    ['more than it reads', JSON.stringify({ ...evaluation, context: { x: 'x'.repeat(65_536) } })],
  ])('decides nothing about %s', async (_, body) => {
    const answer = await post(body)
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([400, 'request-1'])
  })
  it('decides nothing where the policies cannot be evaluated', async () => {
    const answer = await post(JSON.stringify({ ...evaluation, subject: { type: '?', id: 'x' } }))
    expect(answer.status).toBe(500)
  })
  it('has nothing else', async () => {
    expect((await post('{}', '/access/v1/evaluations')).status).toBe(404)
    expect((await fetch(`${process.url}/access/v1/evaluation`)).status).toBe(404)
  })
})
