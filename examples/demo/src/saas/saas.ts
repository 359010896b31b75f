// A SaaS application: Express and express-session, people log in at the identity provider, agents act
// for them. Drawbridge's Receiver hears from the provider what happens to their sessions; the guard
// answers every request from what was heard.
import express, { type Express } from 'express'
import session, { type Store } from 'express-session'
import {
  createEnforcement,
  createPolicy,
  recommendedPolicy,
  type Enforcement,
} from '@drawbridge/enforcement'
import { guard } from '@drawbridge/enforcement/express'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { issSub, opaque } from '@drawbridge/schema'
import { RiskLevelChange } from '@drawbridge/schema/caep'
import { html } from '../html.ts'
import { agentId, type Client } from '../settings.ts'
import { addLogin } from './login.ts'
import { addMcp } from './mcp.ts'
import { createNotices } from './notices.ts'

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
  /** Hands the agent a person's ID Token, with which it gets a token to act for that person. */
  readonly sendAgent: (sid: string, idToken: string) => void
}

/** The application. Listen, then `enforcement.start()` and `receiver.start()`. */
export interface Saas {
  readonly app: Express
  readonly receiver: Receiver
  readonly enforcement: Enforcement
  /** Ends what agents listen to. */
  close(): Promise<void>
}

/** An agent that behaves oddly may go on reading; nobody can ask it to log in again. */
const policy = createPolicy([
  {
    on: RiskLevelChange,
    claims: { current_level: 'HIGH' },
    kind: 'agent',
    effect: 'restrict',
    terms: { leave: ['reports:read'] },
    reason: 'an agent that may have been led astray must change nothing',
  },
  ...recommendedPolicy().rules,
])

/** Makes the application. */
export function createSaas(options: SaasOptions): Saas {
  const { idp, origin, client, delivery } = options
  const notices = createNotices((who) => enforcement.explain(who))
  const enforcement: Enforcement = createEnforcement({
    ledger: sqliteLedger(options.ledger),
    policy,
    hooks: { restrict: notices.tell, restore: notices.tell },
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
  const { close } = addMcp(app, { idp, origin, audience: client.mcp, enforcement, notices })
  app.use(
    session({
      secret: options.cookieSecret,
      store: options.store,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax' },
    }),
  )
  addLogin(app, { idp, client })
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
        <p>Session ${login.sid} on ${login.device}.</p>
        <p role="status">${notices.of(login.sub)}</p>
        <form method="post" action="/agent"><button>Send my agent, ${agentId}</button></form>`,
    )
  })
  app.post('/agent', ({ session: { login } }, response) => {
    if (login) options.sendAgent(login.sid, login.idToken)
    response.redirect(303, '/')
  })
  return { app, receiver, enforcement, close }
}
