import { randomUUID } from 'node:crypto'
import type { Express, Request, Response } from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { Client } from '../settings.ts'

declare module 'express-session' {
  interface SessionData {
    /** The login this session rests on, as the ID Token told it, and that token. */
    login: { sub: string; sid: string; authTime: number; device: string; idToken: string }
    pending: { state: string; nonce: string }
  }
}

/** What {@link addLogin} needs. */
export interface LoginParts {
  readonly idp: string
  readonly client: Client
}

/** Logging in at the provider: OpenID Connect's authorization code flow, seen from the application. */
export function addLogin(app: Express, { idp, client }: LoginParts): void {
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
    const { id_token: idToken } = (await answer.json()) as { id_token?: string }
    if (!idToken) return void response.status(400).send('the login failed')
    const { payload } = await jwtVerify(idToken, keys, { issuer: idp, audience: client.id })
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
        idToken,
      }
      redirectSaved(request, response, '/')
    })
  })
}

/** Redirects once the session is stored: a browser follows the header before the body has ended. */
function redirectSaved(request: Request, response: Response, url: string): void {
  request.session.save((error) => {
    if (error) return void response.status(500).send('the session could not be stored')
    response.redirect(url)
  })
}
