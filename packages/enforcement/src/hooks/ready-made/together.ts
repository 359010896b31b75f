import type { Hook } from '../hooks.ts'
import { forEach } from './for-each.ts'

/**
 * Makes one hook of several, which run side by side. One that fails does not stop the others, and
 * all of them are called again when the attempt is repeated.
 *
 * @example
 *   const hooks = { terminate: together(destroyExpressSessions(…), revokeTokens(…)) }
 *
 * @throws AggregateError where one failed
 */
export function together(...hooks: readonly Hook[]): Hook {
  return async (call) => {
    const context = { signal: call.signal, failed: 'hooks failed' }
    await forEach(hooks, context, (hook) => hook(call))
  }
}
