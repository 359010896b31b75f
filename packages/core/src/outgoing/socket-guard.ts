import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { createAddressRules, type OutgoingRules } from '../address-rules.ts'

/** Looks a name up, as `dns.lookup` does with `all`. */
export type LookupAll = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Keeps connections from addresses that a peer must not reach through us. */
export interface SocketGuard {
  /**
   * Judges the host of a URL that is an address already: it is not looked up.
   *
   * @returns The error, `ERR_ADDRESS_NOT_ALLOWED`, or undefined
   */
  refuses(hostname: string): Error | undefined
  /**
   * The `lookup` of `net.connect`: what the name stands for at the moment of the connection is
   * judged, so that a name which changes its address in between is of no use.
   */
  readonly lookup: LookupFunction
}

/**
 * Makes a guard. A URL that a peer gives must not lead into the network of whoever follows it.
 *
 * @param lookup Default: that of the system
 * @see OWASP, "Server-Side Request Forgery Prevention"
 */
export function createSocketGuard(
  rules: OutgoingRules,
  lookup: LookupAll = systemLookup,
): SocketGuard {
  const { isAllowed, mayReach, refuses } = createAddressRules(rules)

  return {
    refuses: (hostname) => (refuses(hostname) ? notAllowed() : undefined),
    lookup: (hostname, options, done) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        const good = error
          ? []
          : addresses.filter(({ address }) => isAllowed(hostname) || mayReach(address))
        const [first] = good
        if (!first) return done(error ?? notAllowed(), '', 0)
        if (options.all) return done(null, good)
        done(null, first.address, first.family)
      })
    },
  }
}

const notAllowed = (): Error =>
  Object.assign(new Error('the address is not a public one, and its host is not allowed by name'), {
    code: 'ERR_ADDRESS_NOT_ALLOWED',
  })
