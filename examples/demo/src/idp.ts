// A small identity provider: a login form, logins in the manner of OpenID Connect, and Drawbridge's
// Transmitter, which tells applications what happens to the sessions they were given.
import { randomUUID } from 'node:crypto'
import express, { type Express, type Request, type Response } from 'express'
import { issSub, opaque } from '@drawbridge/schema'
import { DeviceComplianceChange, RiskLevelChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  createTransmitter,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { html } from './html.ts'

/** One login: what an ID Token says, and what can be revoked. */
interface Login {
  readonly sid: string
  readonly sub: string
  readonly authTime: number
  readonly device: string
}

/** An application that may send people here. */
export interface Client {
  readonly id: string
  readonly secret: string
  readonly redirectUri: string
  /** The bearer token of its Receiver. */
  readonly signalsToken: string
  /** The origin of its API, for which service accounts get access tokens. */
  readonly api: string
  /** The secret of its service account. */
  readonly serviceSecret: string
}

/** The service account that works for the application at night. */
export const serviceAccount = 'nightly-export'

/** What {@link createIdp} is given. */
export interface IdpOptions {
  readonly issuer: string
  /** The file of the outbox, the streams and the signing keys. */
  readonly database: string
  readonly secret: string
  /** The bearer token of the administrator. */
  readonly adminToken: string
  readonly client: Client
}

/** The accounts of this provider. A real one has a directory, and hashes. */
const passwords = new Map([['alice', 'wonderland']])

/**
 * The identity provider: an Express app and its Transmitter. Mount, listen, then
 * `transmitter.start()`.
 */
export interface Idp {
  readonly app: Express
  readonly transmitter: Transmitter
}

/** Makes the identity provider. */
export async function createIdp(options: IdpOptions): Promise<Idp> {
  const { issuer, client, adminToken } = options
  const transmitter = createTransmitter({
    issuer,
    secret: options.secret,
    store: sqliteStore(options.database),
    authenticate: staticTokens([
      { token: client.signalsToken, id: client.id, audience: client.id },
    ]),
    eventsSupported: [SessionRevoked, DeviceComplianceChange, RiskLevelChange],
    permitEvent: permitAll, // there is one application, and it may know everything
    allowInsecureHttp: true, // a demo on loopback
  })

  const app = express()
  app.use(toNode(transmitter))
  app.use(express.urlencoded({ extended: false }), express.json())

  const logins = new Map<string, Login>()
  const codes = new Map<string, { readonly login: Login; readonly nonce: string }>()
  await addLogin(app, { issuer, client, logins, codes })

  app.use('/admin', (request, response, next) => {
    if (request.headers.authorization === `Bearer ${adminToken}`) return next()
    response.status(401).json({ error: 'the administrator only' })
  })
  app.get('/admin/sessions', (_request, response) => void response.json([...logins.values()]))
  // An administrator closes a session: it ends here, and every application hears of it.
  app.post('/admin/revoke', async (request, response) => {
    const { sid, reason } = request.body as { sid: string; reason: string }
    const login = logins.get(sid)
    if (!login) return void response.status(404).json({ error: 'no such session' })
    logins.delete(sid)
    const recorded = await transmitter.transmit(
      SessionRevoked,
      { user: issSub(issuer, login.sub), session: opaque(sid) },
      { initiating_entity: 'admin', reason_admin: { en: reason } },
    )
    response.json(recorded)
  })
  // Device management reports what it found out about a device.
  app.post('/admin/devices', async (request, response) => {
    const { device, compliant } = request.body as { device: string; compliant: boolean }
    const recorded = await transmitter.transmit(
      DeviceComplianceChange,
      { device: opaque(device) },
      {
        previous_status: compliant ? 'not-compliant' : 'compliant',
        current_status: compliant ? 'compliant' : 'not-compliant',
        initiating_entity: 'policy',
        reason_admin: { en: compliant ? 'Disk encryption is on' : 'Disk encryption is off' },
      },
    )
    response.json(recorded)
  })
  // Risk analysis reports what it thinks of an account.
  app.post('/admin/risk', async (request, response) => {
    const { account, level } = request.body as { account: string; level: 'LOW' | 'HIGH' }
    const recorded = await transmitter.transmit(
      RiskLevelChange,
      { user: issSub(issuer, account) },
      {
        principal: 'USER',
        current_level: level,
        risk_reason: 'Exports at an hour at which there never were any',
        initiating_entity: 'system',
      },
    )
    response.json(recorded)
  })
  return { app, transmitter }
}

interface LoginParts {
  readonly issuer: string
  readonly client: Client
  readonly logins: Map<string, Login>
  readonly codes: Map<string, { readonly login: Login; readonly nonce: string }>
}

/** The authorization code flow of OpenID Connect Core 1.0, as much of it as one application needs. */
async function addLogin(app: Express, parts: LoginParts): Promise<void> {
  const { issuer, client, logins, codes } = parts
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'login', alg: 'ES256', use: 'sig' }
  app.get('/login-keys', (_request, response) => void response.json({ keys: [jwk] }))

  const isClient = ({ client_id, redirect_uri }: Record<string, unknown>): boolean =>
    client_id === client.id && redirect_uri === client.redirectUri

  app.get('/authorize', (request, response) => {
    if (!isClient(request.query)) return void response.status(400).send('unknown application')
    // The browser's first visit registers its device.
    if (deviceOf(request) === 'unknown') {
      response.cookie('device', `device-${randomUUID().slice(0, 8)}`, { httpOnly: true })
    }
    response.send(loginForm(new URLSearchParams(request.query as Record<string, string>)))
  })
  app.post('/authorize', (request, response) => {
    const { username, password } = request.body as Record<string, string>
    if (!isClient(request.query)) return void response.status(400).send('unknown application')
    if (!username || passwords.get(username) !== password) {
      return void response.status(403).send('wrong name or password')
    }
    const sid = randomUUID()
    const authTime = Math.floor(Date.now() / 1000)
    const login = { sid, sub: username, authTime, device: deviceOf(request) }
    logins.set(sid, login)
    const code = randomUUID()
    codes.set(code, { login, nonce: String(request.query['nonce'] ?? '') })
    const back = new URLSearchParams({ code, state: String(request.query['state'] ?? '') })
    response.redirect(303, `${client.redirectUri}?${back}`)
  })
  app.post('/token', async (request: Request, response: Response) => {
    const form = request.body as Record<string, string>
    if (form['grant_type'] === 'client_credentials') {
      if (form['client_id'] !== serviceAccount || form['client_secret'] !== client.serviceSecret) {
        return void response.status(401).json({ error: 'invalid_client' })
      }
      const scope = 'reports:read reports:write'
      const access_token = await new SignJWT({ client_id: serviceAccount, scope })
        .setProtectedHeader({ alg: 'ES256', kid: 'login', typ: 'at+jwt' })
        .setIssuer(issuer)
        .setSubject(serviceAccount)
        .setAudience(client.api)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey)
      return void response.json({ access_token, token_type: 'Bearer', expires_in: 3600, scope })
    }
    const { code = '', client_id, client_secret } = form
    const granted = codes.get(code)
    codes.delete(code) // a code is good once
    if (!granted || client_id !== client.id || client_secret !== client.secret) {
      return void response.status(400).json({ error: 'invalid_grant' })
    }
    const { sub, sid, authTime, device } = granted.login
    const id_token = await new SignJWT({ sid, nonce: granted.nonce, auth_time: authTime, device })
      .setProtectedHeader({ alg: 'ES256', kid: 'login', typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(sub)
      .setAudience(client.id)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
    response.json({ id_token, token_type: 'Bearer', expires_in: 300 })
  })
}

/** Which device a browser runs on. A real provider asks for a certificate; here a cookie says it. */
function deviceOf(request: Request): string {
  return /(?:^|; )device=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'unknown'
}

function loginForm(query: URLSearchParams): string {
  return html`<!doctype html>
    <title>Log in</title>
    <h1>Log in</h1>
    <form method="post" action="/authorize?${query.toString()}">
      <label>Name <input name="username" value="alice" /></label>
      <label>Password <input name="password" type="password" /></label>
      <button>Log in</button>
    </form>`
}
