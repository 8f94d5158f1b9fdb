import { crc32 as portable } from 'node:zlib'

// It uses the processor's carry-less multiplication and takes a fraction of the time of zlib's own. An optional
// dependency, since it is built for the common platforms only; the result is the same.
const native = await import('@node-rs/crc32').catch(() => undefined)

/** CRC-32 (ISO 3309) as an unsigned number. */
export const crc32: (bytes: Buffer) => number = native?.crc32 ?? portable

/** CRC-32C (RFC 3720, appendix B.4) as an unsigned number; LevelDB's checksum. */
export const crc32c: (bytes: Buffer) => number = native?.crc32c ?? portable32c

const REFLECTED = 0x82f63b78
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ REFLECTED
  return value
})

export function portable32c (bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}
