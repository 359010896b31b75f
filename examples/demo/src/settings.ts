import path from 'node:path'
import { required } from './process.ts'

/** What the identity provider calls the agent, and the agent itself. */
export const agentId = 'report-agent'

/** An application, as the identity provider knows it. */
export interface Client {
  readonly id: string
  readonly secret: string
  readonly redirectUri: string
  /** The bearer token of its Receiver. */
  readonly signalsToken: string
  /** Where its MCP endpoint is, for which agents get access tokens. */
  readonly mcp: string
}

/** What the driver tells both processes by environment variables. */
export interface Settings {
  readonly idp: string
  readonly saas: string
  readonly client: Client
  /** A file in the demo's folder. */
  readonly file: (name: string) => string
}

/** Reads the settings. The secrets are made anew by the driver for every run. */
export function readSettings(): Settings {
  const saas = required('SAAS')
  return {
    idp: required('IDP'),
    saas,
    client: {
      id: 'reports',
      secret: required('CLIENT_SECRET'),
      redirectUri: `${saas}/callback`,
      signalsToken: required('SIGNALS_TOKEN'),
      mcp: `${saas}/mcp`,
    },
    file: (name) => path.join(required('DATA'), name),
  }
}
