import type { IncomingHttpHeaders } from 'node:http'

/** What a request shows of who sent it. */
export type Shown =
  | Proof
  /** Sent by a browser of its own accord, whatever page asks. */
  | { readonly kind: 'cookie', readonly token: string }

export type Proof =
  | { readonly kind: 'token', readonly token: string }
  | { readonly kind: 'password', readonly username: string, readonly password: string }

export const COOKIE = 'sluice_login'

/** Undefined: nothing. Authorization goes before a cookie; of another scheme it is a token that is none. */
export function readShown ({ authorization, cookie }: IncomingHttpHeaders): Shown | undefined {
  if (authorization !== undefined) return readAuthorization(authorization)
  for (const pair of cookie?.split(';') ?? []) {
    const [name = '', value = ''] = pair.trim().split('=')
    if (name === COOKIE && value !== '') return { kind: 'cookie', token: value }
  }
  return undefined
}

function readAuthorization (authorization: string): Proof {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(authorization) ?? []
  if (scheme.toLowerCase() !== 'basic') return { kind: 'token', token: scheme.toLowerCase() === 'bearer' ? value : '' }
  const text = Buffer.from(value, 'base64').toString()
  const colon = text.indexOf(':')
  return { kind: 'password', username: text.slice(0, Math.max(0, colon)), password: text.slice(colon + 1) }
}

/** For a browser: no script reads it, and no other site's form sends it. */
export function formatCookie (token: string, seconds: number): string {
  return `${COOKIE}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`
}
