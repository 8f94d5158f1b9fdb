/** Takes the fields of a packet one after the other; gives undefined where the packet ends before the field. */
export class Fields {
  readonly #bytes: Buffer
  #at: number

  constructor (packet: Buffer, at: number) {
    this.#bytes = packet
    this.#at = at
  }

  get isAtEnd (): boolean { return this.#at === this.#bytes.length }

  byte (): number | undefined {
    return this.#at < this.#bytes.length ? this.#bytes[this.#at++] : undefined
  }

  uint16 (): number | undefined {
    if (this.#at + 2 > this.#bytes.length) return undefined
    this.#at += 2
    return this.#bytes.readUInt16BE(this.#at - 2)
  }

  /** A string or binary data, without the length before it. */
  text (): Buffer | undefined {
    const length = this.uint16()
    if (length === undefined || this.#at + length > this.#bytes.length) return undefined
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

/** Where the fixed header of a whole packet ends. */
export function bodyAt (packet: Buffer): number {
  let at = 1
  while (packet.readUInt8(at) > 0x7f) at++
  return at + 1
}
