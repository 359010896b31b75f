export { type Identify, type Nobody } from './bindings/identify.ts'
export { guardFetch, type FetchHandlerFunction } from './bindings/fetch.ts'
export { createEnforcement } from './create-enforcement.ts'
export { effects, type Effect } from './effect.ts'
export { type DwellTime, type Enforcement, type EnforcementEvents } from './enforcement.ts'
export { fold, type Fold } from './fold.ts'
export {
  type AccessAllowed,
  type AccessDecision,
  type AccessDenied,
  type RequestLike,
} from './guard/access-decision.ts'
export { type Explanation, type Restoration, type Taken } from './guard/explanation.ts'
export { type HookRetry } from './hooks/hook-runner.ts'
export { type Hook, type HookCall, type HookName, type Hooks } from './hooks/hooks.ts'
export { entryKey, readEntry, type Cause, type LedgerEntry } from './ledger/ledger-entry.ts'
export { merge, type Ledger, type Written } from './ledger/ledger.ts'
export { memoryLedger } from './ledger/memory.ts'
export { supersedes } from './ledger/supersedes.ts'
export { type EnforcementOptions } from './options.ts'
export { createPolicy, type EventToRule, type Policy, type Rule } from './policy/policy.ts'
export { recommendedPolicy } from './policy/recommended-policy.ts'
export { readSession, type Session, type Who } from './session.ts'
