import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Level } from 'level'
import { Condition } from '../condition.ts'
import type { Observe } from '../events.ts'
import { SpoolPaused } from './errors.ts'
import { NOT_SYNCED, openDurably, SYNCED } from './segment.ts'

/** A put, or a removal where the value is undefined. */
export interface Row {
  readonly key: string
  readonly value: string | undefined
}

export interface Bounds {
  /** Both exclusive. */
  readonly gt: string
  readonly lt: string
  /** -1: all. */
  readonly limit: number
  readonly reverse?: boolean
}

/** `last` is the last key looked at where the limit ended the range. */
export interface Range {
  readonly rows: ReadonlyArray<readonly [string, string]>
  readonly last: string | undefined
}

interface Waiting {
  readonly rows: readonly Row[]
  readonly resolve: () => void
}

const SYNC_EVERY_MS = 1000
const TAIL_ROWS_MAX = 4000
const REPAIR_EVERY_MS = 500
/** Opening it anew copies its log into a table: LevelDB's write buffer is 4 MiB. */
const REPAIR_BYTES = 6 * 1024 * 1024

/**
 * The index's LevelDB, written in batches and synced about once a second.
 *
 * What was written since the last sync is kept in memory (the tail). LevelDB cannot be trusted after a
 * failed write, so then it is reopened and the tail written again: every row holds absolute values, and
 * writing one twice changes nothing. Until that works nothing resolves, and `broken` says why. It can be read until
 * there is room to reopen it, and again once the tail is written.
 */
export class Journal {
  readonly #location: string
  readonly #observe: Observe
  /** What the rows of each batch add up to, taken in the tick in which the batch is taken. */
  readonly #summary: () => readonly Row[]
  #db: Level<string, string>
  #waiting: Waiting[] = []
  /** Rows that a read of the database would not see yet. */
  readonly #overlay = new Map<string, Row>()
  #tail: Row[] = []
  #writing: Promise<void> | undefined
  #syncWanted = false
  #syncedAt = 0
  #broken: Error | undefined
  #isOpen = true
  readonly #opened = new Condition()

  private constructor (location: string, db: Level<string, string>, summary: () => readonly Row[], observe: Observe) {
    this.#location = location
    this.#db = db
    this.#summary = summary
    this.#observe = observe
  }

  static async open (location: string, summary: () => readonly Row[], observe: Observe): Promise<Journal> {
    return new Journal(location, await openDatabase(location), summary, observe)
  }

