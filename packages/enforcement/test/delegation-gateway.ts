import { opaque } from '@drawbridge/schema'
import {
  type Enforcement,
  type EnforcementEvents,
  type Hooks,
  type RegisteredSession,
  type SessionStore,
  type Who,
} from '@drawbridge/enforcement'
import { clientSecretBasic, revokeTokens, type RevocableToken } from '@drawbridge/enforcement/hooks'
import { at, gateway } from './delegation-chain.ts'
import { idp } from './signals.ts'

/** A token that a gateway got for an agent elsewhere, as it keeps it. */
export interface UpstreamSession extends RegisteredSession {
  readonly upstream: RevocableToken
}

const isUpstream = (who: Who): who is UpstreamSession => 'upstream' in who

/** What the gateway registers when it has exchanged the token of an agent for another one. */
export const upstreamOf = (
  delegator: Who,
  token: string,
  more: Partial<UpstreamSession> = {},
): UpstreamSession => ({
  id: `upstream ${token}`,
  // A name of it, and not the token: that is nothing to be looked up by.
  subject: { token: opaque(`hash of ${token}`), application: gateway },
  issuer: idp,
  kind: 'agent',
  began: at(-30),
  delegator,
  upstream: { token, token_type_hint: 'access_token' },
  ...more,
})

/** What the gateway does when access ends: what it holds elsewhere is revoked, and forgotten. */
export function gatewayHooks(endpoint: string, store: () => SessionStore): Hooks {
  const revoke = revokeTokens({
    endpoint,
    authenticate: clientSecretBasic('gateway', 'secret'),
    tokensOf: async (call) =>
      (await call.sessions()).filter(isUpstream).map(({ upstream }) => upstream),
    allowInsecureHttp: true,
  })
  return {
    terminate: async (call) => {
      const ended = (await call.sessions()).filter(isUpstream)
      await revoke(call)
      for (const { id } of ended) await store().remove(id)
    },
    suspend: revoke,
  }
}

/** Resolves when something is told. */
export function toldOf<Name extends keyof EnforcementEvents>(
  { events }: Pick<Enforcement, 'events'>,
  name: Name,
  holds: (event: EnforcementEvents[Name]) => boolean = () => true,
): Promise<EnforcementEvents[Name]> {
  return new Promise((resolve) => {
    events.on(name, (event) => {
      if (holds(event)) resolve(event)
    })
  })
}
