import { BlockList, isIP, isIPv4 } from 'node:net'

/** What is no single host that everybody can reach: RFC 6890 and its registry. */
const special = new BlockList()
const ipv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
for (const [net, prefix] of ipv4) special.addSubnet(net, prefix, 'ipv4')
special.addSubnet('2001::', 23, 'ipv6')
special.addSubnet('2001:db8::', 32, 'ipv6')
special.addSubnet('3fff::', 20, 'ipv6')

/** All of IPv6 that is given out. */
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Tells whether an address is this machine's own. */
export const isLoopback = (address: string): boolean =>
  loopback.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')

/**
 * Tells whether an address is that of one host on the internet: not this machine, a private
 * network, a link, a group, or an example. What an IPv6 address wraps (mapped, NAT64, 6to4) is
 * judged too.
 *
 * @see RFC 6890, "Special-Purpose IP Address Registries"; RFC 6052, "IPv4-Embedded IPv6 Address
 *   Format"; RFC 3056, "IPv6 Prefix Allocation"
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4')
    case 6: {
      const wrapped = wrappedIn(groupsOf(address))
      if (wrapped !== undefined) return isPublicAddress(wrapped)
      return global.check(address, 'ipv6') && !special.check(address, 'ipv6')
    }
    default:
      return false
  }
}

/** The IPv4 address inside an IPv6 address that is a way to it. */
function wrappedIn(groups: readonly number[]): string | undefined {
  const [first = 0, second = 0, third = 0] = groups
  if (first === 0x20_02) return dotted(second, third)
  const head = groups.slice(0, 6)
  const isMapped = head.slice(0, 5).every((group) => group === 0) && head[5] === 0xff_ff
  const isNat64 =
    first === 0x64 && second === 0xff_9b && head.slice(2).every((group) => group === 0)
  return isMapped || isNat64 ? dotted(groups[6] ?? 0, groups[7] ?? 0) : undefined
}

const dotted = (high: number, low: number): string =>
  [high >> 8, high & 255, low >> 8, low & 255].join('.')

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [bare = ''] = address.split('%')
  const [, v4] = /:((?:\d+\.){3}\d+)$/.exec(bare) ?? []
  const text = v4 === undefined ? bare : bare.replace(v4, hexOf(v4))
  const [before = '', after] = text.split('::')
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const [head, tail] = [numbers(before), numbers(after ?? '')]
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

function hexOf(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number)
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}
