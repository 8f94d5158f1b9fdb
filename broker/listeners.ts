import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { checkAccess, type Address } from './access.ts'
import type { Anonymous } from './admission.ts'
import type { BrokerEvent } from './events.ts'
import { guardedTcp } from './guarded-tcp.ts'
import type { Access } from './identities.ts'
import { createTlsServer, renew, type TlsKeys, type TlsLimits } from './tls-listener.ts'
import { createWsServer, type WsLimits } from './ws-listener.ts'

interface TlsAt {
  readonly listen: Address
  readonly keys: TlsKeys
}

export interface ListenerOptions {
  readonly listen: Address
  /** A listener beside the first. */
  readonly tls?: TlsAt | undefined
  /** The same over WebSocket. */
  readonly ws?: { readonly listen: Address | undefined, readonly tls: TlsAt | undefined } | undefined
  readonly anonymous: Anonymous
  readonly access?: Access
}

export interface ListenerDeps {
  readonly observe: (event: BrokerEvent) => void
  /** `user`: the name in its certificate. */
  readonly accept: (socket: Socket, user?: string) => void
}

/** Throws AccessError where a listener would let in whom nobody meant to. */
export function checkListeners ({ listen, tls, ws, anonymous, access }: ListenerOptions): void {
  const hasUsers = access?.passwords !== undefined || access?.tokens !== undefined
  const isMutual = (at: TlsAt | undefined): boolean => at?.keys.clientCa !== undefined
  checkAccess(listen, anonymous, hasUsers || (anonymous === 'never' && (isMutual(tls) || isMutual(ws?.tls))))
  if (ws?.listen !== undefined) checkAccess(ws.listen, anonymous, hasUsers || (anonymous === 'never' && isMutual(tls)))
  for (const at of [tls, ws?.tls]) if (at !== undefined) checkAccess(at.listen, anonymous, hasUsers || isMutual(at))
}

/**
 * Sockets that wait to be accepted. Of Node's 511 a fleet that comes back at once overflows: the kernel drops the
 * handshake, and the device tries again after 1, 3, 7 and 15 s. The kernel's own limit (net.core.somaxconn) holds too.
 */
const WAITING_MAX = 8_192

interface Listening {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss'
  readonly at: Address
  readonly server: Server
}

/** The sockets that clients connect to: plain, and TLS and WebSocket where they are asked for. */
export class Listeners {
  readonly #all: readonly Listening[]

  constructor ({ listen, tls, ws }: ListenerOptions, { observe, accept }: ListenerDeps, limits: TlsLimits & WsLimits) {
    const deps = { observe, accept }
    this.#all = [
      { kind: 'tcp', at: listen, server: createServer(guardedTcp, (socket) => { accept(socket) }) },
      ...tls === undefined ? [] : [{ kind: 'tls' as const, at: tls.listen, server: createTlsServer(tls.keys, deps, limits) }],
      ...ws?.listen === undefined ? [] : [{ kind: 'ws' as const, at: ws.listen, server: createWsServer(undefined, deps, limits) }],
      ...ws?.tls === undefined ? [] : [{ kind: 'wss' as const, at: ws.tls.listen, server: createWsServer(ws.tls.keys, deps, limits) }]
    ]
  }

  /** Undefined: there is no such listener. */
  portOf (kind: Listening['kind']): number | undefined {
    const server = this.#all.find((one) => one.kind === kind)?.server
    return server === undefined ? undefined : portOf(server)
  }

  /** Rejects with the error of node:net, and then none listens. */
  async listen (): Promise<void> {
    try {
      for (const { server, at } of this.#all) await listenAt(server, at)
    } catch (error) {
      this.close()
      throw error
    }
  }

  renew (keys: TlsKeys): void {
    for (const { kind, server } of this.#all) if (kind === 'tls' || kind === 'wss') renew(server as TlsServer, keys)
  }

  close (): void {
    for (const { server } of this.#all) server.close()
  }
}

async function listenAt (server: Server, { host, port }: Address): Promise<void> {
  server.listen({ port, host, backlog: WAITING_MAX })
  await once(server, 'listening')
}

function portOf (server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0 // no path was given, so it is no string
}
