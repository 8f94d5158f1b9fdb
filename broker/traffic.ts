import { packetType } from './frame.ts'

/** What went over all sockets since the start. */
export interface Traffic {
  receivedBytes: number
  sentBytes: number
  /** Packets of every type. */
  receivedPackets: number
  sentPackets: number
  receivedPublishes: number
  sentPublishes: number
  /** Of PUBLISH packets, without their fixed header. */
  receivedPublishBytes: number
  sentPublishBytes: number
}

export function noTraffic (): Traffic {
  return {
    receivedBytes: 0,
    sentBytes: 0,
    receivedPackets: 0,
    sentPackets: 0,
    receivedPublishes: 0,
    sentPublishes: 0,
    receivedPublishBytes: 0,
    sentPublishBytes: 0
  }
}

export function countReceived (traffic: Traffic, firstByte: number, declaredBytes: number): void {
  traffic.receivedPackets++
  if (firstByte >> 4 !== packetType.publish) return
  traffic.receivedPublishes++
  traffic.receivedPublishBytes += declaredBytes
}

/** Counts the packets in what is written to one connection, however it is cut into pieces. */
export class SentPackets {
  readonly #traffic: Traffic
  #firstByte: number | undefined
  #declaredBytes = 0
  #lengthBytes = 0
  /** Bytes that belong to a packet that is counted. */
  #rest = 0

  constructor (traffic: Traffic) {
    this.#traffic = traffic
  }

  add (bytes: Buffer): void {
    this.#traffic.sentBytes += bytes.length
    for (let at = 0; at < bytes.length;) {
      if (this.#rest > 0) {
        const passed = Math.min(this.#rest, bytes.length - at)
        this.#rest -= passed
        at += passed
      } else this.#readHeader(bytes.readUInt8(at++))
    }
  }

  #readHeader (byte: number): void {
    if (this.#firstByte === undefined) {
      this.#firstByte = byte
      return
    }
    this.#declaredBytes += (byte & 0x7f) << 7 * this.#lengthBytes++
    if (byte > 0x7f) return
    this.#traffic.sentPackets++
    if (this.#firstByte >> 4 === packetType.publish) {
      this.#traffic.sentPublishes++
      this.#traffic.sentPublishBytes += this.#declaredBytes
    }
    this.#rest = this.#declaredBytes
    this.#firstByte = undefined
    this.#declaredBytes = this.#lengthBytes = 0
  }
}
