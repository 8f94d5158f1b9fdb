import { crc32 as portable } from 'node:zlib'

// It uses the processor's carry-less multiplication and takes a fraction of the time of zlib's own. An optional
// dependency, since it is built for the common platforms only; the result is the same.
const native = await import('@node-rs/crc32').catch(() => undefined)

/** CRC-32 (ISO 3309) as an unsigned number. */
export const crc32: (bytes: Buffer) => number = native?.crc32 ?? portable
