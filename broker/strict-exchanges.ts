import { packetType } from './frame.ts'
import { bodyAt, Fields } from './strict-fields.ts'
import type { StrictVerdict } from './strict.ts'

// The packet identifiers that the broker has in use towards one client, and what each waits for:
//
//   we send PUBLISH QoS 1      -> puback                      PUBACK comes  -> free
//   we send PUBLISH QoS 2      -> pubrec   PUBREC comes  -> pubcomp   PUBCOMP comes -> free
//
// Aedes looks for none of this: a PUBCOMP takes a QoS 1 message off its session, and a PUBREC that nobody asked for
// ends the connection or is answered, as the session is kept or not.

type Awaited = 'puback' | 'pubrec' | 'pubcomp'

/** More are not remembered of a client that acknowledges nothing; its acks for the oldest are then unsolicited. */
const AWAITED_MAX = 4_096
/** SUBSCRIBEs of one client that wait for their SUBACK. */
const SUBSCRIBES_MAX = 64

const sound: StrictVerdict = { kind: 'sound' }
const unsolicited: StrictVerdict = { kind: 'unsolicited' }

export class Exchanges {
  readonly #awaited = new Map<number, Awaited>()
  /** By packet identifier, of a SUBSCRIBE that names a filter twice: where the answer to each of its filters stands. */
  readonly #places = new Map<number, readonly number[]>()
  #resumes = false

  resumesSession (): void { this.#resumes = true }

  judge (packet: Buffer): StrictVerdict {
    switch (packet.readUInt8(0) >> 4) {
      case packetType.puback: return this.#answered(packet.readUInt16BE(2), 'PUBACK', 'puback')
      case packetType.pubcomp: return this.#answered(packet.readUInt16BE(2), 'PUBCOMP', 'pubcomp')
      case packetType.pubrec: return this.#received(packet.readUInt16BE(2))
      case packetType.subscribe: {
        this.#notePlaces(packet)
        return sound
      }
      default: return sound
    }
  }

  sends (packets: Buffer): Buffer {
    if (packets.length === 4 && packets[0] === packetType.puback << 4) return packets // nearly all of them
    const parts: Buffer[] = []
    for (let at = 0; at < packets.length;) {
      const end = endOf(packets, at)
      parts.push(this.#send(packets.subarray(at, end)))
      at = end
    }
    return parts.length === 1 ? parts[0] ?? packets : Buffer.concat(parts)
  }

  #answered (identifier: number, name: string, answer: Awaited): StrictVerdict {
    const awaited = this.#awaited.get(identifier)
    if (awaited === undefined) return unsolicited
    if (awaited !== answer) return wrongAnswer(name, identifier, awaited)
    this.#awaited.delete(identifier)
    return sound
  }

  /** A PUBREC may come again: its PUBREL was lost. */
  #received (identifier: number): StrictVerdict {
    const awaited = this.#awaited.get(identifier)
    if (awaited === undefined) return unsolicited
    if (awaited === 'puback') return wrongAnswer('PUBREC', identifier, awaited)
    this.#awaited.set(identifier, 'pubcomp')
    return sound
  }

  // Aedes answers a filter that stands there twice once, and each wants an answer of its own [MQTT-3.8.4-5].
  #notePlaces (packet: Buffer): void {
    const fields = new Fields(packet, bodyAt(packet))
    const identifier = fields.uint16() ?? 0
    const places: number[] = []
    const known = new Map<string, number>()
    while (!fields.isAtEnd) {
      const filter = fields.text()?.toString() ?? ''
      fields.byte()
      const place = known.get(filter) ?? known.size
      known.set(filter, place)
      places.push(place)
    }
    if (known.size === places.length || this.#places.size >= SUBSCRIBES_MAX) this.#places.delete(identifier)
    else this.#places.set(identifier, places)
  }

  #send (packet: Buffer): Buffer {
    const firstByte = packet.readUInt8(0)
    const qos = firstByte >> 1 & 3
    switch (firstByte >> 4) {
      case packetType.publish: {
        if (qos > 0) this.#await(identifierOf(packet), qos === 1 ? 'puback' : 'pubrec')
        return packet
      }
      case packetType.pubrel: {
        this.#await(packet.readUInt16BE(2), 'pubcomp')
        return packet
      }
      // Aedes says so only of a session that has subscriptions [MQTT-3.2.2-2].
      case packetType.connack: return this.#resumes && packet[3] === 0 ? Buffer.of(0x20, 2, 1, 0) : packet
      case packetType.suback: return this.#answerEach(packet)
      default: return packet
    }
  }

  #await (identifier: number, awaited: Awaited): void {
    const [oldest] = this.#awaited.size >= AWAITED_MAX ? this.#awaited.keys() : []
    if (oldest !== undefined) this.#awaited.delete(oldest)
    this.#awaited.set(identifier, awaited)
  }

  #answerEach (packet: Buffer): Buffer {
    const at = bodyAt(packet)
    const identifier = packet.readUInt16BE(at)
    const places = this.#places.get(identifier)
    if (places === undefined) return packet
    this.#places.delete(identifier)
    const codes = places.map((place) => packet[at + 2 + place] ?? 0x80)
    const header = [packetType.suback << 4, ...remainingLength(2 + codes.length)]
    return Buffer.from([...header, identifier >> 8, identifier & 0xff, ...codes])
  }
}

function wrongAnswer (name: string, identifier: number, awaited: Awaited): StrictVerdict {
  const detail = `a ${name} for packet identifier ${identifier}, which waits for a ${awaited.toUpperCase()} [MQTT-4.3.3-1]`
  return { kind: 'violation', detail }
}

function identifierOf (publish: Buffer): number {
  const topicAt = bodyAt(publish)
  return publish.readUInt16BE(topicAt + 2 + publish.readUInt16BE(topicAt))
}

/** Where the packet ends that begins there. */
function endOf (packets: Buffer, start: number): number {
  let [length, at] = [0, start + 1]
  for (let shift = 0; ; shift += 7, at++) {
    const part = packets.readUInt8(at)
    length += (part & 0x7f) << shift
    if (part <= 0x7f) return at + 1 + length
  }
}

function remainingLength (length: number): number[] {
  return length < 128 ? [length] : [length & 0x7f | 0x80, ...remainingLength(length >> 7)]
}
