import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { checkAccess, type Address } from './access.ts'
import type { Anonymous } from './admission.ts'
import type { BrokerEvent } from './events.ts'
import { guardedTcp } from './guard.ts'
import type { Access } from './identities.ts'
import { createTlsServer, renew, type TlsKeys, type TlsLimits } from './tls-listener.ts'

export interface ListenerOptions {
  readonly listen: Address
  /** A listener beside the first. */
  readonly tls?: { readonly listen: Address, readonly keys: TlsKeys } | undefined
  readonly anonymous: Anonymous
  readonly access?: Access
}

export interface ListenerDeps {
  readonly observe: (event: BrokerEvent) => void
  /** `user`: the name in its certificate. */
  readonly accept: (socket: Socket, user?: string) => void
}

/** Throws AccessError where a listener would let in whom nobody meant to. */
export function checkListeners ({ listen, tls, anonymous, access }: ListenerOptions): void {
  const hasPasswords = access?.passwords !== undefined || access?.tokens !== undefined
  const hasCertificates = tls?.keys.clientCa !== undefined
  checkAccess(listen, anonymous, hasPasswords || (hasCertificates && anonymous === 'never'))
  if (tls !== undefined) checkAccess(tls.listen, anonymous, hasPasswords || hasCertificates)
}

/** The sockets that clients connect to: plain, and TLS where there are keys for it. */
export class Listeners {
  readonly #options: ListenerOptions
  readonly #plain: Server
  readonly #tls: TlsServer | undefined

  constructor (options: ListenerOptions, { observe, accept }: ListenerDeps, limits: TlsLimits) {
    this.#options = options
    this.#plain = createServer(guardedTcp, (socket) => { accept(socket) })
    this.#tls = options.tls === undefined ? undefined : createTlsServer(options.tls.keys, { observe, accept }, limits)
  }

  get port (): number { return portOf(this.#plain) }

  get tlsPort (): number | undefined { return this.#tls === undefined ? undefined : portOf(this.#tls) }

  /** Rejects with the error of node:net, and then none listens. */
  async listen (): Promise<void> {
    const { listen, tls } = this.#options
    try {
      await listenAt(this.#plain, listen)
      if (this.#tls !== undefined && tls !== undefined) await listenAt(this.#tls, tls.listen)
    } catch (error) {
      this.close()
      throw error
    }
  }

  renew (keys: TlsKeys): void {
    if (this.#tls !== undefined) renew(this.#tls, keys)
  }

  close (): void {
    this.#plain.close()
    this.#tls?.close()
  }
}

async function listenAt (server: Server, { host, port }: Address): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}

function portOf (server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0 // no path was given, so it is no string
}
