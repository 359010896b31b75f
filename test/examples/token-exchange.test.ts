import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { startScenarioProcess, type ScenarioProcess } from './scenario-process.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
const type = 'urn:ietf:params:oauth:token-type:access_token'
const idToken = 'urn:ietf:params:oauth:token-type:id_token'
const resource = 'https://files.example/mcp'
const task = 'quarterly-report'

let issuer: ScenarioProcess
beforeAll(async () => {
  issuer = await startScenarioProcess('issuer-process.js', 's2')
})
afterAll(() => issuer.stop())

const post = (parameters: URLSearchParams): Promise<Response> =>
  fetch(`${issuer.url}/token`, { method: 'POST', body: parameters })

const logIn = async (secret: string): Promise<string> => {
  const answer = await post(new URLSearchParams({ secret }))
  return ((await answer.json()) as { access_token: string }).access_token
}
const alice = (): Promise<string> => logIn('alice knows it')
const researcher = (): Promise<string> => logIn('the researcher has it')
const helper = (): Promise<string> => logIn('the helper has it')

type Change = Readonly<Record<string, string | undefined>>

/** What the researcher asks for, with what is different; undefined is left out. */
const asked = async (change: Change = {}): Promise<URLSearchParams> => {
  const whole = {
    grant_type,
    subject_token: await alice(),
    subject_token_type: type,
    actor_token: await researcher(),
    actor_token_type: type,
    resource,
    task,
    ...change,
  }
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(whole)) {
    if (value !== undefined) parameters.set(name, value)
  }
  return parameters
}

interface Exchanged {
  readonly access_token: string
  readonly expires_in: number
  readonly scope: string
}

const exchanged = async (change: Change = {}): Promise<Exchanged> => {
  const answer = await post(await asked(change))
  expect(answer.status).toBe(200)
  return (await answer.json()) as Exchanged
}

const refusal = async (parameters: URLSearchParams): Promise<unknown> => {
  const answer = await post(parameters)
  expect(answer.status).toBe(400)
  return ((await answer.json()) as { error: unknown }).error
}

