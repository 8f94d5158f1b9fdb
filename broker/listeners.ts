import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { checkAccess, type Address } from './access.ts'
import type { Anonymous } from './admission.ts'
import type { BrokerEvent } from './events.ts'
import { guardedTcp } from './guarded-tcp.ts'
import type { Access } from './identities.ts'
import { Arrivals, type Arrival, type ArrivalLimits } from './arrivals.ts'
import { createTlsServer, renew, type Certificate, type TlsKeys } from './tls-listener.ts'
import { createWsServer, type Messages, type WsLimits } from './ws-listener.ts'

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
  readonly accept: (accepted: Accepted) => void
}

/** A connection that may speak MQTT. */
export interface Accepted {
  readonly socket: Socket
  readonly arrival: Arrival
  readonly certificate?: Certificate | undefined
  /** Where its bytes come in messages. */
  readonly messages?: Messages
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
  /** What makes the handshake, and does not listen itself. */
  readonly inner?: Server
}

/** Read by what makes the handshake, as it likes. */
const unguardedTcp = { ...guardedTcp, pauseOnConnect: false, highWaterMark: 16 * 1024 }

/** The sockets that clients connect to: plain, and TLS and WebSocket where they are asked for. */
export class Listeners {
  readonly #all: readonly Listening[]
  readonly #arrivals: Arrivals

  constructor (
    { listen, tls, ws }: ListenerOptions, { observe, accept }: ListenerDeps, limits: ArrivalLimits & WsLimits
  ) {
    const arrivals = new Arrivals(observe, limits)
    this.#arrivals = arrivals
    const accepted = ({ transport, ...opened }: Omit<Accepted, 'arrival'> & { readonly transport: Socket }): void => {
      const arrival = arrivals.taken(transport)
      if (arrival === undefined) opened.socket.destroy()
      else accept({ ...opened, arrival })
    }
    const front = (kind: Listening['kind'], at: Address, inner: Server): Listening => {
      const server = createServer(kind === 'tls' ? guardedTcp : unguardedTcp, (socket) => {
        if (arrivals.expect(socket)) inner.emit('connection', socket) // documented: node:tls, node:http, 'connection'
      })
      return { kind, at, server, inner }
    }
    const plain = createServer(guardedTcp, (socket) => {
      const arrival = arrivals.enter(socket)
      if (arrival !== undefined) accept({ socket, arrival })
    })
    const overTls = {
      observe,
      accept (socket: Socket, certificate?: Certificate) { accepted({ socket, transport: socket, certificate }) }
    }
    const overWs = { observe, accept: accepted }
    this.#all = [
      { kind: 'tcp', at: listen, server: plain },
      ...tls === undefined ? [] : [front('tls', tls.listen, createTlsServer(tls.keys, overTls))],
      ...ws?.listen === undefined ? [] : [front('ws', ws.listen, createWsServer(undefined, overWs, limits))],
      ...ws?.tls === undefined ? [] : [front('wss', ws.tls.listen, createWsServer(ws.tls.keys, overWs, limits))]
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
    for (const { kind, inner } of this.#all) if (kind === 'tls' || kind === 'wss') renew(inner as TlsServer, keys)
  }

  close (): void {
    for (const { server } of this.#all) server.close()
    this.#arrivals.close()
  }
}

async function listenAt (server: Server, { host, port }: Address): Promise<void> {
  server.listen({ port, host, backlog: WAITING_MAX })
  await once(server, 'listening')
}

function portOf (server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0 // no path was given, so it is no string
}
