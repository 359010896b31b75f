/** What is no single host that everybody can reach: RFC 6890 and its registry. */
const specialV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map(subnet)
const specialV6 = ['2001::/23', '2001:db8::/32', '3fff::/20'].map(subnet)

/** All of IPv6 that is given out. */
const globalV6 = subnet('2000::/3')

const loopbackV4 = subnet('127.0.0.0/8')
const loopbackV6 = subnet('::1/128')

/** Tells whether a text is an IPv4 or IPv6 address, without brackets. */
export const isAddress = (text: string): boolean => bitsOf(text) !== undefined

/** Tells whether an address is this machine's own. */
export function isLoopback(address: string): boolean {
  const bits = bitsOf(address)
  if (bits === undefined) return false
  return isIn(bits, bits.length === 32 ? loopbackV4 : loopbackV6)
}

/**
 * Tells whether an address is that of one host on the internet: not this machine, a private
 * network, a link, a group, or an example. What an IPv6 address wraps (mapped, NAT64, 6to4) is
 * judged too.
 *
 * @see RFC 6890, "Special-Purpose IP Address Registries"; RFC 6052, "IPv4-Embedded IPv6 Address
 *   Format"; RFC 3056, "IPv6 Prefix Allocation"
 */
export function isPublicAddress(address: string): boolean {
  const bits = bitsOf(address)
  return bits !== undefined && isPublic(bits)
}

function isPublic(bits: string): boolean {
  const inside = (net: string): boolean => isIn(bits, net)
  if (bits.length === 32) return !specialV4.some(inside)
  const wrapped = wrappedIn(bits)
  if (wrapped !== undefined) return isPublic(wrapped)
  return inside(globalV6) && !specialV6.some(inside)
}

const mapped = subnet('::ffff:0:0/96')
const nat64 = subnet('64:ff9b::/96')
const sixToFour = subnet('2002::/16')

/** The IPv4 address inside an IPv6 address that is a way to it. */
function wrappedIn(bits: string): string | undefined {
  if (isIn(bits, sixToFour)) return bits.slice(16, 48)
  return isIn(bits, mapped) || isIn(bits, nat64) ? bits.slice(96) : undefined
}

const isIn = (bits: string, net: string): boolean => bits.startsWith(net)

/** The bits that the addresses of a network begin with. */
function subnet(cidr: string): string {
  const [address = '', length] = cidr.split('/')
  return (bitsOf(address) ?? '').slice(0, Number(length))
}

/** The 32 or 128 bits of an address as text; undefined where it is none. */
function bitsOf(text: string): string | undefined {
  const [bare = ''] = text.split('%')
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(bare)) {
    const numbers = bare.split('.').map(Number)
    return numbers.every((number) => number < 256) ? binary(numbers, 8) : undefined
  }
  // The URL parser knows every way of writing one, and gives the groups in hexadecimal.
  if (!bare.includes(':') || !URL.canParse(`http://[${bare}]`)) return undefined
  const { hostname } = new URL(`http://[${bare}]`)
  const [before = '', after = ''] = hostname.slice(1, -1).split('::')
  const [head, tail] = [groups(before), groups(after)]
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => 0)
  return binary([...head, ...gap, ...tail], 16)
}

function groups(part: string): readonly number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
}

function binary(numbers: readonly number[], width: number): string {
  return numbers.map((number) => number.toString(2).padStart(width, '0')).join('')
}