describe('examples/scenarios, the token exchange', () => {
  it('gives a token that names the person, the agent, the login and the task', async () => {
    const subject_token = await alice()
    const answer = await post(await asked({ subject_token }))
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { access_token, ...rest } = (await answer.json()) as Exchanged
    const scope = 'files:read files:write'
    expect(rest).toEqual({ issued_token_type: type, token_type: 'Bearer', expires_in: 600, scope })
    const keys = createRemoteJWKSet(new URL(`${issuer.url}/login-keys`))
    const rules = { issuer: issuer.url, audience: resource, typ: 'at+jwt' }
    const { payload } = await jwtVerify(access_token, keys, rules)
    const { sid, auth_time } = decodeJwt(subject_token)
    expect(payload).toEqual({
      iss: issuer.url,
      aud: resource,
      sub: 'alice',
      act: { sub: 'researcher' },
      client_id: 'researcher',
      sid,
      auth_time,
      task,
      scope,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
    expect(payload).toHaveProperty('sid', expect.any(String))
  })
  it('narrows the scope to what is asked for', async () => {
    const { access_token, scope } = await exchanged({ scope: 'files:read' })
    expect([scope, decodeJwt(access_token)['scope']]).toEqual(['files:read', 'files:read'])
  })
  it('takes a parameter without a value for one that was left out', async () => {
    expect((await exchanged({ scope: '', audience: '' })).scope).toBe('files:read files:write')
    expect(await refusal(await asked({ actor_token: '' }))).toBe('invalid_request')
  })
  it('names those who have acted before within those who act now', async () => {
    const { access_token: subject_token } = await exchanged()
    const { access_token } = await exchanged({
      subject_token,
      actor_token: await helper(),
      task: undefined,
    })
    const { act, client_id, sub } = decodeJwt(access_token)
    expect({ act, client_id, sub }).toEqual({
      act: { sub: 'helper', act: { sub: 'researcher' } },
      client_id: 'helper',
      sub: 'alice',
    })
  })

  it.each([
    ['without a token of the person', { subject_token: undefined }],
    ['without a token of the agent', { actor_token: undefined }],
    ['without the type of a token', { actor_token_type: undefined }],
    ['with another type of the person’s token', { subject_token_type: idToken }],
    ['with another type of the agent’s token', { actor_token_type: idToken }],
    ['that asks for another type', { requested_token_type: idToken }],
    ['with a token of the person that nobody has signed', { subject_token: 'a.b.c' }],
    ['with a token of the agent that nobody has signed', { actor_token: 'a.b.c' }],
    ['for a task that nobody has consented to', { task: 'another-task' }],
    ['for no task, where one was consented to', { task: undefined }],
  ])('refuses a request %s: invalid_request', async (_, change) => {
    expect(await refusal(await asked(change))).toBe('invalid_request')
  })
  it('refuses tokens in each other’s place, and an agent that nobody has consented to', async () => {
    const own = await researcher()
    expect(await refusal(await asked({ subject_token: own }))).toBe('invalid_request')
    expect(await refusal(await asked({ actor_token: await alice() }))).toBe('invalid_request')
    expect(await refusal(await asked({ actor_token: await helper() }))).toBe('invalid_request')
    const { access_token: actor_token } = await exchanged()
    expect(await refusal(await asked({ actor_token }))).toBe('invalid_request')
  })
  it('refuses a parameter that comes twice, unless it may', async () => {
    const twice = await asked()
    twice.append('task', task)
    expect(await refusal(twice)).toBe('invalid_request')
    const both = await asked()
    both.append('resource', resource)
    expect((await post(both)).status).toBe(200)
  })
  it.each([
    ['no target', { resource: undefined }],
    ['another target', { resource: 'https://other.example' }],
    ['another target besides', { audience: 'https://other.example' }],
  ])('refuses %s: invalid_target', async (_, change) => {
    expect(await refusal(await asked(change))).toBe('invalid_target')
  })
  it('refuses more than both of them have', async () => {
    expect(await refusal(await asked({ scope: 'files:read payroll:read' }))).toBe('invalid_scope')
    const less = { actor_token: await helper(), task: undefined, scope: 'files:write' }
    expect(await refusal(await asked(less))).toBe('invalid_scope')
    const { access_token: subject_token } = await exchanged({ scope: 'files:write' })
    const nothing = { subject_token, actor_token: await helper(), task: undefined }
    expect(await refusal(await asked(nothing))).toBe('invalid_scope')
  })
  it('knows no other grant', async () => {
    const grant = { grant_type: 'authorization_code' }
    expect(await refusal(await asked(grant))).toBe('unsupported_grant_type')
  })

  it('lets nobody log in as somebody else', async () => {
    const form = { secret: 'alice knows it', sub: 'bob', scope: 'payroll:read', acr: 'phr' }
    const answer = await post(new URLSearchParams(form))
    const { access_token } = (await answer.json()) as Exchanged
    const scope = 'files:read files:write'
    expect(decodeJwt(access_token)).toMatchObject({ sub: 'alice', scope, acr: 'phr' })
    const { access_token: exchangedFor } = await exchanged({ subject_token: access_token })
    expect(decodeJwt(exchangedFor)).toMatchObject({ sub: 'alice', acr: 'phr' })
  })

  // These turn the clock, which does not go back.
  it('lets what no task was consented to for live no longer than the login it rests on', async () => {
    const subject_token = await alice()
    await issuer.ask('turn', 3_300_000)
    const change = { subject_token, actor_token: await helper(), task: undefined }
    expect((await exchanged(change)).expires_in).toBeLessThanOrEqual(300)
    expect((await exchanged({ subject_token })).expires_in).toBe(600)
  })
  it('takes no token that has expired', async () => {
    const [subject_token, actor_token] = [await alice(), await researcher()]
    await issuer.ask('turn', 3_601_000)
    expect(await refusal(await asked({ subject_token }))).toBe('invalid_request')
    expect(await refusal(await asked({ actor_token }))).toBe('invalid_request')
  })
})
