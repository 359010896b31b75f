// A small identity provider: a login form, logins in the manner of OpenID Connect, tokens for agents,
// and Drawbridge's Transmitter, which tells applications what happens to the sessions they were given.
import express, { type Express } from 'express'
import { DeviceComplianceChange, RiskLevelChange, SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled } from '@drawbridge/schema/risc'
import {
  createTransmitter,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import type { Client } from '../settings.ts'
import { addAdmin } from './admin.ts'
import { createDirectory } from './directory.ts'
import { addLogin } from './login.ts'
import { addTokenEndpoint } from './token-endpoint.ts'
import { createTokens } from './tokens.ts'

/** What {@link createIdp} is given. */
export interface IdpOptions {
  readonly issuer: string
  /** The file of the outbox, the streams and the signing keys. */
  readonly database: string
  readonly secret: string
  /** The bearer token of the administrator. */
  readonly adminToken: string
  readonly client: Client
  readonly agentSecret: string
}

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
  const { issuer, client, adminToken, agentSecret } = options
  const transmitter = createTransmitter({
    issuer,
    secret: options.secret,
    store: sqliteStore(options.database),
    authenticate: staticTokens([
      { token: client.signalsToken, id: client.id, audience: client.id },
    ]),
    eventsSupported: [SessionRevoked, DeviceComplianceChange, RiskLevelChange, AccountDisabled],
    permitEvent: permitAll, // there is one application, and it may know everything
    allowInsecureHttp: true, // a demo on loopback
  })

  const app = express()
  app.use(toNode(transmitter))
  app.use(express.urlencoded({ extended: false }), express.json())

  const directory = createDirectory()
  const tokens = await createTokens(issuer)
  app.get('/login-keys', (_request, response) => void response.json({ keys: [tokens.jwk] }))
  addLogin(app, { client, directory })
  addTokenEndpoint(app, { issuer, client, agentSecret, directory, tokens })
  addAdmin(app, { issuer, adminToken, directory, transmitter })
  return { app, transmitter }
}
