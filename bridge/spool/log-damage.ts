// Whether a log of LevelDB has rotted. What a crash has left unfinished at its end is no damage where nobody was told
// that it is on disk; it looks like rot in what was synced last. The layout of a log stands in segment-log.ts.

import type { FileHandle } from 'node:fs/promises'
import { crc32c } from '../crc32.ts'
import { BLOCK, FRAGMENT_HEADER } from './place.ts'
import { masked } from './table.ts'

const [FULL, FIRST, LAST] = [1, 2, 4]

/** Says what is wrong, undefined where nothing is. Its end counts only where that `isEndSynced`. */
export async function findLogDamage (file: FileHandle, isEndSynced = false): Promise<string | undefined> {
  const { size } = await file.stat()
  const block = Buffer.allocUnsafe(BLOCK)
  let damagedAt: number | undefined
  for (let at = 0; at < size; at += BLOCK) {
    const { bytesRead } = await file.read(block, 0, BLOCK, at)
    for (const fragment of fragments(block.subarray(0, bytesRead))) {
      if (!fragment.isSound) damagedAt ??= at + fragment.at
      else if (damagedAt !== undefined && fragment.isEdge) return `it is damaged at byte ${damagedAt}`
    }
  }
  return isEndSynced && damagedAt !== undefined ? `it is damaged at byte ${damagedAt}` : undefined
}

/** What a log holds as far as it is sound and was written to its end. */
export function * recordsOf (log: Buffer): Generator<Buffer> {
  let parts: Buffer[] = []
  for (let at = 0; at < log.length; at += BLOCK) {
    for (const { isSound, type, data } of fragments(log.subarray(at, at + BLOCK))) {
      if (!isSound) return
      parts = type === FULL || type === FIRST ? [data] : [...parts, data]
      if (type === FULL || type === LAST) yield Buffer.concat(parts)
    }
  }
}

interface Fragment {
  readonly at: number
  readonly type: number
  readonly data: Buffer
  readonly isSound: boolean
  /** It begins or ends a record: what stands before it was written to its end. */
  readonly isEdge: boolean
}

function * fragments (block: Buffer): Generator<Fragment> {
  for (let at = 0; at + FRAGMENT_HEADER <= block.length;) {
    const end = at + FRAGMENT_HEADER + block.readUInt16LE(at + 4)
    const type = block.readUInt8(at + 6)
    const isWithin = type >= FULL && type <= LAST && end <= block.length
    const isSound = isWithin && block.readUInt32LE(at) === masked(crc32c(block.subarray(at + 6, end)))
    const isEdge = type === FULL || type === FIRST || type === LAST
    yield { at, type, data: block.subarray(at + FRAGMENT_HEADER, end), isSound, isEdge }
    if (!isWithin) return
    at = end
  }
}
