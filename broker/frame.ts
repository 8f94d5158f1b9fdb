// The fixed header of an MQTT control packet (MQTT 3.1.1, section 2.2):
//
//   byte 1       packet type in the high four bits, flags in the low four
//   bytes 2..5   remaining length: seven bits a byte, lowest first, high bit set while more follow
//
// Nothing else of a packet is read here, and no byte is kept or copied.

export const packetType = { connect: 1, publish: 3, disconnect: 14 } as const

const NO_HEADER = -1
const LAST_SHIFT = 21 // of the fourth and last length byte

/** Finds where packets begin and end in a stream of chunks, however the chunks fall. */
export class FrameReader {
  #firstByte = 0
  #declaredBytes = 0
  #bodyBytesLeft = 0
  #shift = NO_HEADER
  #isMalformed = false

  /** Of the packet whose header was read last: type and flags. */
  get firstByte (): number { return this.#firstByte }

  /** Of the same packet: its remaining length. */
  get declaredBytes (): number { return this.#declaredBytes }

  /** True once a remaining length ran over four bytes; there are no frames behind it. */
  get isMalformed (): boolean { return this.#isMalformed }

  get isInBody (): boolean { return this.#bodyBytesLeft > 0 }

  get isBetweenPackets (): boolean { return this.#bodyBytesLeft === 0 && this.#shift === NO_HEADER }

  /** Reads on in a fixed header. Returns the index behind it, or undefined where the chunk ends first. */
  readHeader (chunk: Buffer): number | undefined {
    for (let at = 0; at < chunk.length; at++) {
      if (this.#readHeaderByte(chunk.readUInt8(at))) return at + 1
    }
    return undefined
  }

  /** Passes over the body of the packet at hand. Returns the index behind what of it is in the chunk. */
  skipBody (chunk: Buffer, from: number): number {
    const skipped = Math.min(this.#bodyBytesLeft, chunk.length - from)
    this.#bodyBytesLeft -= skipped
    return from + skipped
  }

  #readHeaderByte (byte: number): boolean {
    if (this.#shift === NO_HEADER) {
      this.#firstByte = byte
      this.#declaredBytes = 0
      this.#shift = 0
      return false
    }
    this.#declaredBytes += (byte & 0x7f) << this.#shift
    this.#isMalformed = byte > 0x7f && this.#shift === LAST_SHIFT
    if (byte > 0x7f && !this.#isMalformed) {
      this.#shift += 7
      return false
    }
    this.#shift = NO_HEADER
    this.#bodyBytesLeft = this.#declaredBytes
    return true
  }
}
