import { randomUUID } from 'node:crypto'
import type { Express, Request } from 'express'
import { html } from '../html.ts'
import type { Client } from '../settings.ts'
import type { Directory } from './directory.ts'

/** What {@link addLogin} needs. */
export interface LoginParts {
  readonly client: Client
  readonly directory: Directory
}

/** The authorization code flow of OpenID Connect Core 1.0, as much of it as one application needs. */
export function addLogin(app: Express, { client, directory }: LoginParts): void {
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
    if (!username || !directory.knows(username, password ?? '')) {
      return void response.status(403).send('wrong name or password')
    }
    const sid = randomUUID()
    const authTime = Math.floor(Date.now() / 1000)
    const login = { sid, sub: username, authTime, device: deviceOf(request) }
    directory.logins.set(sid, login)
    const code = randomUUID()
    directory.codes.set(code, { login, nonce: String(request.query['nonce'] ?? '') })
    const back = new URLSearchParams({ code, state: String(request.query['state'] ?? '') })
    response.redirect(303, `${client.redirectUri}?${back}`)
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
