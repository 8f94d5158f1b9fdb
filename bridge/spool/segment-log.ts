// Reads a segment that is not filled any more from the log that LevelDB wrote, without LevelDB: opening a database
// copies its whole log into tables first, and syncs them. That wrote every image of a backlog twice, and while it did,
// PUBACKs and the line waited for the disk.
//
// The log is a row of blocks of 32 KiB. In each stand fragments, none across its end; a rest of fewer than seven
// bytes is zero. The fragments of a record put together are a batch (leveldb doc/log_format.md, db/write_batch.cc):
//
//   fragment   CRC-32C 4 bytes | length 2 | type 1: FULL 1, FIRST 2, MIDDLE 3, LAST 4 | data
//   batch      sequence 8 bytes | count 4 | operations
//   put        1 | key length, varint | key | value length, varint | value
//
// Numbers are little endian. The CRC-32C is not looked at: whoever reads an image holds it to its own CRC-32.

import type { FileHandle } from 'node:fs/promises'
import { BLOCK, BLOCK_DATA, FRAGMENT_HEADER, roomInBlock, type Spots } from './place.ts'
import { KEY, parseSequence } from './segment.ts'

const BATCH_HEADER = 12
const PUT = 1
const KEY_BYTES_MAX = 64
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4]

/** By sequence. Rejects where this is not a log that holds an entry before every payload, and nothing else. */
export async function readLog (file: FileHandle): Promise<Map<number, Spots>> {
  const found = new Map<number, Spots>()
  const cursor = new Cursor(file, (await file.stat()).size)
  let entry = { sequence: 0, at: 0, bytes: 0 }
  while (await cursor.nextRecord()) {
    const batch = await cursor.read(BATCH_HEADER)
    for (let left = batch.readUInt32LE(8); left > 0; left--) {
      if ((await cursor.read(1))[0] !== PUT) throw new Error('nothing is ever deleted in a segment')
      const keyBytes = await cursor.varint()
      if (keyBytes > KEY_BYTES_MAX) throw new Error(`a key of ${keyBytes} bytes`)
      const key = (await cursor.read(keyBytes)).toString()
      const bytes = await cursor.varint()
      const at = await cursor.skip(bytes)
      const sequence = parseSequence(key.slice(1))
      if (!KEY.test(key)) throw new Error(`a key that is none of ours: ${JSON.stringify(key)}`)
      if (key.startsWith('e')) {
        entry = { sequence, at, bytes }
        continue
      }
      if (entry.sequence !== sequence) throw new Error(`a payload without its entry: ${key}`)
      found.set(sequence, { entryAt: entry.at, entryBytes: entry.bytes, payloadAt: at, payloadBytes: bytes })
    }
  }
  return found
}

const WINDOW = 1024

/** A place in the log: within the records what stands between their bytes is passed over. */
class Cursor {
  readonly #file: FileHandle
  readonly #size: number
  #at = 0
  #left = 0
  #window = Buffer.alloc(0)
  #windowAt = 0

  constructor (file: FileHandle, size: number) {
    this.#file = file
    this.#size = size
  }

  /** False at the end of the log. */
  async nextRecord (): Promise<boolean> {
    if (this.#left > 0) throw new Error('a batch is longer than what is in it')
    const type = await this.#nextFragment()
    if (type === undefined) return false
    if (type !== FULL && type !== FIRST) throw new Error(`a record begins with a fragment of type ${type}`)
    return true
  }

  async read (bytes: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let missing = bytes; missing > 0;) {
      await this.#reach()
      const part = await this.#peek(Math.min(missing, this.#left))
      if (part.length === 0) throw new Error('the log ends within a fragment')
      this.#pass(part.length)
      parts.push(part)
      missing -= part.length
    }
    return Buffer.concat(parts)
  }

  async varint (): Promise<number> {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const [byte = 0] = await this.read(1)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  /** Returns where the first of the bytes that are passed over stands. */
  async skip (bytes: number): Promise<number> {
    if (bytes === 0) return this.#at
    await this.#reach()
    const first = this.#at
    const beyond = bytes - this.#left
    if (beyond <= 0) {
      this.#pass(bytes)
      return first
    }
    // Every fragment but the last one fills its block: only the header of that one has to be read.
    const blocks = Math.ceil(beyond / BLOCK_DATA) - 1
    this.#at += this.#left + blocks * BLOCK
    this.#left = 0
    await this.#reach()
    const rest = beyond - blocks * BLOCK_DATA
    if (rest > this.#left) throw new Error('a value is longer than its record')
    this.#pass(rest)
    return first
  }

  /** Makes sure that there are bytes left in the fragment at hand. */
  async #reach (): Promise<void> {
    while (this.#left === 0) {
      const type = await this.#nextFragment()
      if (type !== MIDDLE && type !== LAST) throw new Error(`a record goes on with ${type ?? 'nothing'}`)
    }
  }

  async #nextFragment (): Promise<number | undefined> {
    if (roomInBlock(this.#at) < FRAGMENT_HEADER) this.#at += roomInBlock(this.#at)
    const header = await this.#peek(FRAGMENT_HEADER)
    if (header.length === 0) return undefined
    if (header.length < FRAGMENT_HEADER || header.readUInt8(6) === 0) throw new Error('no fragment begins here')
    this.#at += FRAGMENT_HEADER
    this.#left = header.readUInt16LE(4)
    return header.readUInt8(6)
  }

  #pass (bytes: number): void {
    this.#at += bytes
    if (this.#at > this.#size) throw new Error('the log ends within a value')
    this.#left -= bytes
  }

  /** Up to `bytes` from here on, WINDOW at most; fewer at the end of the file, and at its very end none. */
  async #peek (bytes: number): Promise<Buffer> {
    const from = this.#at - this.#windowAt
    if (from >= 0 && from + bytes <= this.#window.length) return this.#window.subarray(from, from + bytes)
    const window = Buffer.allocUnsafe(WINDOW)
    const { bytesRead } = await this.#file.read(window, 0, WINDOW, this.#at)
    this.#window = window.subarray(0, bytesRead)
    this.#windowAt = this.#at
    return this.#window.subarray(0, bytes)
  }
}
