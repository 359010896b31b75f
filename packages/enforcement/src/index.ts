export { agentKey } from './agent-key.ts'
export {
  auditedEvents,
  watchForAudit,
  type AuditedEvent,
  type AuditPrivacy,
  type AuditRecord,
} from './audit/audit-record.ts'
export {
  createAuthority,
  type Authority,
  type OutsideMandate,
  type Reach,
} from './authority/authority.ts'
export { type Mandate, type Mandates } from './authority/mandate.ts'
export { type Act, type ActName } from './blast-radius/act.ts'
export { type Ruling } from './blast-radius/acts.ts'
export { type Budget } from './blast-radius/budget.ts'
export {
  type AnsweredOverrun,
  type Operator,
  type OperatorOptions,
  type QuarantineOptions,
  type UndoOptions,
} from './blast-radius/operator.ts'
export { type NotUndone, type UndoResult } from './blast-radius/undo.ts'
export { type GuardOptions } from './bindings/judge.ts'
export { type Identify, type Nobody } from './bindings/identify.ts'
export { guardFetch, type FetchHandlerFunction } from './bindings/fetch.ts'
export { createEnforcement } from './create-enforcement.ts'
export {
  effects,
  type Effect,
  type EffectWithTerms,
  type ReauthenticateTerms,
  type RestrictTerms,
  type ShortenTerms,
  type Terms,
} from './effect.ts'
export { type DwellTime, type EnforcementEvents } from './enforcement-events.ts'
export { type DryRun, type Enforcement } from './enforcement.ts'
export {
  fold,
  type Fold,
  type FoldRules,
  type GrantLimits,
  type Held,
  type Reauthentication,
} from './fold.ts'
export { fromClaims, type FromClaimsOptions, type TokenClaims } from './from-claims.ts'
export {
  type AccessAllowed,
  type AccessDecision,
  type AccessDenied,
  type CheckOptions,
  type RequestLike,
} from './guard/access-decision.ts'
export { type SiteData } from './guard/denial-response.ts'
export { type Explanation, type Restoration, type Taken } from './guard/explanation.ts'
export { prepare } from './guard/prepare.ts'
export { type HookRetry } from './hooks/hook-runner.ts'
export { type Hook, type HookCall, type HookName, type Hooks } from './hooks/hooks.ts'
export { type InputOptions } from './inputs/issue-event.ts'
export { logoutEvent, type LogoutEventOptions } from './inputs/logout-event.ts'
export { scimEvent, type ScimEventOptions, type ScimRequest } from './inputs/scim-event.ts'
export {
  tokenRevocationEndpoint,
  type Revocation,
  type RevocationRefusal,
  type TokenRevocationEndpointOptions,
} from './inputs/token-revocation-endpoint.ts'
export {
  tokenRevocationEvent,
  type TokenRevocationOptions,
} from './inputs/token-revocation-event.ts'
export {
  entryKey,
  issuerWide,
  localIssuer,
  readEntry,
  type Cause,
  type Instead,
  type LedgerEntry,
} from './ledger/ledger-entry.ts'
export {
  merge,
  type Ledger,
  type LedgerDoubt,
  type LedgerFollower,
  type Written,
} from './ledger/ledger.ts'
export { memoryLedger } from './ledger/memory.ts'
export { supersedes } from './ledger/supersedes.ts'
export {
  type LocalCause,
  type LocalLift,
  type LocalSignal,
  type Onward,
  type Transmit,
} from './local/local-signal.ts'
export {
  changeWindow,
  dataBoundary,
  type ChangeWindow,
  type ChangeWindowOptions,
  type DataBoundaryOptions,
  type RequestRule,
  type RequestToJudge,
} from './local/request-rule.ts'
export { enforcementMetrics, type EnforcementMetrics } from './metrics.ts'
export { type EnforcementOptions } from './options.ts'
export { createPolicy, type EventToRule, type Policy } from './policy/policy.ts'
export { recommendedPolicy } from './policy/recommended-policy.ts'
export {
  type LeaveClaimTerms,
  type Rule,
  type RuleConditions,
  type RuleEffect,
} from './policy/rule.ts'
export { memorySessions } from './sessions/memory.ts'
export { type SessionStoreOptions } from './sessions/options.ts'
export { type RegisteredSession, type SessionStore } from './sessions/sessions.ts'
export { readSession, type DelegatorSession, type Session } from './session.ts'
export { type EndsWith, type SessionKind, type Who } from './who.ts'
export { type SilenceRule, type SilenceRules } from './silence.ts'
export { AccessEndedError } from './watch/access-ended.ts'
export { type WatchOptions } from './watch/watches.ts'
