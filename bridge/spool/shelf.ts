import { rename, rm } from 'node:fs/promises'
import type { Entry } from '../entry.ts'
import type { Allocate } from './place.ts'
import { SegmentFiles } from './segment-files.ts'
import { formatSegmentPath, syncDirectory, type SegmentReader } from './segment.ts'

export const DROPPED = '.dropped'
const DAMAGED = '.damaged'
/** A database holds its whole content in memory; files hold only where each image is. */
const DATABASES_MAX = 4

export interface ShelfOptions {
  readonly openMax: number
  /** For payloads that are read. */
  readonly allocate: Allocate
  /** Called whenever a segment is found not to be what was written. */
  readonly onDamage: (segment: number, detail: string) => void
}

/**
 * The segments that are not being filled, opened when somebody reads from them. Few stay open, whatever
 * the backlog: the one read longest ago is closed first.
 */
export class Shelf {
  readonly #root: string
  readonly #options: ShelfOptions
  /** In order of last use. */
  readonly #open = new Map<number, Promise<SegmentReader>>()
  readonly #closing = new Map<number, Promise<void>>()
  /** Those that were put as databases, the first one first. */
  readonly #databases: number[] = []
  /** How many work on a segment at present. */
  readonly #users = new Map<number, number>()

  constructor (root: string, options: ShelfOptions) {
    this.#root = root
    this.#options = options
  }

  /** Takes over a segment that is still open, because it will be read soon. */
  put (segment: SegmentReader): void {
    this.#closeSoon(segment.number)
    this.#open.set(segment.number, Promise.resolve(segment))
    if (!(segment instanceof SegmentFiles)) this.#databases.push(segment.number)
    const oldest = this.#databases.length > DATABASES_MAX ? this.#databases.shift() : undefined
    if (oldest !== undefined && !this.#users.has(oldest)) this.#closeSoon(oldest)
    this.#evict()
  }

  async payload (number: number, sequence: number): Promise<Buffer | undefined> {
    return await this.use(number, (segment) => segment.payload(sequence))
  }

  /** What the segment itself says of an entry; undefined where it cannot, or is as it was filled. */
  async entry (number: number, sequence: number): Promise<Entry | undefined> {
    return await this.use(number, async (segment) =>
      segment instanceof SegmentFiles ? await segment.entry(sequence) : undefined)
  }

  /** That a damaged log does not show a payload is no proof that it is lost: looks at every byte of it. */
  async salvage (number: number, sequence: number): Promise<Buffer | undefined> {
    return await this.use(number, async (segment) => {
      if (segment instanceof SegmentFiles) await segment.salvage()
      return await segment.payload(sequence)
    })
  }

  /**
   * Works on a segment, which is not closed meanwhile. Rejects where it cannot be opened; the next call
   * tries again.
   */
  async use<T> (number: number, work: (segment: SegmentReader) => Promise<T>): Promise<T> {
    return await this.#hold(number, async () => await work(await this.#get(number)))
  }

  /** Works on a segment as its files show it, once it is not open in any other way. */
  async recover<T> (number: number, work: (segment: SegmentFiles) => Promise<T>): Promise<T> {
    return await this.#hold(number, async () => {
      await this.close(number)
      const segment = await this.#read(number)
      this.put(segment)
      return await work(segment)
    })
  }

  async #hold<T> (number: number, work: () => Promise<T>): Promise<T> {
    this.#users.set(number, (this.#users.get(number) ?? 0) + 1)
    try {
      return await work()
    } finally {
      const users = (this.#users.get(number) ?? 1) - 1
      if (users > 0) this.#users.set(number, users)
      else this.#users.delete(number)
      this.#evict()
    }
  }

  async #get (number: number): Promise<SegmentReader> {
    const open = this.#open.get(number) ?? this.#read(number)
    this.#open.delete(number)
    this.#open.set(number, open)
    try {
      return await open
    } catch (error) {
      if (this.#open.get(number) === open) this.#open.delete(number)
      throw error
    }
  }

  /** Closes the segment unless somebody works on it. */
  async closeIdle (number: number): Promise<void> {
    if (!this.#users.has(number)) await this.close(number)
  }

  /** Closes the segment where it is open. */
  async close (number: number): Promise<void> {
    this.#closeSoon(number)
    await this.#closing.get(number)
  }

  /** Removes a segment in which nothing is wanted. Renamed first, so that half of one is never taken for a whole. */
  async remove (number: number): Promise<void> {
    const path = await this.#rename(number, DROPPED)
    await rm(path, { recursive: true, force: true })
  }

  /** Puts a damaged segment out of the way, for people to look at; says where it is. */
  async keep (number: number): Promise<{ readonly detail: string }> {
    const path = await this.#rename(number, DAMAGED)
    const detail = `nothing in segment ${number} waits any more, and it is kept because it is damaged: ` +
      `remove ${path} once nobody wants to look at it`
    return { detail }
  }

  async #rename (number: number, ending: string): Promise<string> {
    await this.close(number)
    const path = formatSegmentPath(this.#root, number)
    await rename(path, path + ending).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error // somebody has taken it away
    })
    await syncDirectory(this.#root)
    return path + ending
  }

  async closeAll (): Promise<void> {
    for (const number of [...this.#open.keys()]) this.#closeSoon(number)
    await Promise.all(this.#closing.values())
  }

  async #read (number: number): Promise<SegmentFiles> {
    await this.#closing.get(number) // LevelDB holds its lock until it is closed
    const segment = await SegmentFiles.open(formatSegmentPath(this.#root, number), number, this.#options.allocate)
    if (segment.damage !== undefined) this.#options.onDamage(number, segment.damage)
    return segment
  }

  #evict (): void {
    for (const number of this.#open.keys()) {
      if (this.#open.size <= this.#options.openMax) return
      if (!this.#users.has(number)) this.#closeSoon(number)
    }
  }

  #closeSoon (number: number): void {
    const open = this.#open.get(number)
    if (open === undefined) return
    this.#open.delete(number)
    const closing = open
      .then((segment) => segment.close(), () => {}) // what could not be opened need not be closed
      .finally(() => { if (this.#closing.get(number) === closing) this.#closing.delete(number) })
    this.#closing.set(number, closing)
  }
}
