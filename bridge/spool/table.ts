// LevelDB's tables (leveldb doc/table_format.md), read without it: it verifies no checksum when it reads one.
//
//   block      contents | type 1 byte: as it is 0, Snappy 1 | masked CRC-32C of both, 4 bytes
//   contents   operations, each: shared | unshared | value length, varints | the key's unshared end | value;
//              places of those with a whole key, 4 bytes each | how many, 4 bytes
//   key        the user's | sequence and kind, 8 bytes: the first one is 1 for a value, 0 for a removal
//   footer     handles of the meta index and the index, each offset | size, varints; zeros; magic; 48 bytes in all
//
// The index's values are the handles of the data blocks, the meta index's those of the filters.

import { crc32c } from '../crc32.ts'

const FOOTER = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const TRAILER = 5
const KEY_TRAILER = 8
const AS_IS = 0
const SNAPPY = 1

export interface TableRow {
  readonly key: string
  /** Of the value in the file, where its block is stored as it is. */
  readonly at: number
  readonly bytes: number
}

interface Handle {
  readonly at: number
  readonly bytes: number
}

/** How many of its blocks are damaged; takes no copy of any that holds rows. */
export function countDamaged (file: Buffer): number {
  const handles = readHandles(file)
  return handles === undefined ? 1 : handles.filter(({ handle }) => !isSound(file, handle)).length
}

/** What its sound blocks hold, and how many blocks are not. */
export function readTable (file: Buffer): { readonly rows: readonly TableRow[], readonly damaged: number } {
  const rows: TableRow[] = []
  const handles = readHandles(file)
  if (handles === undefined) return { rows, damaged: 1 }
  let damaged = 0
  for (const { handle, isData } of handles) {
    const block = readBlock(file, handle)
    if (block === undefined) damaged++
    else if (isData && block.isAsIs) {
      for (const { key, at, bytes } of operations(block.contents)) {
        if (key.at(-KEY_TRAILER) === 1) {
          rows.push({ key: key.toString('latin1', 0, key.length - KEY_TRAILER), at: handle.at + at, bytes })
        }
      }
    }
  }
  return { rows, damaged }
}

/** Undefined where the way to the blocks is damaged itself. */
function readHandles (file: Buffer): Array<{ readonly handle: Handle, readonly isData: boolean }> | undefined {
  const footer = file.subarray(Math.max(0, file.length - FOOTER))
  if (!footer.subarray(-MAGIC.length).equals(MAGIC)) return undefined
  const cursor = { at: 0 }
  const roots = [readHandle(footer, cursor), readHandle(footer, cursor)]
  const [meta, index] = roots.map((root) => readBlock(file, root))
  if (meta === undefined || index === undefined) return undefined
  const listed = (contents: Buffer): Handle[] =>
    [...operations(contents)].map(({ at }) => readHandle(contents, { at }))
  return [
    ...listed(index.contents).map((handle) => ({ handle, isData: true })),
    ...listed(meta.contents).map((handle) => ({ handle, isData: false }))
  ]
}

function readBlock (file: Buffer, { at, bytes }: Handle): { contents: Buffer, isAsIs: boolean } | undefined {
  if (!isSound(file, { at, bytes })) return undefined
  const end = at + bytes
  const contents = file.subarray(at, end)
  const type = file.readUInt8(end)
  if (type === AS_IS) return { contents, isAsIs: true }
  return type === SNAPPY ? { contents: uncompress(contents), isAsIs: false } : undefined
}

function isSound (file: Buffer, { at, bytes }: Handle): boolean {
  const end = at + bytes
  if (end + TRAILER > file.length) return false
  return file.readUInt32LE(end + 1) === masked(crc32c(file.subarray(at, end + 1)))
}

function * operations (contents: Buffer): Generator<{ key: Buffer, at: number, bytes: number }> {
  const restarts = contents.readUInt32LE(contents.length - 4)
  const end = contents.length - 4 - restarts * 4
  const cursor = { at: 0 }
  let key = Buffer.alloc(0)
  while (cursor.at < end) {
    const shared = readVarint(contents, cursor)
    const unshared = readVarint(contents, cursor)
    const bytes = readVarint(contents, cursor)
    key = Buffer.concat([key.subarray(0, shared), contents.subarray(cursor.at, cursor.at + unshared)])
    yield { key, at: cursor.at + unshared, bytes }
    cursor.at += unshared + bytes
  }
}

function readHandle (bytes: Buffer, cursor: { at: number }): Handle {
  return { at: readVarint(bytes, cursor), bytes: readVarint(bytes, cursor) }
}

export function readVarint (bytes: Buffer, cursor: { at: number }): number {
  let value = 0
  for (let scale = 1; scale <= 128 ** 7; scale *= 128) {
    const byte = bytes[cursor.at++] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  return value
}

/** As LevelDB stores a CRC-32C that may itself stand in what one is made of (leveldb util/crc32c.h). */
export function masked (crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Snappy's format_description.txt. Called for what has a sound checksum, so every length is as written. */
function uncompress (bytes: Buffer): Buffer {
  const cursor = { at: 0 }
  const out = Buffer.allocUnsafe(readVarint(bytes, cursor))
  let filled = 0
  while (cursor.at < bytes.length) {
    const tag = bytes.readUInt8(cursor.at++)
    const kind = tag & 3
    if (kind === 0) {
      const more = Math.max(0, (tag >> 2) - 59)
      const length = 1 + (more === 0 ? tag >> 2 : bytes.readUIntLE(cursor.at, more))
      cursor.at += more
      filled += bytes.copy(out, filled, cursor.at, cursor.at + length)
      cursor.at += length
      continue
    }
    const offsetBytes = kind === 3 ? 4 : kind
    const low = bytes.readUIntLE(cursor.at, offsetBytes)
    const offset = kind === 1 ? ((tag >> 5) << 8) + low : low
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    cursor.at += offsetBytes
    for (let left = length; left > 0; left--, filled++) out[filled] = out[filled - offset] ?? 0
  }
  return out
}
