import { isAddress, isLoopback, isPublicAddress } from './public-address.ts'

/** To which addresses connections may be made. */
export interface OutgoingRules {
  /** Hosts that may have any address, by the name or address in the URL. */
  readonly allowedHosts: readonly string[]
  /** Whether this machine's own addresses are allowed too, as in tests and demos. */
  readonly allowLoopback: boolean
}

/** {@link OutgoingRules}, ready to judge by. */
export interface AddressRules {
  /** Tells whether a host may have any address. */
  isAllowed(hostname: string): boolean
  /** Tells whether a connection to an address may be made. */
  mayReach(address: string): boolean
  /** Tells whether the host of a URL is an address already and must not be connected to. */
  refuses(hostname: string): boolean
}

/** Reads rules once, so that a judgement does not. Runs wherever there are URLs. */
export function createAddressRules(rules: OutgoingRules): AddressRules {
  const allowed = new Set(rules.allowedHosts.map(plain))
  const isAllowed = (hostname: string): boolean => allowed.has(plain(hostname))
  const mayReach = (address: string): boolean =>
    isPublicAddress(address) || (rules.allowLoopback && isLoopback(address))
  return {
    isAllowed,
    mayReach,
    refuses: (hostname) => {
      const host = plain(hostname)
      return isAddress(host) && !isAllowed(host) && !mayReach(host)
    },
  }
}

/** Without the brackets that an IPv6 address has in a URL, and the dot that a name may end with. */
const plain = (hostname: string): string => hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase()
