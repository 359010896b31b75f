import type { Express } from 'express'
import { agentId, type Client } from '../settings.ts'
import type { Directory } from './directory.ts'
import { lifetimeSeconds, type Tokens } from './tokens.ts'

/** What {@link addTokenEndpoint} needs. */
export interface TokenEndpointParts {
  readonly issuer: string
  readonly client: Client
  readonly agentSecret: string
  readonly directory: Directory
  readonly tokens: Tokens
}

type Form = Readonly<Record<string, string | undefined>>
type Grant = (form: Form, parts: TokenEndpointParts) => Promise<object>

/** A request that gets no token: the error codes of OAuth 2.0. */
class Refusal extends Error {
  readonly status: number
  constructor(error: string) {
    super(error)
    this.status = error === 'invalid_client' ? 401 : 400
  }
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const idToken = 'urn:ietf:params:oauth:token-type:id_token'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

/** What an agent may do for a person. */
const scope = 'reports:read reports:write'

/** Gives tokens: to the application for a person's login, and to the agent. */
export function addTokenEndpoint(app: Express, parts: TokenEndpointParts): void {
  app.post('/token', async (request, response) => {
    try {
      const form = (request.body ?? {}) as Form
      const grant = grants.get(form['grant_type'] ?? '')
      if (!grant) throw new Refusal('unsupported_grant_type')
      response.set('cache-control', 'no-store').json(await grant(form, parts))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      response.status(error.status).json({ error: error.message })
    }
  })
}

const grants = new Map<string, Grant>([
  ['authorization_code', logInPerson],
  ['client_credentials', logInAgent],
  [exchange, delegate],
])

/** Ends the login of a person: the application gets the ID Token. */
async function logInPerson(form: Form, { client, directory, tokens }: TokenEndpointParts) {
  if (form['client_id'] !== client.id || form['client_secret'] !== client.secret) {
    throw new Refusal('invalid_client')
  }
  const code = directory.codes.get(form['code'] ?? '')
  directory.codes.delete(form['code'] ?? '') // a code is good once
  if (!code) throw new Refusal('invalid_grant')
  const { sub, sid, authTime, device } = code.login
  const id_token = await tokens.mint({
    typ: 'JWT',
    sub,
    aud: client.id,
    claims: { sid, nonce: code.nonce, auth_time: authTime, device },
  })
  return { id_token, token_type: 'Bearer', expires_in: lifetimeSeconds }
}

/** The agent's own token. It is good for nothing but to say here who acts. */
async function logInAgent(form: Form, parts: TokenEndpointParts) {
  authenticateAgent(form, parts)
  const { issuer, tokens } = parts
  const claims = { client_id: agentId }
  const access_token = await tokens.mint({ typ: 'at+jwt', sub: agentId, aud: issuer, claims })
  return { access_token, token_type: 'Bearer', expires_in: lifetimeSeconds }
}

/**
 * A person's token and the agent's become one: the agent, acting for the person. It rests on the
 * person's login, whenever it is made: `auth_time` and `sid` stay.
 *
 * @see RFC 8693, "Request"; "Actor Claim"
 */
async function delegate(form: Form, parts: TokenEndpointParts) {
  authenticateAgent(form, parts)
  const { issuer, client, directory, tokens } = parts
  if (form['resource'] !== client.mcp) throw new Refusal('invalid_target')
  if (form['subject_token_type'] !== idToken || form['actor_token_type'] !== accessToken) {
    throw new Refusal('invalid_request')
  }
  // For whom a token is tells an ID Token, the agent's own and a delegated one apart.
  const subject = await tokens.read(form['subject_token'] ?? '', client.id)
  const actor = await tokens.read(form['actor_token'] ?? '', issuer)
  const login = directory.logins.get(String(subject?.['sid']))
  // Nobody can act for a person who is not there any more.
  if (!login || actor?.sub !== agentId || directory.disabled.has(login.sub)) {
    throw new Refusal('invalid_request')
  }
  const { sub, sid, authTime } = login
  const access_token = await tokens.mint({
    typ: 'at+jwt',
    sub,
    aud: client.mcp,
    claims: { sid, auth_time: authTime, act: { sub: agentId }, client_id: agentId, scope },
  })
  const issued = { issued_token_type: accessToken, token_type: 'Bearer' }
  return { access_token, ...issued, expires_in: lifetimeSeconds, scope }
}

function authenticateAgent(form: Form, { agentSecret }: TokenEndpointParts): void {
  if (form['client_id'] !== agentId || form['client_secret'] !== agentSecret) {
    throw new Refusal('invalid_client')
  }
}