  get broken (): Error | undefined { return this.#broken }
  get isReadable (): boolean { return this.#isOpen }

  /** Visible to `get` at once; resolves once a crash of the process cannot undo it (a power cut can, until `sync`). */
  write (rows: readonly Row[]): Promise<void> {
    for (const row of rows) this.#overlay.set(row.key, row)
    return this.#enqueue(rows)
  }

  /** Resolves once everything written before is durable. */
  async sync (): Promise<void> {
    this.#syncWanted = true
    await this.#enqueue([])
  }

  /**
   * Synchronous: a row is small and as a rule in memory, and most names asked for are new, which LevelDB's
   * Bloom filters know. By way of the thread pool each image paid 0.4 ms of the main thread for it, not 0.01.
   * Throws SpoolPaused while it cannot be read, see `readable`.
   */
  get (key: string): string | undefined {
    const row = this.#overlay.get(key)
    if (row !== undefined) return row.value
    if (!this.#isOpen) throw new SpoolPaused('storage_error', 'the index is being repaired')
    return this.#db.getSync(key)
  }

  /** Resolves once it can be read; in the tick after that `get` does not throw. */
  async readable (): Promise<void> {
    if (!this.#isOpen) await this.#opened.until(() => this.#isOpen, new AbortController().signal)
  }

  /** Written rows in key order between `gt` and `lt`; rows whose removal is still to be written are left out. */
  async range (bounds: Bounds): Promise<Range> {
    const scanned = await this.#scan(bounds)
    const rows = scanned.filter(([key]) => {
      const row = this.#overlay.get(key)
      return row === undefined || row.value !== undefined
    })
    return { rows, last: scanned.length === bounds.limit ? scanned.at(-1)?.[0] : undefined }
  }

  /** The first `limit` of a range, which is not -1: rows that `range` leaves out count for nothing. */
  async rows ({ gt, lt, limit, reverse = false }: Bounds): Promise<Range['rows']> {
    const found: Array<Range['rows'][number]> = []
    for (let last: string | undefined = ''; last !== undefined && found.length < limit;) {
      const range: Range = await this.range({ gt, lt, limit: limit - found.length, reverse })
      found.push(...range.rows)
      last = range.last
      if (reverse) lt = last ?? lt
      else gt = last ?? gt
    }
    return found
  }

  async #scan (bounds: Bounds): Promise<ReadonlyArray<readonly [string, string]>> {
    for (;;) {
      await this.readable()
      const db = this.#db
      try {
        return await db.iterator({ ...bounds, fillCache: false }).all()
      } catch (error) {
        if (this.#isOpen && this.#db === db) throw error // else it was closed for a repair meanwhile
      }
    }
  }

  async close (): Promise<void> {
    if (this.#broken === undefined) await this.sync()
    await this.#db.close()
  }

  /** Closes it as it is: nothing is to be written to what may be damaged. */
  async abandon (): Promise<void> { await this.#db.close() }

  #enqueue (rows: readonly Row[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ rows, resolve })
      this.#writing ??= this.#write()
    })
  }

  async #write (): Promise<void> {
    await Promise.resolve() // what is written in the same tick shares a batch
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      const rows = waiting.flatMap((write) => write.rows)
      const batch = [...rows, ...this.#summary()]
      this.#tail.push(...batch)
      await this.#writeBatch(batch, this.#takeSync())
      for (const row of rows) if (this.#overlay.get(row.key) === row) this.#overlay.delete(row.key)
      for (const { resolve } of waiting) resolve()
    }
    this.#writing = undefined
  }

  #takeSync (): boolean {
    const sync = this.#syncWanted || this.#tail.length > TAIL_ROWS_MAX ||
      performance.now() - this.#syncedAt > SYNC_EVERY_MS
    this.#syncWanted = false
    return sync
  }

  async #writeBatch (batch: readonly Row[], sync: boolean): Promise<void> {
    try {
      await this.#db.batch(batch.map(toOperation), sync ? SYNCED : NOT_SYNCED)
    } catch (error) {
      await this.#repair(error as Error)
      sync = true
    }
    if (!sync) return
    this.#tail = []
    this.#syncedAt = performance.now()
  }

  async #repair (cause: Error): Promise<void> {
    this.#setBroken(cause)
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await delay(REPAIR_EVERY_MS)
      try {
        // Once closed, and without the room to be opened, it could not be read either.
        if (!await hasRoom(this.#location)) continue
        this.#isOpen = false
        await this.#db.close()
        this.#db = await openDatabase(this.#location)
        await this.#db.batch(this.#tail.map(toOperation), SYNCED)
        this.#broken = undefined
        this.#isOpen = true // not before: what the tail holds may be missing, and an image be seen where it was
        this.#opened.changed()
        return
      } catch (error) {
        this.#setBroken(error as Error)
      }
    }
  }

  #setBroken (cause: Error): void {
    this.#broken = cause
    this.#observe({ kind: 'spool-fault', operation: 'index', cause })
  }
}

async function hasRoom (location: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(location)
  return bavail * bsize > REPAIR_BYTES
}

async function openDatabase (location: string): Promise<Level<string, string>> {
  const db = new Level<string, string>(location, { valueEncoding: 'utf8' })
  await openDurably(db)
  return db
}

function toOperation ({ key, value }: Row): { type: 'put', key: string, value: string } | { type: 'del', key: string } {
  return value === undefined ? { type: 'del', key } : { type: 'put', key, value }
}
