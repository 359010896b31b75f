// An agent with the official MCP client. A model would decide what it calls; here the driver does.
import { EventEmitter, once } from 'node:events'
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type ProgressCallback,
} from '@modelcontextprotocol/client'
import type { Apps } from './apps.ts'
import { agentId } from './settings.ts'

/** What a tool answered. */
export interface Answer {
  /** `unauthorized` is an answer to the token, and no tool was asked. */
  readonly outcome: 'result' | 'error' | 'unauthorized'
  readonly text: string
}

/** The agent, with a token to act for a person. */
export interface Agent {
  /**
   * Gets a fresh token to act for the same person.
   *
   * @returns Why there is none, where there is none
   */
  renew(): Promise<string | undefined>
  /** The names of the tools that it sees. */
  tools(): Promise<readonly string[]>
  read(): Promise<Answer>
  /** Writes lines, and resolves when the first one is there, or when none will be. */
  write(lines: number): Promise<Writing>
  close(): Promise<void>
}

/** A write that is under way, or was refused. */
export interface Writing {
  readonly began: boolean
  readonly ended: Promise<Answer>
}

/**
 * Lets the agent act for a person.
 *
 * @param idToken The person's
 */
export async function startAgent(apps: Apps, idToken: string): Promise<Agent> {
  const first = await tokenFor(apps, idToken)
  if ('error' in first) throw new Error(`the agent gets no token: ${first.error}`)
  let { token } = first
  const client = new Client(
    { name: agentId, version: '0.1.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  const authProvider = { token: () => Promise.resolve(token) }
  const url = new URL(`${apps.saas}/mcp`)
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider }))
  const call = async (
    name: string,
    args: Readonly<Record<string, unknown>>,
    onprogress?: ProgressCallback,
  ): Promise<Answer> => {
    try {
      const options = onprogress ? { onprogress } : {}
      const { isError, content } = await client.callTool({ name, arguments: args }, options)
      const text = content.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
      return { outcome: isError ? 'error' : 'result', text }
    } catch (error) {
      if (!UnauthorizedError.isInstance(error)) throw error
      return { outcome: 'unauthorized', text: error.message }
    }
  }
  return {
    renew: async () => {
      const fresh = await tokenFor(apps, idToken)
      if ('error' in fresh) return fresh.error
      token = fresh.token
      return undefined
    },
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    read: () => call('read_report', {}),
    write: async (lines) => {
      const report = new EventEmitter()
      const began = once(report, 'line').then(() => true)
      const ended = call('write_report', { lines }, () => report.emit('line'))
      return { began: await Promise.race([began, ended.then(() => false)]), ended }
    },
    close: () => client.close(),
  }
}

type TokenAnswer = { readonly token: string } | { readonly error: string }

/**
 * Exchanges the person's token and the agent's own for one with which the agent acts for the
 * person.
 *
 * @see RFC 8693, "Request"
 */
async function tokenFor(apps: Apps, idToken: string): Promise<TokenAnswer> {
  const own = await askToken(apps, { grant_type: 'client_credentials' })
  if ('error' in own) return own
  return await askToken(apps, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    resource: `${apps.saas}/mcp`,
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    actor_token: own.token,
    actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  })
}

async function askToken(
  { idp, agentSecret }: Apps,
  form: Readonly<Record<string, string>>,
): Promise<TokenAnswer> {
  const body = new URLSearchParams({ ...form, client_id: agentId, client_secret: agentSecret })
  const response = await fetch(`${idp}/token`, { method: 'POST', body })
  const { access_token: token, error } = (await response.json()) as Record<string, string>
  return token === undefined ? { error: error ?? `status ${response.status}` } : { token }
}
