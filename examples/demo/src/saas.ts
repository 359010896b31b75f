// A SaaS application: Express and express-session, people log in at the identity provider. Drawbridge's
// Receiver hears from the provider what happens to their sessions; the guard answers every request
// from what was heard.
import { randomUUID } from 'node:crypto'
import express, { type Express } from 'express'
import session, { type Store } from 'express-session'
import {
  createEnforcement,
  createPolicy,
  fromClaims,
  recommendedPolicy,
  type Enforcement,
  type Who,
} from '@drawbridge/enforcement'
import { guard } from '@drawbridge/enforcement/express'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { issSub, opaque } from '@drawbridge/schema'
import { RiskLevelChange } from '@drawbridge/schema/caep'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { html } from './html.ts'
import type { Client } from './idp.ts'

declare module 'express-session' {
  interface SessionData {
    /** The login this session rests on, as the ID Token told it. */
    login: { sub: string; sid: string; authTime: number; device: string }
    pending: { state: string; nonce: string }
  }
}

/** What {@link createSaas} is given. */
export interface SaasOptions {
  readonly idp: string
  readonly origin: string
  readonly client: Client
  readonly delivery: 'push' | 'poll'
  /** The file of the ledger: what signals decided. */
  readonly ledger: string
  readonly store: Store
  readonly cookieSecret: string
}

/** The application. Listen, then `enforcement.start()` and `receiver.start()`. */
export interface Saas {
  readonly app: Express
  readonly receiver: Receiver
  readonly enforcement: Enforcement
}

/** A service account that behaves oddly may go on reading; nobody can ask it to log in again. */
const policy = createPolicy([
  {
    on: RiskLevelChange,
    claims: { current_level: 'HIGH' },
    kind: 'service',
    effect: 'restrict',
    terms: { leave: ['reports:read'] },
    reason: 'a job that may be in strange hands must change nothing',
  },
  ...recommendedPolicy().rules,
])

/** Makes the application. */
export function createSaas(options: SaasOptions): Saas {
  const { idp, origin, client, delivery } = options
  const enforcement = createEnforcement({
    ledger: sqliteLedger(options.ledger),
    policy,
  })
  const receiver = createReceiver({
    issuer: idp,
    audience: client.id,
    authorize: staticToken(client.signalsToken),
    ...(delivery === 'push' ? { push: { url: `${origin}/signals` } } : {}),
    allowInsecureHttp: true, // a demo on loopback
  })
  receiver.handle('*', enforcement.apply)

  const app = express()
  app.use(toNode(receiver))
  addApi(app, enforcement, options)
  app.use(
    session({
      secret: options.cookieSecret,
      store: options.store,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax' },
    }),
  )
  addLogin(app, options)
  app.use(
    guard(
      enforcement,
      ({ session: { login } }: express.Request) =>
        login && {
          subject: {
            user: issSub(idp, login.sub),
            session: opaque(login.sid),
            device: opaque(login.device),
          },
          began: new Date(login.authTime * 1000),
        },
    ),
  )
  app.get('/', ({ session: { login } }, response) => {
    if (!login) return response.redirect('/login')
    response.send(
      html`<!doctype html>
        <title>Reports</title>
        <h1>Hello ${login.sub}</h1>
        <p>Session ${login.sid} on ${login.device}.</p>`,
    )
  })
  return { app, receiver, enforcement }
}

/** The API for service accounts: access tokens, and for each route the grants that it needs. */
function addApi(app: Express, enforcement: Enforcement, { idp, client }: SaasOptions): void {
  const keys = createRemoteJWKSet(new URL(`${idp}/login-keys`))
  const callers = new WeakMap<express.Request, Who>()
  app.use('/api', async (request, response, next) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const verified = await jwtVerify(token, keys, { issuer: idp, audience: client.api }).catch(
      () => undefined,
    )
    if (!verified) return void response.set('www-authenticate', 'Bearer').sendStatus(401)
    callers.set(request, fromClaims(verified.payload))
    next()
  })
  const requires = (grant: string) =>
    guard(enforcement, (request: express.Request) => callers.get(request), { requires: [grant] })
  app.get('/api/reports', requires('reports:read'), (_request, response) => {
    response.json({ reports: ['November'] })
  })
  app.post('/api/reports', requires('reports:write'), (_request, response) => {
    response.sendStatus(201)
  })
}

/** Logging in at the provider: OpenID Connect's authorization code flow, seen from the application. */
function addLogin(app: Express, { idp, client }: SaasOptions): void {
  const keys = createRemoteJWKSet(new URL(`${idp}/login-keys`))
  app.get('/login', (request, response) => {
    const pending = { state: randomUUID(), nonce: randomUUID() }
    request.session.pending = pending
    const query = new URLSearchParams({
      response_type: 'code',
      scope: 'openid',
      client_id: client.id,
      redirect_uri: client.redirectUri,
      ...pending,
    })
    redirectSaved(request, response, `${idp}/authorize?${query}`)
  })
  app.get('/callback', async (request, response) => {
    const { pending } = request.session
    if (!pending || request.query['state'] !== pending.state) {
      return void response.status(400).send('this login was not started here')
    }
    const answer = await fetch(`${idp}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: String(request.query['code']),
        client_id: client.id,
        client_secret: client.secret,
        redirect_uri: client.redirectUri,
      }),
    })
    const { id_token } = (await answer.json()) as { id_token?: string }
    if (!id_token) return void response.status(400).send('the login failed')
    const { payload } = await jwtVerify(id_token, keys, { issuer: idp, audience: client.id })
    if (payload['nonce'] !== pending.nonce) return void response.status(400).send('a foreign login')
    const { sub, sid, auth_time, device } = payload as Record<string, unknown>
    // A new session id at every login, or somebody else's would do.
    request.session.regenerate((error) => {
      if (error) return void response.status(500).send('the session could not be made')
      request.session.login = {
        sub: String(sub),
        sid: String(sid),
        authTime: Number(auth_time),
        device: String(device),
      }
      redirectSaved(request, response, '/')
    })
  })
}

/** Redirects once the session is stored: a browser follows the header before the body has ended. */
function redirectSaved(request: express.Request, response: express.Response, url: string): void {
  request.session.save((error) => {
    if (error) return void response.status(500).send('the session could not be stored')
    response.redirect(url)
  })
}
