import type { Observe } from '../events.ts'
import type { ActiveSegments } from './active-segments.ts'
import type { Disk } from './disk.ts'
import { recoverSegment } from './recovery.ts'
import type { Segment } from './segment.ts'
import type { Shelf } from './shelf.ts'
import type { SpoolIndex } from './spool-index.ts'

export interface UpkeepDeps {
  readonly index: SpoolIndex
  readonly shelf: Shelf
  readonly disk: Disk
  readonly observe: Observe
}

const MEASURE_EVERY = 5
const PRUNE_EVERY = 60
const PRUNE_MAX = 5000
/** Entries that are read within seconds. */
const LIVE_FEW = 50

/** What happens to segments once they are not filled any more, and the spool's housekeeping once a second. */
export class Upkeep {
  readonly #deps: UpkeepDeps
  readonly #dedupWindowMs: number
  /** Left by a crash and not to be opened yet; what is in them is still to be read back. */
  readonly #unrecovered: Set<number>
  readonly #sealing = new Set<Promise<void>>()
  #tends = 0

  constructor (deps: UpkeepDeps, dedupWindowMs: number, unrecovered: readonly number[]) {
    this.#deps = deps
    this.#dedupWindowMs = dedupWindowMs
    this.#unrecovered = new Set(unrecovered)
  }

  /**
   * A full segment. As a database it holds its whole content in memory, so it stays one only where little of
   * it is left to be read; else it is read as a log once its turn comes, which with a backlog may be hours away.
   */
  seal (segment: Segment): void {
    const { index, shelf } = this.#deps
    shelf.put(segment)
    this.#run(async () => {
      await index.sealed(segment.number)
      const live = index.segment(segment.number)?.live ?? 0
      if (live <= LIVE_FEW) return
      await shelf.closeIdle(segment.number)
    })
  }

  /**
   * A write to it failed: it is never written again, only read. Every image in it that has a PUBACK is in the index;
   * what else may have reached the disk is still its device's, and comes again.
   */
  giveUp (segment: Segment, cause: Error): void {
    this.#deps.observe({ kind: 'spool-fault', operation: 'write', cause })
    this.#run(async () => {
      await segment.close().catch(() => {}) // it has told us already that it is not well
      await this.#deps.index.sealed(segment.number)
    })
  }

  /** How much room there is, and whether recovery needs what is kept for it; several times a second. */
  async watch (): Promise<void> {
    const { index, disk } = this.#deps
    await disk.measure({ walk: false })
    await disk.tendReserve(index.broken !== undefined || this.#unrecovered.size > 0)
  }

  async tend (active: ActiveSegments): Promise<void> {
    const { index, disk } = this.#deps
    const round = this.#tends++
    if (!active.usable) await active.replenish().catch(() => {}) // observed; the next round tries again
    await this.#recoverLeft()
    if (round % MEASURE_EVERY === 0) await disk.measure({ walk: true })
    if (round % PRUNE_EVERY === 0) await index.prune(Date.now() - this.#dedupWindowMs, PRUNE_MAX)
  }

  /** Resolves once nothing that was begun is going on. */
  async settled (): Promise<void> {
    await Promise.all(this.#sealing)
  }

  /** Waits where the index is being repaired. */
  async removeDrained (): Promise<void> {
    const { index, shelf, disk, observe } = this.#deps
    let removed = false
    for (const { number, live, sealed, damaged } of index.segments) {
      if (!sealed || live > 0) continue
      if (damaged === true) { // set apart while the index still says why, or the next start would take it for sound
        await index.sync()
        observe({ kind: 'spool-damaged', part: 'segment', ...await shelf.keep(number) })
      }
      await index.forgot(number)
      if (damaged !== true) await shelf.remove(number)
      removed = true
    }
    if (removed) await disk.measure({ walk: true })
  }

  async #recoverLeft (): Promise<void> {
    const { index, shelf, observe } = this.#deps
    for (const number of this.#unrecovered) {
      try {
        await shelf.recover(number, (segment) => recoverSegment(segment, index))
        await index.sealed(number)
        this.#unrecovered.delete(number)
      } catch (cause) {
        observe({ kind: 'spool-fault', operation: 'open', cause: cause as Error })
        return
      }
    }
  }

  #run (work: () => Promise<void>): void {
    const running = work()
      .catch((cause: Error) => { this.#deps.observe({ kind: 'spool-fault', operation: 'open', cause }) })
      .finally(() => { this.#sealing.delete(running) })
    this.#sealing.add(running)
  }
}
