import { isIPv6 } from 'node:net'
import type { Address } from './config.ts'

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$/

/** `127.0.0.1:1883`, `[::1]:1883`, `localhost:1883`. The host is never left out: who can reach it hangs on it. */
export function parseAddress (text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const [, bracketed, bare, digits] = match
  const port = Number(digits)
  const host = bracketed ?? bare ?? ''
  const valid = bracketed === undefined ? HOST.test(host) : isIPv6(host)
  return valid && port <= 65_535 ? { host, port } : undefined
}

export function formatAddress ({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** Nobody but this machine can reach it (RFC 1122 3.2.1.3, RFC 4291 2.5.3). */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
