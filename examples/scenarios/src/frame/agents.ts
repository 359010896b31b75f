import type { FetchHandler } from '@drawbridge/core'
import type { Enforcement, SessionStore, TokenClaims } from '@drawbridge/enforcement'
import type { Decision, EvaluationRequest } from '@drawbridge/enforcement/authzen'

/** That an agent may act for a person. */
export interface Consent {
  /** The person's `sub`. */
  readonly person: string
  /** The agent's `sub`. */
  readonly agent: string
  /** For one task alone, and until it is done. Default: for anything, while signed in. */
  readonly task?: string
}

/** Decides whether a tool may be used on something. */
export type Decide = (request: EvaluationRequest) => Decision

/** What a gateway is made of. */
export interface GatewayParts {
  readonly enforcement: Enforcement
  /** The sessions that are alive in this process. */
  readonly sessions: SessionStore
  /** The URL of the decision point. */
  readonly decisionPoint: string
  /** The claims of the access token for the gateway; undefined where there is none that is good. */
  verify(request: Request): Promise<TokenClaims | undefined>
  /** Tells the driver that something happened. */
  tell(event: string, data: unknown): void
}

/** What a scenario has in which agents act for people. */
export interface Agents {
  /** The name of the gateway, whatever process serves it: tokens are exchanged for it. */
  readonly resource: string
  /** What the identity provider exchanges tokens for. */
  readonly consents: readonly Consent[]
  /** Makes what agents talk to in one of the API's processes. Its answers may be streams. */
  gateway(parts: GatewayParts): Promise<FetchHandler>
  /** Makes what decides in the process of the decision point. */
  decider(): Promise<Decide>
}
