import type { Observe } from '../events.ts'
import { ActiveSegment } from './active-segment.ts'
import { SpoolPaused } from './errors.ts'
import { Segment, type EntryWithPayload } from './segment.ts'

export interface ActiveSegmentsOptions {
  readonly root: string
  readonly firstNumber: number
  readonly segmentBytes: number
  /** Segments filled side by side, so that one syncs while another is filled. */
  readonly activeMax: number
  readonly batchBytesMax: number
}

export interface ActiveSegmentsDeps {
  /** Full, everything in it is on disk, and it is not written any more. */
  readonly onFull: (segment: Segment) => void
  /** A write to it failed; what is in it has to be found out by opening it again. */
  readonly onBroken: (segment: Segment, cause: Error) => void
  readonly observe: Observe
}

/** Where so much waits behind a sync, another segment is begun; each costs memory as far as it is filled. */
const CROWDED_BYTES = 512 * 1024

/**
 * The segments being filled: one at a quiet site, more where much comes in while one syncs. Those side by side are full
 * when they hold as much together as one alone, since LevelDB keeps in memory what it has not written into tables.
 */
export class ActiveSegments {
  readonly #deps: ActiveSegmentsDeps
  readonly #options: ActiveSegmentsOptions
  #number: number
  #active: ActiveSegment[] = []
  /** Full, and with batches that still have to be written: nobody else may open them yet. */
  readonly #finishing = new Set<ActiveSegment>()
  /** The one to be filled next, opened ahead so that nobody waits for it. */
  #next: Promise<Segment> | undefined
  #replacing: Promise<void> | undefined
  readonly #sealing = new Set<Promise<void>>()

  private constructor (deps: ActiveSegmentsDeps, options: ActiveSegmentsOptions) {
    this.#deps = deps
    this.#options = options
    this.#number = options.firstNumber
  }

  static async open (deps: ActiveSegmentsDeps, options: ActiveSegmentsOptions): Promise<ActiveSegments> {
    const segments = new ActiveSegments(deps, options)
    await segments.replenish().catch(() => {}) // observed; what waits can go out, and upkeep tries again
    return segments
  }

  get usable (): boolean { return this.#active.length > 0 }

  /** From its first entry until somebody else has taken it over. */
  segment (number: number): Segment | undefined {
    return [...this.#active, ...this.#finishing].find(({ segment }) => segment.number === number)?.segment
  }

  /** Resolves with the number of the segment in which the record is on disk. */
  async append (record: EntryWithPayload): Promise<number> {
    const active = this.#pick()
    if (active === undefined) throw new SpoolPaused('storage_error', 'no segment of the spool can be written')
    const isCrowded = active.waitingBytes > CROWDED_BYTES && this.#active.length < this.#options.activeMax
    if (isCrowded) this.replenish().catch(() => {}) // observed; there is one to write to
    try {
      return await active.append(record)
    } catch (cause) {
      this.#retire(active, cause as Error)
      throw new SpoolPaused('storage_error', `the spool could not be written: ${(cause as Error).message}`)
    } finally {
      if (active.bytes >= this.#options.segmentBytes / this.#active.length) this.#replace(active)
    }
  }

  /** Opens a segment to fill where there is none, or where the others are busy. Rejects where the disk refuses. */
  replenish (): Promise<void> {
    this.#replacing ??= (async () => {
      try {
        const segment = await this.#takeNext()
        this.#active.push(new ActiveSegment(segment, this.#options.batchBytesMax, this.#deps.observe))
      } finally {
        this.#replacing = undefined
      }
    })()
    this.#replacing.catch((cause: Error) => this.#deps.observe({ kind: 'spool-fault', operation: 'open', cause }))
    return this.#replacing
  }

  /** Finishes what is being written; resolves with the segments, closed. */
  async close (): Promise<number[]> {
    await this.#replacing?.catch(() => {})
    const closed = this.#active
    this.#active = []
    await Promise.all(closed.map(async (active) => {
      await active.settled()
      await active.segment.close()
    }))
    await Promise.all(this.#sealing)
    const next = await this.#next?.catch(() => undefined)
    await next?.close()
    return [...closed.map(({ segment }) => segment.number), ...next === undefined ? [] : [next.number]]
  }

  // An idle segment first, in order, so that a quiet site fills one at a time; else the one with least before us.
  #pick (): ActiveSegment | undefined {
    const idle = this.#active.find((active) => active.idle)
    if (idle !== undefined) return idle
    return this.#active.reduce<ActiveSegment | undefined>((least, active) =>
      least === undefined || active.waitingBytes < least.waitingBytes ? active : least, undefined)
  }

  #replace (full: ActiveSegment): void {
    if (!this.#active.includes(full) || this.#replacing !== undefined) return
    void this.replenish().then(() => {
      this.#active = this.#active.filter((active) => active !== full)
      this.#finishing.add(full)
      const sealing = full.settled().then(() => {
        if (full.broken === undefined) this.#deps.onFull(full.segment)
        else this.#deps.onBroken(full.segment, full.broken)
        this.#finishing.delete(full)
        this.#sealing.delete(sealing)
      })
      this.#sealing.add(sealing)
    }, () => {}) // observed; the full one is filled further and the next append tries again
  }

  #retire (broken: ActiveSegment, cause: Error): void {
    if (!this.#active.includes(broken)) return
    this.#active = this.#active.filter((active) => active !== broken)
    this.#deps.onBroken(broken.segment, cause)
  }

  async #takeNext (): Promise<Segment> {
    const opening = this.#next ?? this.#openNext()
    this.#next = undefined
    const segment = await opening
    this.#next = this.#openNext()
    this.#next.catch(() => { this.#next = undefined }) // whoever needs it opens another and is told
    return segment
  }

  #openNext (): Promise<Segment> {
    return Segment.create(this.#options.root, this.#number++)
  }
}
