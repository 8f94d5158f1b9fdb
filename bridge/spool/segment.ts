// A segment: one LevelDB directory of the spool, segments/<number>/. It is filled, sealed, drained
// and then removed as a whole, so that no payload is ever deleted or compacted.
//
//   e<sequence>  Entry (entry-record.ts)
//   p<sequence>  payload bytes
//
// <sequence> is 14 hex digits, so that key order is arrival order. Both keys of an entry are
// written in one synced batch: an entry without its payload does not exist.

import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Level } from 'level'
import type { Entry } from '../entry.ts'
import { formatRecord } from './entry-record.ts'

export interface EntryWithPayload {
  readonly entry: Entry
  readonly payload: Buffer
}

/** A segment that is only read. */
export interface SegmentReader {
  readonly number: number
  /** Undefined where the segment has no such entry. */
  payload (sequence: number): Promise<Buffer | undefined>
  close (): Promise<void>
}

type Operation = { readonly type: 'put', readonly key: string, readonly value: Buffer }

const MIB = 1024 * 1024
/**
 * As much as LevelDB allows (db/db_impl.cc, SanitizeOptions), since it begins a second log where a buffer is full, and
 * does not sync the name of that. It takes memory only as far as it is filled.
 */
const WRITE_BUFFER = 1024 * MIB
/** What is filled further than this may not fit the write buffer with its last batch. */
export const SEGMENT_BYTES_MAX = WRITE_BUFFER / 2
/**
 * Options of a batch. Frozen, because abstract-level copies them into every operation of one, and V8 is fifty times
 * slower to copy from an object that could still change (13 and 0.3 µs an operation, Node 20).
 */
export const SYNCED = Object.freeze({ sync: true })
export const NOT_SYNCED = Object.freeze({ sync: false })
/** In memory and in the log beside each value: its key, its place in LevelDB's skip list, lengths and checksums. */
const OVERHEAD = 64

export class Segment implements SegmentReader {
  readonly number: number
  readonly #db: Level<string, Buffer>
  #bytes = 0

  private constructor (number: number, db: Level<string, Buffer>) {
    this.number = number
    this.#db = db
  }

  /** Makes segment `number` below `root`. LevelDB never flushes while it is filled to SEGMENT_BYTES_MAX. */
  static async create (root: string, number: number): Promise<Segment> {
    const location = formatSegmentPath(root, number)
    await mkdir(location)
    let db: Level<string, Buffer> | undefined
    try {
      db = await openDatabase(location)
      await syncDirectory(root)
      return new Segment(number, db)
    } catch (error) {
      // Tried again every second, what is half made would fill the disk further. The number is never used again.
      await db?.close().catch(() => {})
      await rm(location, { recursive: true, force: true }).catch(() => {}) // else the next start finds it, empty
      throw error
    }
  }

  /** Written, with all that is kept beside the payloads. */
  get bytes (): number { return this.#bytes }

  /** Resolves once every record is on disk, and not before. After a rejection never append here again. */
  async append (records: readonly EntryWithPayload[]): Promise<void> {
    const operations: Operation[] = []
    for (const { entry, payload } of records) {
      const key = formatSequence(entry.sequence)
      operations.push({ type: 'put', key: `e${key}`, value: Buffer.from(formatRecord(entry)) })
      operations.push({ type: 'put', key: `p${key}`, value: payload })
    }
    await this.#db.batch(operations, SYNCED)
    this.#bytes += operations.reduce((sum, { value }) => sum + value.length + OVERHEAD, 0)
  }

  /** Undefined where the segment has no such entry. */
  async payload (sequence: number): Promise<Buffer | undefined> {
    return await this.#db.get(`p${formatSequence(sequence)}`, { fillCache: false })
  }

  async close (): Promise<void> {
    await this.#db.close()
  }
}

async function openDatabase (location: string): Promise<Level<string, Buffer>> {
  const db = new Level<string, Buffer>(location, {
    valueEncoding: 'buffer',
    compression: false, // a JPEG does not shrink
    writeBufferSize: WRITE_BUFFER,
    maxFileSize: 1024 * MIB,
    cacheSize: MIB
  })
  await openDurably(db)
  return db
}

type Database = Level<string, Buffer> | Level<string, string>

/** LevelDB syncs its files, and not that CURRENT, which it gives its name last, has one (db/filename.cc). */
export async function openDurably (db: Database): Promise<void> {
  try {
    await db.open()
  } catch (error) {
    if (!await isHalfMade(db.location)) throw error
    await rm(join(db.location, 'CURRENT'))
    await db.open()
  }
  await syncDirectory(db.location)
}

/**
 * Rejects with LevelDB's error where another process has the database open, and changes nothing: LevelDB takes the lock
 * before it finds that it was told to refuse what is there, and what is not (db/db_impl.cc, Recover).
 */
export async function refuseOpened (location: string): Promise<void> {
  const db = new Level(location, { createIfMissing: false, errorIfExists: true })
  const error = await db.open().catch((error: Error) => error)
  if ((error?.cause as NodeJS.ErrnoException | undefined)?.code === 'LEVEL_LOCKED') throw error
}

/**
 * LevelDB names its first MANIFEST before the content of that is on disk (db/db_impl.cc, NewDB), and has gone on to
 * the second one before anything is written: a database with the first was never open, and power was lost meanwhile.
 */
async function isHalfMade (location: string): Promise<boolean> {
  return await readFile(join(location, 'CURRENT'), 'utf8').catch(() => '') === 'MANIFEST-000001\n'
}

/** Of an entry, or of its payload. */
export const KEY = /^[ep][0-9a-f]{14}$/

export function formatSequence (sequence: number): string {
  return sequence.toString(16).padStart(14, '0') // 14 hex digits hold 2^53
}

export function parseSequence (text: string): number {
  return Number.parseInt(text, 16)
}

export function formatSegmentPath (root: string, number: number): string {
  return join(root, String(number).padStart(10, '0'))
}

/** Makes the names in a directory durable; an fsync of a file does not (fsync(2), "Notes"). */
export async function syncDirectory (path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a directory whose own name is durable too, and the names of those above it that were missing. */
export async function makeDirectory (path: string): Promise<void> {
  const lowest = resolve(path)
  const topmost = await mkdir(lowest, { recursive: true }) ?? lowest
  for (let made = lowest; made.length >= topmost.length && made !== dirname(made); made = dirname(made)) {
    await syncDirectory(dirname(made))
  }
}
