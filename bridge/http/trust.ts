// What a request says about where it comes from. That it comes from loopback says only which *program* sent it,
// and a browser is a program that strangers write for:
//
// - A page of any site may send a form or a simple fetch to 127.0.0.1 (cross-site request forgery). The
//   browser says so in Sec-Fetch-Site, and in Origin (Fetch Standard, "Origin header"; Fetch Metadata).
// - A page may point its own name at 127.0.0.1 once it is loaded (DNS rebinding); then its requests are
//   same-origin, and only the Host header still has the foreign name.
// - A proxy on this machine makes everybody a neighbour; those that say so are believed. In front of
//   one that does not, the operator has to set a token.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** As much of a request as says where it comes from. */
export interface Caller {
  readonly headers: IncomingHttpHeaders
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** Why this is not somebody on this machine, undefined where it is. */
export function findDistant ({ headers, socket: { remoteAddress = '' } }: Caller): string | undefined {
  if (!isLoopback(remoteAddress)) return `${remoteAddress} is not this machine`
  if (headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined) {
    return 'a proxy sent this for somebody else'
  }
  const host = headers.host ?? ''
  return isLoopbackHost(host) ? undefined : `${JSON.stringify(host)} is not a name of this machine alone`
}

/** Why this is not what our own page or no page at all asks for, undefined where it is. */
export function findForged ({ headers }: Caller): string | undefined {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'a page of another site asks for this'
  const { origin, host = '' } = headers
  if (origin !== undefined && !isOriginOf(origin, host)) return `the page of ${JSON.stringify(origin)} asks for this`
  return undefined
}

export function isLoopback (address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '') // an IPv4 peer of a socket that listens on IPv6
  const family = isIP(plain)
  return family !== 0 && LOOPBACK.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** In a time that says nothing about where they differ, nor how long they are. */
export function isSame (a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function isLoopbackHost (host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return name === 'localhost' || isLoopback(name)
}

function isOriginOf (origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}
