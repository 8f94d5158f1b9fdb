// The two CRCs of S3 that Node does not have, byte by byte from tables, both reflected:
//
//   CRC-32C       polynomial 0x82F63B78 (RFC 3720, appendix B.4)
//   CRC-64/NVME   polynomial 0x9A6C9329AC4BC9B5 (NVM Express NVM Command Set Specification, "64b CRC");
//                 held as two halves of 32 bits, since a BigInt a byte would be slow
//
// Both check to the catalogue's values for '123456789': E3069283 and AE8B14860A799888.

const crc32cTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** The CRC of what came before, extended by one chunk; starts from 0, like zlib.crc32. */
export function crc32c (chunk: Uint8Array, crc: number): number {
  let value = ~crc
  for (const byte of chunk) value = (value >>> 8) ^ (crc32cTable[(value ^ byte) & 0xff] ?? 0)
  return ~value >>> 0
}

const crc64Table = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n
  return value
})
const crc64High = Uint32Array.from(crc64Table, (value) => Number(value >> 32n))
const crc64Low = Uint32Array.from(crc64Table, (value) => Number(value & 0xffffffffn))

export class Crc64Nvme {
  #high = 0xffffffff
  #low = 0xffffffff

  update (chunk: Uint8Array): void {
    let high = this.#high
    let low = this.#low
    for (const byte of chunk) {
      const index = (low ^ byte) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ (crc64Low[index] ?? 0)
      high = (high >>> 8) ^ (crc64High[index] ?? 0)
    }
    this.#high = high
    this.#low = low
  }

  /** Eight bytes, big-endian. */
  end (): Buffer {
    const value = Buffer.alloc(8)
    value.writeUInt32BE(~this.#high >>> 0, 0)
    value.writeUInt32BE(~this.#low >>> 0, 4)
    return value
  }
}
