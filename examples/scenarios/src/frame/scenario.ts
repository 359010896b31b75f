import type { EnforcementOptions, SessionStore } from '@drawbridge/enforcement'
import type { Agents } from './agents.ts'
import type { Stage } from './stage.ts'

/** What is known of whoever has a secret: claims of the access tokens that it gets. */
export interface Account {
  readonly sub: string
  readonly scope: string
  /** Present where it is a client's own, such as a service account. */
  readonly client_id?: string
  readonly tenant?: string
  /** Which of its credentials the secret is. */
  readonly credential?: string
}

/** What an application has for its enforcement to use. */
export interface Application {
  /** The issuers' URLs by name. */
  readonly issuers: Readonly<Record<string, string>>
  /** What operators have noted in this process. */
  readonly notes: ReadonlyMap<string, unknown>
  /** The sessions that are alive in this process, where somebody puts them there. */
  readonly sessions: SessionStore
  /** Tells the driver that something happened. */
  tell(event: string, data: unknown): void
}

/** A story with its application. */
export interface Scenario {
  readonly title: string
  /** The Transmitters besides the identity provider `idp`. Default: none. */
  readonly transmitters?: readonly string[]
  /** Who can log in, by secret. */
  readonly accounts: Readonly<Record<string, Account>>
  /** The grants that each route of the API needs. */
  readonly routes: Readonly<Record<string, readonly string[]>>
  /** Present where agents act for people. */
  readonly agents?: Agents
  /** What the application gives `createEnforcement` besides the ledger and the clock. */
  enforcement(application: Application): Omit<EnforcementOptions, 'ledger' | 'clock'>
  /** Plays it. Throws when something is not as it should be. */
  play(stage: Stage): Promise<void>
}
