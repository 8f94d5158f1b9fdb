import { isIPv6 } from 'node:net'

/**
 * Whom connections and guesses are counted for: an IPv4 address, and of IPv6 the network of 64 bits, out of which one
 * customer of a provider has all addresses (RFC 6177). What ws-listener.ts adds to an address has no part in it.
 */
export function addressGroup (remote: string): string {
  const [address = ''] = remote.split(/[ %]/, 1)
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIPv6(plain) ? networkOf(plain) : plain
}

/** URL spells each IPv6 address in one way: lower case, the longest run of zeros as ::, no IPv4 in it. */
function networkOf (address: string): string {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  return `${[...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4).join(':')}::/64`
}
