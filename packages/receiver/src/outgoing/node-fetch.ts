import { rootCertificates } from 'node:tls'
import { createSocketGuard, type LookupAll, type OutgoingRules } from '@drawbridge/core/outgoing'
import { Agent, buildConnector, fetch as undiciFetch } from 'undici'

/**
 * Makes a `fetch` that connects only where the rules allow it, judged at the socket: neither a name
 * nor a redirect nor an answer of DNS that changes leads inside. Redirects are not followed.
 *
 * @param lookup Default: that of the system
 */
export function guardedFetch(
  { ca, ...rules }: OutgoingRules & { readonly ca?: string },
  lookup?: LookupAll,
): typeof globalThis.fetch {
  const guard = createSocketGuard(rules, lookup)
  const connect = buildConnector({
    timeout: 10_000,
    lookup: guard.lookup,
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  })
  const dispatcher = new Agent({
    connect: (options, done) => {
      const refused = guard.refuses(options.hostname)
      if (refused) done(refused, null)
      else connect(options, done)
    },
  })
  // One undici for both: the `fetch` of Node takes no Agent of another version than its own.
  const guarded = (input: string | URL, init: object | undefined): unknown =>
    undiciFetch(input, { ...init, redirect: 'manual', dispatcher })
  return guarded as typeof globalThis.fetch
}
