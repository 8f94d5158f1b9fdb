import type { Observe } from '../events.ts'
import type { EntryWithPayload, Segment } from './segment.ts'

interface Waiting {
  readonly record: EntryWithPayload
  readonly resolve: (segment: number) => void
  readonly reject: (cause: Error) => void
}

/**
 * A segment being filled, with group commit: what arrives while one batch is synced goes into the next.
 * What waits here is bounded by the memory budget that every payload was read under.
 */
export class ActiveSegment {
  readonly segment: Segment
  readonly #observe: Observe
  readonly #batchBytesMax: number
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #broken: Error | undefined

  constructor (segment: Segment, batchBytesMax: number, observe: Observe) {
    this.segment = segment
    this.#batchBytesMax = batchBytesMax
    this.#observe = observe
  }

  /** The failed write after which nothing more is written here. */
  get broken (): Error | undefined { return this.#broken }
  get idle (): boolean { return this.#writing === undefined }
  get waitingBytes (): number { return this.#waitingBytes }
  /** Written or about to be. */
  get bytes (): number { return this.segment.bytes + this.#waitingBytes }

  /** Resolves with the segment's number once the record is on disk. Rejects where the disk says it is not. */
  append (record: EntryWithPayload): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken)
      this.#waiting.push({ record, resolve, reject })
      this.#waitingBytes += record.payload.length
      this.#writing ??= this.#write()
    })
  }

  /** Settles once nothing is being written and nothing waits to be. */
  async settled (): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #write (): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      const bytes = batch.reduce((sum, { record }) => sum + record.payload.length, 0)
      const startedAt = performance.now()
      try {
        await this.segment.append(batch.map(({ record }) => record))
      } catch (error) {
        this.#break(error as Error, batch)
        break
      }
      this.#waitingBytes -= bytes
      const seconds = (performance.now() - startedAt) / 1000
      this.#observe({ kind: 'spool-written', entries: batch.length, bytes, seconds })
      for (const { resolve } of batch) resolve(this.segment.number)
    }
    this.#writing = undefined
  }

  #takeBatch (): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && bytes < this.#batchBytesMax) {
      bytes += this.#waiting[count++]?.record.payload.length ?? 0
    }
    return this.#waiting.splice(0, count)
  }

  // LevelDB goes on acknowledging synced writes after a failed append, and a crash then loses them
  // (google/leveldb issue 1180). So after any error nothing more is written to this segment.
  #break (cause: Error, batch: readonly Waiting[]): void {
    this.#broken = cause
    for (const { reject } of [...batch, ...this.#waiting]) reject(cause)
    this.#waiting = []
    this.#waitingBytes = 0
  }
}
