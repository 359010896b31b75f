import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import {
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { decodeJwt } from 'jose'
import { createEnforcement, memoryLedger, recommendedPolicy } from '@drawbridge/enforcement'
import { createIdp, type Idp } from '../../examples/demo/src/idp/idp.ts'
import { addMcp } from '../../examples/demo/src/saas/mcp.ts'
import { createNotices } from '../../examples/demo/src/saas/notices.ts'
import { freePorts } from '../support/child.ts'

const secrets = { client_id: 'report-agent', client_secret: 'agent' }
const app = { id: 'reports', secret: 'client', redirectUri: 'http://127.0.0.1:1/callback' }

let folder: string
let issuer: string
let resource: string
let idp: Idp
let servers: Server[]
let stop: () => Promise<void>

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-demo-test-'))
  const [idpPort, saasPort] = await freePorts()
  issuer = `http://127.0.0.1:${idpPort}`
  resource = `http://127.0.0.1:${saasPort}/mcp`
  idp = await createIdp({
    issuer,
    database: path.join(folder, 'idp.db'),
    secret: 'a secret for a test, 32 characters or more',
    adminToken: 'admin',
    client: { ...app, signalsToken: 'signals', mcp: resource },
    agentSecret: 'agent',
  })
  await idp.transmitter.start()
  const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
  await enforcement.start()
  const saas = express()
  const mcp = addMcp(saas, {
    idp: issuer,
    origin: `http://127.0.0.1:${saasPort}`,
    audience: resource,
    enforcement,
    notices: createNotices(enforcement.explain),
  })
  servers = [await serve(idp.app, idpPort), await serve(saas, saasPort)]
  stop = async () => {
    await mcp.close()
    await enforcement.stop()
    await idp.transmitter.stop()
  }
})
afterEach(async () => {
  await stop()
  for (const server of servers) {
    server.closeAllConnections()
    await once(server.close(), 'close')
  }
  await rm(folder, { recursive: true, force: true })
})

async function serve(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer(listener)
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}

type Form = Readonly<Record<string, string>>
type Answer = Readonly<Record<string, unknown>> & { readonly status: number }

async function ask(form: Form): Promise<Answer> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  return { status: response.status, ...((await response.json()) as object) }
}

/** Alice sends the login form. */
async function sendForm(): Promise<Response> {
  const query = new URLSearchParams({ client_id: app.id, redirect_uri: app.redirectUri })
  return await fetch(`${issuer}/authorize?${query}`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'alice', password: 'wonderland' }),
    redirect: 'manual',
  })
}

/** Alice logs in; the application has not fetched the ID Token yet. */
async function logIn(): Promise<Form> {
  const { headers } = await sendForm()
  const code = new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
  const client = { client_id: app.id, client_secret: app.secret }
  return { grant_type: 'authorization_code', code, ...client }
}

const ownToken = async (): Promise<string> =>
  String((await ask({ grant_type: 'client_credentials', ...secrets }))['access_token'])

/** What the agent asks with to act for Alice. */
async function exchange(): Promise<Form> {
  return {
    ...secrets,
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    resource,
    subject_token: String((await ask(await logIn()))['id_token']),
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    actor_token: await ownToken(),
    actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  }
}

async function administer(pathname: string, body: object): Promise<void> {
  const headers = { authorization: 'Bearer admin', 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(body) }
  const { status } = await fetch(`${issuer}/admin/${pathname}`, init)
  expect(status).toBe(200)
}

