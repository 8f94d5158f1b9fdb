// What is left in a log that has been damaged, entry by entry. LevelDB gives up a whole batch for one flipped bit.
//
// A record of the log is broken in two at the end of a block and nowhere else (segment-log.ts), so without the
// seven bytes at the beginning of each block every operation stands in one piece. They are told by their keys, and
// the headers, which may be damaged too, are not looked at. Entries and payloads have checksums of their own.

import type { FileHandle } from 'node:fs/promises'
import { crc32 } from '../crc32.ts'
import type { Entry } from '../entry.ts'
import { parseEntry } from './entry-record.ts'
import { BLOCK, BLOCK_DATA, FRAGMENT_HEADER, NOWHERE, type Spots } from './place.ts'
import { KEY, parseSequence } from './segment.ts'

/** PUT, and the length of a key: a letter and 14 hex digits. */
const MARK = Buffer.from([1, 15])
const KEY_BYTES = 15
const ENTRY_BYTES_MAX = 1024 * 1024
/** Between the last byte of a record and its successor's first key: a fragment's header and a batch's. */
const RECORD_HEAD = 19

/**
 * By sequence. Where the payload of an entry was never written to its end, as in a loss of power, there is none. What
 * stands within a payload whose entry is sound is never looked at: a device may send what looks like an entry.
 */
export async function salvageLog (file: FileHandle): Promise<Map<number, Spots>> {
  const bytes = await readUnframed(file)
  const written = lengthWithoutZeros(bytes)
  const found = new Map<number, Spots>()
  const add = (sequence: number, spots: Partial<Spots>): void => {
    if (!found.has(sequence)) found.set(sequence, { ...NOWHERE, ...spots })
  }
  for (let at = bytes.indexOf(MARK); at >= 0;) {
    const operation = readOperation(bytes, at)
    if (operation === undefined) {
      at = bytes.indexOf(MARK, at + 1)
      continue
    }
    const { letter, sequence, valueAt, valueBytes } = operation
    const entry = letter === 'e' ? parseEntryAt(bytes, valueAt, valueBytes) : undefined
    let next = valueAt
    if (entry !== undefined) {
      const payloadAt = valueAt + valueBytes + MARK.length + KEY_BYTES + varintBytes(entry.bytes)
      next = payloadAt + entry.bytes
      const isWhole = next <= bytes.length &&
        (next <= written || crc32(bytes.subarray(payloadAt, next)) === entry.crc32)
      add(entry.sequence, {
        entryAt: framed(valueAt),
        entryBytes: valueBytes,
        ...isWhole && { payloadAt: framed(payloadAt), payloadBytes: entry.bytes }
      })
    } else if (letter === 'p' && valueAt + valueBytes <= bytes.length) {
      add(sequence, { payloadAt: framed(valueAt), payloadBytes: valueBytes })
      // What looks like an entry within an image is none.
      if (isFollowed(bytes, valueAt + valueBytes)) next = valueAt + valueBytes
    }
    at = next < bytes.length ? bytes.indexOf(MARK, next) : -1
  }
  return found
}

interface Operation {
  readonly letter: 'e' | 'p'
  readonly sequence: number
  readonly valueAt: number
  readonly valueBytes: number
}

function readOperation (bytes: Buffer, at: number): Operation | undefined {
  const keyAt = at + MARK.length
  const key = bytes.toString('latin1', keyAt, keyAt + KEY_BYTES)
  if (!KEY.test(key)) return undefined
  let valueBytes = 0
  let valueAt = keyAt + KEY_BYTES
  for (let scale = 1; scale <= 128 ** 4; scale *= 128) {
    const byte = bytes[valueAt++]
    if (byte === undefined) return undefined
    valueBytes += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  return { letter: key.startsWith('e') ? 'e' : 'p', sequence: parseSequence(key.slice(1)), valueAt, valueBytes }
}

function parseEntryAt (bytes: Buffer, at: number, length: number): Entry | undefined {
  if (length > ENTRY_BYTES_MAX || at + length > bytes.length) return undefined
  return parseEntry(bytes.toString('utf8', at, at + length))
}

function isFollowed (bytes: Buffer, at: number): boolean {
  if (at === bytes.length) return true
  return [at, at + RECORD_HEAD].some((next) => readOperation(bytes, next)?.letter === 'e' && isMark(bytes, next))
}

function isMark (bytes: Buffer, at: number): boolean {
  return bytes[at] === MARK[0] && bytes[at + 1] === MARK[1]
}

function varintBytes (value: number): number {
  let bytes = 1
  for (let left = value; left >= 128; left = Math.floor(left / 128)) bytes++
  return bytes
}

function lengthWithoutZeros (bytes: Buffer): number {
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  return length
}

/** The file without the header at the beginning of each block. */
async function readUnframed (file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat()
  const bytes = Buffer.allocUnsafeSlow(size)
  let length = 0
  for (let at = FRAGMENT_HEADER; at < size; at += BLOCK) {
    const { bytesRead } = await file.read(bytes, length, Math.min(BLOCK_DATA, size - at), at)
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** Where a byte of `readUnframed` stands in the file. */
function framed (at: number): number {
  return Math.floor(at / BLOCK_DATA) * BLOCK + FRAGMENT_HEADER + at % BLOCK_DATA
}
