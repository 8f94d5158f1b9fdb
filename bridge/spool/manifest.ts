// A database's MANIFEST tells which of its tables count (leveldb db/version_edit.cc). It is a log (segment-log.ts), and
// each record of it a row of changes, a tag before each:
//
//   1 comparator | 2 log number | 3 next file number | 4 last sequence | 5 compact pointer: level, key
//   6 deleted file: level, number | 7 new file: level, number, size, smallest key, largest key | 9 previous log number
//
// Numbers are varints, and a varint with its length stands before a text.

import { recordsOf } from './log-damage.ts'
import { readVarint } from './table.ts'

const [NUMBERS, COMPARATOR, LOG, COMPACT_POINTER, DELETED_FILE, NEW_FILE] = [[3, 4, 9], 1, 2, 5, 6, 7]

interface Manifest {
  readonly live: ReadonlySet<number>
  /** 0 where the database was never open. */
  readonly log: number
}

/**
 * The numbers of the tables that a start would read. Beside them a crash may leave others, unfinished ones among them,
 * which nothing refers to. Undefined where it is no MANIFEST.
 */
export function readLiveTables (manifest: Buffer): ReadonlySet<number> | undefined {
  return readManifest(manifest)?.live
}

/** The number of the first log that a start would read. LevelDB makes it before it names it, and it is never gone. */
export function readLogNumber (manifest: Buffer): number {
  return readManifest(manifest)?.log ?? 0
}

function readManifest (manifest: Buffer): Manifest | undefined {
  const live = new Set<number>()
  let log = 0
  for (const record of recordsOf(manifest)) {
    const cursor = { at: 0 }
    const skipText = (): void => {
      const bytes = readVarint(record, cursor)
      cursor.at += bytes
    }
    while (cursor.at < record.length) {
      const tag = readVarint(record, cursor)
      if (NUMBERS.includes(tag)) readVarint(record, cursor)
      else if (tag === LOG) log = readVarint(record, cursor)
      else if (tag === COMPARATOR) skipText()
      else if (tag === COMPACT_POINTER || tag === DELETED_FILE || tag === NEW_FILE) {
        readVarint(record, cursor) // the level
        if (tag === COMPACT_POINTER) {
          skipText()
          continue
        }
        const number = readVarint(record, cursor)
        if (tag === DELETED_FILE) {
          live.delete(number)
          continue
        }
        live.add(number)
        readVarint(record, cursor) // the size
        skipText()
        skipText()
      } else return undefined
    }
  }
  return { live, log }
}
