import { rename, rm } from 'node:fs/promises'
import { formatSegmentPath, Segment, syncDirectory, type SegmentReader } from './segment.ts'
import { SegmentLog } from './segment-log.ts'

export const DROPPED = '.dropped'

/**
 * The segments that are not being filled, opened when somebody reads from them. Few stay open, whatever
 * the backlog: the one read longest ago is closed first.
 */
export class Shelf {
  readonly #root: string
  readonly #openMax: number
  readonly #segmentBytesMax: number
  /** In order of last use. */
  readonly #open = new Map<number, Promise<SegmentReader>>()
  readonly #closing = new Map<number, Promise<void>>()
  /** How many work on a segment at present. */
  readonly #users = new Map<number, number>()

  constructor (root: string, { openMax, segmentBytesMax }: { openMax: number, segmentBytesMax: number }) {
    this.#root = root
    this.#segmentBytesMax = segmentBytesMax
    this.#openMax = openMax
  }

  /** Takes over a segment that is still open, because it will be read soon. */
  put (segment: SegmentReader): void {
    this.#closeSoon(segment.number)
    this.#open.set(segment.number, Promise.resolve(segment))
    this.#evict()
  }

  async payload (number: number, sequence: number): Promise<Buffer | undefined> {
    const [segment, payload] = await this.use(number, async (it) => [it, await it.payload(sequence)] as const)
    if (payload !== undefined || segment instanceof Segment) return payload
    // That a log does not show it is no proof that it is lost; what LevelDB says is.
    return await this.recover(number, (recovered) => recovered.payload(sequence))
  }

  /**
   * Works on a segment, which is not closed meanwhile. Rejects where it cannot be opened; the next call
   * tries again.
   */
  async use<T> (number: number, work: (segment: SegmentReader) => Promise<T>): Promise<T> {
    return await this.#hold(number, async () => await work(await this.#get(number)))
  }

  /** Works on a segment as a database, so that LevelDB finds out what a crash has left of it. */
  async recover<T> (number: number, work: (segment: Segment) => Promise<T>): Promise<T> {
    return await this.#hold(number, async () => {
      await this.close(number)
      const segment = await Segment.reopen(this.#root, number, this.#segmentBytesMax)
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
    await this.close(number)
    const path = formatSegmentPath(this.#root, number)
    await rename(path, path + DROPPED)
    await syncDirectory(this.#root)
    await rm(path + DROPPED, { recursive: true })
  }

  async closeAll (): Promise<void> {
    for (const number of [...this.#open.keys()]) this.#closeSoon(number)
    await Promise.all(this.#closing.values())
  }

  async #read (number: number): Promise<SegmentReader> {
    await this.#closing.get(number) // LevelDB holds its lock until it is closed
    return await SegmentLog.open(formatSegmentPath(this.#root, number), number) ??
      await Segment.reopen(this.#root, number, this.#segmentBytesMax)
  }

  #evict (): void {
    for (const number of this.#open.keys()) {
      if (this.#open.size <= this.#openMax) return
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
