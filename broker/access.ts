import { isLoopback, type Anonymous } from './admission.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** The listener would let in whom nobody meant to, or nobody at all; the message says how to fix it. */
export class AccessError extends Error {
  readonly code: 'ANONYMOUS_BEYOND_LOOPBACK' | 'NOBODY_MAY_CONNECT'

  constructor (code: AccessError['code'], message: string) {
    super(message)
    this.name = 'AccessError'
    this.code = code
  }
}

/** Throws AccessError. */
export function checkAccess ({ host, port }: Address, anonymous: Anonymous, hasIdentities = false): void {
  if (anonymous === 'always' || hasIdentities) return
  if (anonymous === 'never') {
    throw new AccessError('NOBODY_MAY_CONNECT',
      'auth.anonymous is never and devices have no other way to say who they are, so none could connect to ' +
      `${host}:${port}; name a file in auth.passwordFile, or set auth.anonymous: loopback for clients on this machine`)
  }
  if (!isLoopback(host)) {
    throw new AccessError('ANONYMOUS_BEYOND_LOOPBACK',
      `mqtt.listen is ${host}:${port}, which other machines can reach, and auth.anonymous is ${anonymous}; ` +
      'name a file of users in auth.passwordFile, set mqtt.listen to 127.0.0.1:1883, ' +
      'or auth.anonymous: always if every machine that can reach this port may publish')
  }
}
