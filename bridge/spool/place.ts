import type { FileHandle } from 'node:fs/promises'

/** Bytes in a file of a segment. In a log the header of a fragment stands at the beginning of every block. */
export interface Place {
  readonly file: FileHandle
  /** Of the first byte. */
  readonly at: number
  readonly bytes: number
  readonly isFramed: boolean
}

/** Where a file holds the record and the payload of an entry; -1 bytes where it does not. */
export interface Spots {
  readonly entryAt: number
  readonly entryBytes: number
  readonly payloadAt: number
  readonly payloadBytes: number
}

/** The same over several files: LevelDB may put the two into two. Flat, since a segment may hold 100,000. */
export interface Parts extends Spots {
  readonly entryFile: FileHandle
  readonly payloadFile: FileHandle
}

export const NOWHERE: Spots = { entryAt: 0, entryBytes: -1, payloadAt: 0, payloadBytes: -1 }

export function joinParts (one: Parts | undefined, other: Parts): Parts {
  if (one === undefined) return other
  const { entryFile, entryAt, entryBytes } = other.entryBytes >= 0 ? other : one
  const { payloadFile, payloadAt, payloadBytes } = other.payloadBytes >= 0 ? other : one
  return { entryFile, entryAt, entryBytes, payloadFile, payloadAt, payloadBytes }
}

export const BLOCK = 32 * 1024
export const FRAGMENT_HEADER = 7
/** Data in a block that one fragment fills. */
export const BLOCK_DATA = BLOCK - FRAGMENT_HEADER

export function roomInBlock (at: number): number {
  return BLOCK - at % BLOCK
}

/** Gives memory for so many bytes, which need not be cleared. */
export type Allocate = (bytes: number) => Buffer

/** Undefined where the file ends before. */
export async function readPlace (
  { file, at, bytes, isFramed }: Place, allocate: Allocate = Buffer.allocUnsafeSlow
): Promise<Buffer | undefined> {
  const first = isFramed ? Math.min(bytes, roomInBlock(at)) : bytes
  const crossed = Math.ceil((bytes - first) / BLOCK_DATA)
  const read = allocate(bytes + crossed * FRAGMENT_HEADER)
  const { bytesRead } = await file.read(read, 0, read.length, at)
  if (bytesRead < read.length) return undefined
  let filled = first
  for (let from = filled + FRAGMENT_HEADER; filled < bytes; from += BLOCK) {
    read.copyWithin(filled, from, from + BLOCK_DATA)
    filled += BLOCK_DATA
  }
  return read.subarray(0, bytes)
}
