import type { Socket } from 'node:net'
import type { ConnectDenial } from './admission.ts'
import type { MemoryBudget } from './budget.ts'
import type { BrokerEvent, ConnectRefusal, DisconnectReason, LimitedPacket } from './events.ts'
import { packetType } from './frame.ts'
import type { PacketMemory } from './packet-memory.ts'
import type { Permit } from './permit.ts'
import { Guard, type Finding, type GuardLimits } from './guard.ts'
import type { Traffic } from './traffic.ts'

export interface ConnectionDeps {
  readonly socket: Socket
  readonly budget: MemoryBudget
  readonly memory: PacketMemory
  readonly traffic: Traffic
  readonly observe: (event: BrokerEvent) => void
  readonly onClosed: (connection: Connection) => void
}

/** One client from its first byte to its last: refused once, or connected and then disconnected. */
export class Connection {
  readonly remote: string
  readonly guard: Guard
  /** Filters this client is subscribed to. */
  readonly filters = new Set<string>()
  /** What CONNECT was judged to be; CONNACK says so later. */
  denial: ConnectDenial | undefined
  /** The name in the client's certificate. */
  certified: string | undefined
  /** Who it is, by its certificate or by its CONNECT; true once there is a permit. */
  user: string | undefined
  /** What it may do, from the moment that it is known who it is. */
  permit: Permit | undefined
  readonly #observe: (event: BrokerEvent) => void
  #clientId: string | undefined
  #state: 'connecting' | 'refused' | 'connected' | 'closed' = 'connecting'
  #ending: { readonly reason: DisconnectReason, readonly detail?: string } | undefined

  constructor ({ socket, budget, memory, traffic, observe, onClosed }: ConnectionDeps, limits: GuardLimits) {
    this.remote = socket.remoteAddress ?? 'a client that is gone'
    this.#observe = observe
    const report = (finding: Finding): void => this.#heed(finding)
    this.guard = new Guard({ socket, budget, memory, traffic, report }, limits)
    this.guard.stream.once('close', () => {
      this.#close()
      onClosed(this)
    })
  }

  get clientId (): string | undefined { return this.#clientId }

  /** CONNACK was written. */
  admit (clientId: string): void {
    if (this.#state !== 'connecting') return
    this.#clientId = clientId
    this.#state = 'connected'
    this.#observe({ kind: 'client-connected', clientId })
    this.guard.admit()
  }

  /** Says once why this client was not admitted. Nothing is said of one that was. */
  refuse (result: ConnectRefusal, detail: string): void {
    if (this.#state !== 'connecting') return
    this.#state = 'refused'
    this.#observe({ kind: 'connect-refused', result, remote: this.remote, detail })
  }

  /** Notes why the connection is about to end; the first reason is the true one. */
  endsFor (reason: DisconnectReason, detail?: string): void {
    this.#ending ??= detail === undefined ? { reason } : { reason, detail }
  }

  #heed (finding: Finding): void {
    switch (finding.kind) {
      case 'disconnect': return this.endsFor('client')
      case 'connect-late': return this.refuse('timeout', 'no complete CONNECT arrived in time')
      case 'not-connect': return this.refuse('unsupported_protocol', describeFirstByte(finding.firstByte))
      case 'silent': return this.endsFor('keepalive')
      case 'stuck': return this.endsFor('keepalive', 'a packet it had begun did not go on')
      case 'malformed':
        this.refuse('unsupported_protocol', 'a remaining length of more than four bytes [MQTT-2.2.3]')
        return this.endsFor('refused', 'a remaining length of more than four bytes')
      case 'too-large': {
        const { type, declaredBytes, bytesMax } = finding
        const { remote, clientId } = this
        const packet = nameLimited(type)
        this.#observe({ kind: 'packet-too-large', packet, remote, clientId, declaredBytes, bytesMax })
        return this.endsFor('refused', `a ${packet} packet of ${declaredBytes} bytes; at most ${bytesMax}`)
      }
    }
  }

  #close (): void {
    const { reason, detail } = this.#ending ?? { reason: 'socket_error' }
    if (this.#state === 'connected' && this.#clientId !== undefined) {
      this.#observe({
        kind: 'client-disconnected',
        clientId: this.#clientId,
        reason,
        ...(detail === undefined ? {} : { detail })
      })
    }
    this.#state = 'closed'
  }
}

// What most likely speaks, so that the operator knows which setting to look at.
function describeFirstByte (byte: number): string {
  if (byte === 0x16) return 'what arrived looks like TLS; this listener speaks plain MQTT'
  if (byte >= 0x41 && byte <= 0x5a) return 'what arrived looks like HTTP; this listener speaks MQTT'
  return `the first packet is no CONNECT: it begins with 0x${byte.toString(16).padStart(2, '0')} [MQTT-3.1.0-1]`
}

function nameLimited (type: number): LimitedPacket {
  if (type === packetType.connect) return 'CONNECT'
  return type === packetType.publish ? 'PUBLISH' : 'control'
}
