import path from 'node:path'
import type { Client } from './idp.ts'
import { required } from './process.ts'

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
      api: `${saas}/api`,
      serviceSecret: required('SERVICE_SECRET'),
    },
    file: (name) => path.join(required('DATA'), name),
  }
}
