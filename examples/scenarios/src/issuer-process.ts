// An issuer: a Transmitter, a token endpoint, and the key that its access tokens are signed with.
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { FetchHandler } from '@drawbridge/core'
import type { EventType, SubjectInput } from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { createTransmitter, permitAll, staticTokens } from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { scenarios } from './all.ts'
import { turnableClock } from './frame/clock.ts'
import type { Account } from './frame/scenario.ts'
import { serve } from './frame/serve.ts'

/** What the driver asks a Transmitter to say. */
export interface Said {
  readonly type: string
  readonly subject: SubjectInput
  readonly payload: object
}

const eventTypes: readonly EventType[] = [...caepEventTypes, ...riscEventTypes]
const clock = turnableClock()
const now = (): number => clock.now() / 1000

await serve(async (issuer, { scenario, folder, secret, signalsToken }) => {
  const transmitter = createTransmitter({
    issuer,
    secret,
    store: sqliteStore(path.join(folder, `${randomUUID()}.db`)),
    authenticate: staticTokens([{ token: signalsToken, id: 'api', audience: 'api' }]),
    permitEvent: permitAll, // there is one application, and it may know everything
    eventsSupported: eventTypes,
    algorithm: 'ES256',
    allowInsecureHttp: true, // all of this is on loopback
    clock,
  })
  const login = await createLogin(issuer, scenarios[scenario]?.accounts ?? {})
  return {
    listener: (request, response) =>
      toNode(transmitter)(request, response, () => toNode(login)(request, response)),
    acts: {
      turn: (ms: number) => clock.turn(ms),
      transmit: async ({ type, subject, payload }: Said) => {
        const eventType = eventTypes.find(({ uri }) => uri === type)
        if (!eventType) throw new Error('this Transmitter has no such event type')
        const event = { event_timestamp: now(), ...payload }
        const { deliveries } = await transmitter.transmit(eventType, subject, event)
        return deliveries[0]?.jti
      },
    },
    start: () => transmitter.start(),
    stop: () => transmitter.stop(),
  }
})

/** Logs in whoever knows a secret, and says in a signed access token what the login was like. */
async function createLogin(
  issuer: string,
  accounts: Readonly<Record<string, Account>>,
): Promise<FetchHandler> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'login', alg: 'ES256', use: 'sig' }
  const token = async (form: Readonly<Record<string, string>>): Promise<Response> => {
    const { secret = '', ...login } = form
    const account = Object.hasOwn(accounts, secret) ? accounts[secret] : undefined
    if (!account) return Response.json({ error: 'invalid_client' }, { status: 401 })
    const began = Math.floor(now())
    // A client's own token is no login of a person: it has neither a time of one nor a session.
    const person = account.client_id ? {} : { auth_time: began, sid: randomUUID() }
    const access_token = await new SignJWT({ ...account, ...person, ...login })
      .setProtectedHeader({ alg: 'ES256', kid: 'login', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience('api')
      .setJti(randomUUID())
      .setIssuedAt(began)
      .setExpirationTime(began + 3600)
      .sign(privateKey)
    return Response.json({ access_token, token_type: 'Bearer', expires_in: 3600 })
  }
  return {
    serves: () => true,
    fetch: async (request) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/login-keys') return Response.json({ keys: [jwk] })
      if (pathname !== '/token') return new Response(null, { status: 404 })
      return await token(Object.fromEntries(new URLSearchParams(await request.text())))
    },
  }
}
