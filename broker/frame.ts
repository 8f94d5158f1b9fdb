// The fixed header of an MQTT control packet (MQTT 3.1.1, section 2.2):
//
//   byte 1       packet type in the high four bits, flags in the low four
//   bytes 2..5   remaining length: seven bits a byte, lowest first, high bit set while more follow
//
// Nothing else of a packet is read here.

export const packetType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  disconnect: 14
} as const

const HEADER_BYTES_MAX = 5

export interface Header {
  readonly firstByte: number
  /** The remaining length: what follows the header. */
  readonly declaredBytes: number
  /** As it came. */
  readonly bytes: Buffer
}

/** Reads fixed headers, however they fall into chunks. */
export class HeaderReader {
  readonly #bytes = Buffer.alloc(HEADER_BYTES_MAX)
  #length = 0

  /** True in the middle of a header. */
  get hasBegun (): boolean { return this.#length > 0 }

  /** Takes one byte more; gives the header that it ends. A remaining length of over four bytes is 'malformed'. */
  read (byte: number): Header | 'malformed' | undefined {
    this.#bytes[this.#length++] = byte
    if (this.#length === 1) return undefined
    if (byte > 0x7f) return this.#length === HEADER_BYTES_MAX ? 'malformed' : undefined
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    const declaredBytes = bytes.subarray(1).reduce((sum, part, at) => sum + ((part & 0x7f) << 7 * at), 0)
    return { firstByte: bytes.readUInt8(0), declaredBytes, bytes }
  }
}

/** A packet on its way in: its header was read, its bytes are gathered in one piece. */
export class Packet {
  readonly header: Header
  readonly #allocate: (bytes: number) => Buffer
  #bytes: Buffer | undefined
  #filled: number

  constructor (header: Header, allocate: (bytes: number) => Buffer) {
    this.header = header
    this.#allocate = allocate
    this.#filled = header.bytes.length
  }

  get isWhole (): boolean { return this.#filled === this.header.bytes.length + this.header.declaredBytes }

  /** From its first byte to its last. */
  get bytes (): Buffer {
    this.#bytes ??= this.#begin()
    return this.#bytes
  }

  /** What of it is still to come may be put here. Memory is taken now, and not before. */
  get room (): Buffer { return this.bytes.subarray(this.#filled) }

  filled (bytes: number): void { this.#filled += bytes }

  /** Takes what of the chunk belongs to it; returns how many bytes. */
  take (chunk: Buffer): number {
    const taken = chunk.copy(this.bytes, this.#filled)
    this.#filled += taken
    return taken
  }

  #begin (): Buffer {
    const { bytes, declaredBytes } = this.header
    const packet = this.#allocate(bytes.length + declaredBytes)
    bytes.copy(packet)
    return packet
  }
}
