import type { ConnectDenial } from './admission.ts'
import type { MemoryBudget } from './budget.ts'
import type { BrokerEvent, ConnectRefusal, DisconnectReason, LimitedPacket, LimitName } from './events.ts'
import type { Finding } from './finding.ts'
import { packetType } from './frame.ts'
import { Granted } from './granted.ts'
import type { Identity } from './identities.ts'
import type { ImageMemory } from './image-memory.ts'
import type { Permit } from './permit.ts'
import { Guard, type GuardLimits } from './guard.ts'
import type { Accepted } from './listeners.ts'
import type { Certificate } from './tls-listener.ts'
import type { Traffic } from './traffic.ts'
import type { Messages } from './ws-listener.ts'

export interface ConnectionDeps {
  readonly accepted: Accepted
  readonly budget: MemoryBudget
  readonly memory: ImageMemory
  readonly traffic: Traffic
  readonly observe: (event: BrokerEvent) => void
  readonly onClosed: (connection: Connection) => void
}

/** Shorter ones are the grain of a timer. */
const HELD_BACK_MS = 5
const LIMITS = { CONNECT: 'connect_bytes', PUBLISH: 'packet_bytes', control: 'control_bytes' } as const

/** One client from its first byte to its last: refused once, or connected and then disconnected. */
export class Connection {
  readonly remote: string
  readonly guard: Guard
  /** Filters this client is subscribed to. */
  readonly filters = new Granted()
  /** What CONNECT was judged to be; CONNACK says so later. */
  denial: ConnectDenial | undefined
  readonly certificate: Certificate | undefined
  /** Who it is, by its certificate or by its CONNECT; true once there is a permit. */
  user: string | undefined
  /** How that is known; undefined of a client without a name. */
  identity: Identity | undefined
  /** What it may do, from the moment that it is known who it is. */
  permit: Permit | undefined
  readonly #told = new Set<LimitName>()
  readonly #observe: (event: BrokerEvent) => void
  readonly #messages: Messages | undefined
  #clientId: string | undefined
  #state: 'connecting' | 'refused' | 'connected' | 'closed' = 'connecting'
  #ending: { readonly reason: DisconnectReason, readonly detail?: string } | undefined

  constructor ({ accepted, budget, memory, traffic, observe, onClosed }: ConnectionDeps, limits: GuardLimits) {
    const { socket, arrival, certificate, messages } = accepted
    this.remote = socket.remoteAddress ?? 'a client that is gone'
    this.certificate = certificate
    this.#messages = messages
    if (messages !== undefined) messages.onTooLong = (bytesMax) => { this.#heed({ kind: 'message-too-long', bytesMax }) }
    this.#observe = observe
    const report = (finding: Finding): void => this.#heed(finding)
    this.guard = new Guard({ socket, acceptedAt: arrival.at, budget, memory, traffic, report }, limits)
    this.guard.stream.once('close', () => {
      arrival.leave()
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
    this.#messages?.widen()
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

  /** It met a limit. */
  limited (limit: LimitName, detail: string): void {
    this.#observe({ kind: 'limit-reached', limit, who: this.#clientId ?? this.remote, detail })
  }

  /** Told of once a connection and limit: a device that is too fast stays so. */
  #heldBack (limit: 'messages_per_second' | 'bytes_per_second' | 'in_flight'): void {
    if (this.#told.has(limit)) return
    this.#told.add(limit)
    this.limited(limit, 'what it sends is read more slowly')
  }

  #heed (finding: Finding): void {
    switch (finding.kind) {
      case 'disconnect': return this.endsFor('client')
      case 'connect-late':
        this.limited('handshake', 'no complete CONNECT arrived in time')
        return this.refuse('timeout', 'no complete CONNECT arrived in time')
      case 'verified-late':
        this.limited('verifying', 'it was not known in time who it is')
        return this.refuse('timeout', 'it was not known in time who it is')
      case 'idle':
        this.limited('idle', 'it sent nothing, and has no keep alive')
        return this.endsFor('keepalive', 'it sent nothing for longer than mqtt.limits.idle')
      case 'held-back':
        if (finding.ms === undefined || finding.ms > HELD_BACK_MS) this.#heldBack(finding.limit)
        return
      case 'not-connect': return this.refuse('unsupported_protocol', describeFirstByte(finding.firstByte))
      case 'silent': return this.endsFor('keepalive')
      case 'stuck':
        this.limited('progress', 'a packet it had begun did not go on')
        return this.endsFor('keepalive', 'a packet it had begun did not go on')
      case 'malformed':
        this.refuse('unsupported_protocol', 'a remaining length of more than four bytes [MQTT-2.2.3]')
        return this.endsFor('refused', 'a remaining length of more than four bytes')
      case 'violation':
        this.refuse('unsupported_protocol', finding.detail)
        return this.endsFor('refused', finding.detail)
      case 'unsupported-level':
        return this.refuse('unsupported_protocol', `a CONNECT of ${finding.level}; set the client to MQTT 3.1.1, which is MQTT level 4`)
      case 'message-too-long': {
        const detail = `a WebSocket message of more than ${finding.bytesMax} bytes`
        this.limited(this.#state === 'connected' ? 'packet_bytes' : 'connect_bytes', detail)
        this.refuse('over_limit', detail)
        return this.endsFor('refused', detail)
      }
      case 'too-large': {
        const { type, declaredBytes, bytesMax } = finding
        const { remote, clientId } = this
        const packet = nameLimited(type)
        this.#observe({ kind: 'packet-too-large', packet, remote, clientId, declaredBytes, bytesMax })
        this.limited(LIMITS[packet], `a ${packet} packet of ${declaredBytes} bytes; at most ${bytesMax}`)
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