describe('the identity provider of examples/demo', () => {
  it('exchanges two tokens for one that rests on the login of the person, whenever it does', async () => {
    const form = await exchange()
    const login = decodeJwt(form['subject_token'] ?? '')
    const answers = [await ask(form), await ask(form)]
    const claims = answers.map(({ status, access_token, issued_token_type, token_type }) => {
      expect({ status, token_type }).toEqual({ status: 200, token_type: 'Bearer' })
      expect(issued_token_type).toBe(form['actor_token_type'])
      return decodeJwt(String(access_token))
    })
    for (const one of claims) {
      expect(one).toMatchObject({
        iss: issuer,
        sub: 'alice',
        aud: resource,
        act: { sub: 'report-agent' },
        client_id: 'report-agent',
        scope: 'reports:read reports:write',
        sid: login['sid'],
        auth_time: login['auth_time'],
      })
    }
    expect(claims[0]?.jti).not.toBe(claims[1]?.jti)
  })

  it.each([
    ['a wrong secret', { client_secret: 'guessed' }, 401, 'invalid_client'],
    ['another name', { client_id: app.id }, 401, 'invalid_client'],
    ['another resource', { resource: 'https://other.example' }, 400, 'invalid_target'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['no token of a person', { subject_token: '' }, 400, 'invalid_request'],
    ['another type of that', { subject_token_type: 'urn:x' }, 400, 'invalid_request'],
    ['no token of its own', { actor_token: '' }, 400, 'invalid_request'],
    ['another type of its own', { actor_token_type: 'urn:x' }, 400, 'invalid_request'],
  ])('gives an agent no token with %s', async (_what, wrong, status, error) => {
    expect(await ask({ ...(await exchange()), ...wrong })).toEqual({ status, error })
  })

  it('gives an agent no token with tokens in the wrong places', async () => {
    const form = await exchange()
    const { subject_token = '', actor_token = '' } = form
    const delegated = String((await ask(form))['access_token'])
    const refused = { status: 400, error: 'invalid_request' }
    expect(await ask({ ...form, subject_token: actor_token })).toEqual(refused)
    expect(await ask({ ...form, actor_token: subject_token })).toEqual(refused)
    expect(await ask({ ...form, subject_token: delegated })).toEqual(refused)
    expect(await ask({ ...form, actor_token: delegated })).toEqual(refused)
  })

  it('gives an agent no token once the session of the person is over', async () => {
    const form = await exchange()
    const { sid } = decodeJwt(form['subject_token'] ?? '')
    await administer('revoke', { sid, reason: 'Account closed' })
    expect(await ask(form)).toEqual({ status: 400, error: 'invalid_request' })
  })

  it('gives an agent no token, and nobody a login, once the account is disabled', async () => {
    const form = await exchange()
    await administer('disable', { account: 'alice' })
    expect(await ask(form)).toEqual({ status: 400, error: 'invalid_request' })
    expect((await sendForm()).status).toBe(403)
  })

  it('gives the agent no token of its own with a wrong secret', async () => {
    const form = { grant_type: 'client_credentials', ...secrets, client_secret: 'guessed' }
    expect(await ask(form)).toEqual({ status: 401, error: 'invalid_client' })
  })

  it('takes a code once, and from the application alone', async () => {
    const form = await logIn()
    const stolen = { ...form, client_secret: 'guessed' }
    expect(await ask(stolen)).toEqual({ status: 401, error: 'invalid_client' })
    expect(await ask(form)).toMatchObject({ status: 200 })
    expect(await ask(form)).toEqual({ status: 400, error: 'invalid_grant' })
  })
})

describe('the MCP endpoint of examples/demo', () => {
  const post = (headers: Form): Promise<Response> =>
    fetch(resource, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    })
  const bearer = (token: unknown): Form => ({ authorization: `Bearer ${String(token)}` })

  it('says without a token where there is one', async () => {
    const { status, headers } = await post({})
    expect(status).toBe(401)
    const [, metadata = ''] =
      /resource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? []
    expect(await (await fetch(metadata)).json()).toEqual({
      resource,
      authorization_servers: [issuer],
    })
  })

  it('takes the token that is for it, and no other', async () => {
    const form = await exchange()
    const { access_token } = await ask(form)
    expect((await post(bearer(access_token))).status).not.toBe(401)
    expect((await post(bearer(form['actor_token']))).status).toBe(401)
    expect((await post(bearer(form['subject_token']))).status).toBe(401)
  })

  it('answers no page of another website', async () => {
    const { access_token } = await ask(await exchange())
    const foreign = { ...bearer(access_token), origin: 'https://evil.example' }
    expect((await post(foreign)).status).toBe(403)
    // A name of that website's that leads to loopback. "fetch" writes the Host header itself.
    const headers = { ...bearer(access_token), host: 'evil.example' }
    const sent = request(resource, { method: 'POST', headers }).end()
    const [{ statusCode }] = (await once(sent, 'response')) as [IncomingMessage]
    expect(statusCode).toBe(403)
  })
})
