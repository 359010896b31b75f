import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isLoopback, isPublicAddress } from './public-address.ts'

/** To which addresses connections may be made. */
export interface OutgoingRules {
  /** Hosts that may have any address, by the name or address in the URL. */
  readonly allowedHosts: readonly string[]
  /** Whether this machine's own addresses are allowed too, as in tests and demos. */
  readonly allowLoopback: boolean
}

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
  const allowed = new Set(rules.allowedHosts.map((host) => bare(host).toLowerCase()))
  const isAllowed = (hostname: string): boolean => allowed.has(bare(hostname).toLowerCase())
  const mayReach = (address: string): boolean =>
    isPublicAddress(address) || (rules.allowLoopback && isLoopback(address))

  return {
    refuses: (hostname) => {
      const host = bare(hostname)
      return isIP(host) === 0 || isAllowed(host) || mayReach(host) ? undefined : notAllowed()
    },
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

/** Without the brackets that an IPv6 address has in a URL. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

const notAllowed = (): Error =>
  Object.assign(new Error('the address is not a public one, and its host is not allowed by name'), {
    code: 'ERR_ADDRESS_NOT_ALLOWED',
  })
