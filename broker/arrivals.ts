import type { Socket } from 'node:net'
import { addressGroup } from './address-group.ts'
import type { BrokerEvent, LimitName } from './events.ts'

export interface ArrivalLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly connectMs: number
}

/** A connection from the moment the kernel hands it over, whatever it has to do before it may speak MQTT. */
export interface Arrival {
  /** On the clock of `performance.now`. */
  readonly at: number
  /** It is gone, and counts no more; may be called again. */
  leave (): void
}

interface Pending extends Arrival {
  readonly socket: Socket
  readonly deadline: NodeJS.Timeout
}

const LATE = 'no complete CONNECT arrived in time'

/**
 * How many connections there are, in all and of each address, and how long each may take to speak MQTT. Counted
 * before a TLS handshake and a WebSocket upgrade, or a stranger could hold as many as he likes in front of them.
 */
export class Arrivals {
  readonly #observe: (event: BrokerEvent) => void
  readonly #limits: ArrivalLimits
  readonly #counts = new Map<string, number>()
  /** In a handshake, by the two ends of the connection. */
  readonly #pending = new Map<string, Pending>()
  #all = 0

  constructor (observe: (event: BrokerEvent) => void, limits: ArrivalLimits) {
    this.#observe = observe
    this.#limits = limits
  }

  /** Undefined: there is no room for it, and it is cut and told of. */
  enter (socket: Socket): Arrival | undefined {
    const address = addressGroup(socket.remoteAddress ?? '')
    const full = this.#whyFull(address)
    if (full !== undefined) {
      this.#refuse(socket, 'over_limit', full.limit, full.detail)
      return undefined
    }
    this.#all++
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1)
    let isHere = true
    const leave = (): void => {
      if (isHere) this.#left(address)
      isHere = false
    }
    return { at: performance.now(), leave }
  }

  /** The same of one that has a handshake before it: it is cut where that takes too long, until it is `taken`. */
  expect (socket: Socket): boolean {
    const arrival = this.enter(socket)
    if (arrival === undefined) return false
    const ends = endsOf(socket)
    const deadline = setTimeout(() => {
      if (this.#pending.delete(ends)) this.#refuse(socket, 'timeout', 'handshake', LATE)
    }, this.#limits.connectMs)
    this.#pending.set(ends, { ...arrival, socket, deadline })
    socket.once('close', () => {
      clearTimeout(deadline)
      if (this.#pending.get(ends)?.socket === socket) this.#pending.delete(ends)
      arrival.leave()
    })
    return true
  }

  /** Of one whose handshake is done, by it or by a socket around it. Undefined: it is gone. */
  taken (socket: Socket): Arrival | undefined {
    const ends = endsOf(socket)
    const arrival = this.#pending.get(ends)
    this.#pending.delete(ends)
    clearTimeout(arrival?.deadline)
    return arrival
  }

  /** Ends the handshakes. */
  close (): void {
    for (const { socket } of this.#pending.values()) socket.destroy()
  }

  #refuse (socket: Socket, result: 'over_limit' | 'timeout', limit: LimitName, detail: string): void {
    const { remoteAddress: remote = '' } = socket
    this.#observe({ kind: 'limit-reached', limit, who: remote, detail })
    this.#observe({ kind: 'connect-refused', result, remote, detail })
    socket.destroy()
  }

  #whyFull (address: string): { readonly limit: LimitName, readonly detail: string } | undefined {
    const { connectionsMax, connectionsPerAddressMax: ofOne } = this.#limits
    if (this.#all >= connectionsMax) {
      return { limit: 'connections', detail: `${connectionsMax} connections are open, as many as mqtt.maxConnections allows` }
    }
    if ((this.#counts.get(address) ?? 0) < ofOne) return undefined
    const detail = `${ofOne} connections of ${address} are open, as many as mqtt.limits.connectionsPerAddress allows`
    return { limit: 'connections_per_address', detail }
  }

  #left (address: string): void {
    this.#all--
    const left = (this.#counts.get(address) ?? 0) - 1
    if (left > 0) this.#counts.set(address, left)
    else this.#counts.delete(address)
  }
}

function endsOf ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
