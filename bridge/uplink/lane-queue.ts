import type { DeviceId } from '../../broker/topics.ts'
import type { Entry } from '../entry.ts'
import type { Growth, QueueClass, QueueRow } from '../spool/queues.ts'
import { BackwardReader, ForwardReader, type Backlog, type QueueReader } from './queue-reader.ts'
import { Ranking } from './ranking.ts'

/**
 * What goes next within a lane:
 * - `fair`: of the device that has had the fewest bytes. It keeps the bound of deficit round robin, without its
 *   quantum: of two devices whose backlogs last, neither gets more than one image more than the other.
 * - `oldest`, `newest`: of all devices together.
 * - `newest-per-device`: of each device the newest, in the order in which they came; then the oldest of all.
 */
export type Order = 'fair' | 'oldest' | 'newest' | 'newest-per-device'

export interface LaneQueueDeps {
  readonly backlog: Backlog
  /** True for what was handed out and has not come back; its row may still be there. */
  readonly isOut: (sequence: number) => boolean
}

/** One lane. Its memory grows with the devices that have something in it; a pick is a seek at most. */
export class LaneQueue {
  readonly #deps: LaneQueueDeps
  readonly #class: QueueClass
  readonly #order: Order
  readonly #readers = new Map<DeviceId, QueueReader>()
  readonly #ranking = new Ranking<QueueReader>()
  /** `newest-per-device`: the newest of each device, while it waits. */
  readonly #newest = new Map<DeviceId, number>()
  /** `fair`: what the device served last had had before. Who comes new begins there, or a pause would be a credit. */
  #level = 0

  constructor (deps: LaneQueueDeps, one: QueueClass, order: Order) {
    this.#deps = deps
    this.#class = one
    this.#order = order
  }

  /** False where there may be something. */
  get isEmpty (): boolean { return this.#ranking.size === 0 && this.#newest.size === 0 }

  /** What it may still hand out, in another order; what each device has had counts no more. */
  inOrder (order: Order): LaneQueue {
    const queue = new LaneQueue(this.#deps, this.#class, order)
    for (const { name, span } of this.#readers.values()) queue.grew({ ...name, ...span })
    return queue
  }

  grew (growth: Growth): void {
    const { deviceId, to } = growth
    let reader = this.#readers.get(deviceId)
    if (reader === undefined) {
      reader = new (this.#order === 'newest' ? BackwardReader : ForwardReader)(this.#deps.backlog, growth)
      this.#readers.set(deviceId, reader)
    } else {
      reader.grew(growth)
    }
    if (this.#order === 'newest-per-device') this.#newest.set(deviceId, Math.max(to, this.#newest.get(deviceId) ?? 0))
    this.#ranking.set(reader, this.#rank(reader))
  }

  /** Undefined where it is empty. */
  async take (): Promise<Entry | undefined> {
    const newest = await this.#takeNewest()
    if (newest !== undefined) return newest
    for (let reader = this.#ranking.first; reader !== undefined; reader = this.#ranking.first) {
      const row = await reader.peek()
      if (row === undefined) {
        this.#leave(reader)
        continue
      }
      if (this.#rank(reader) > (this.#ranking.rankOf(reader) ?? 0)) { // it was only known where the next one may be
        this.#ranking.set(reader, this.#rank(reader))
        continue
      }
      reader.shift()
      const entry = await this.#entry(reader.name.deviceId, row.sequence)
      if (entry === undefined) continue
      this.#charge(reader, entry.bytes)
      return entry
    }
    return undefined
  }

  /** Up to about `count` rows that go next, read so that taking them is no wait. */
  async upcoming (count: number): Promise<QueueRow[]> {
    const readers = this.#ranking.leading(count)
    const each = Math.ceil(count / Math.max(1, readers.length))
    for (const reader of readers) await reader.peek()
    return readers.flatMap(({ ahead }) => ahead.slice(0, each))
  }

  async #takeNewest (): Promise<Entry | undefined> {
    for (const [deviceId, sequence] of this.#newest) {
      this.#newest.delete(deviceId)
      const entry = await this.#entry(deviceId, sequence)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  async #entry (deviceId: DeviceId, sequence: number): Promise<Entry | undefined> {
    if (this.#deps.isOut(sequence)) return undefined
    return await this.#deps.backlog.entry({ class: this.#class, deviceId }, sequence)
  }

  #rank (reader: QueueReader): number {
    if (this.#order === 'newest') return -reader.place
    if (this.#order !== 'fair') return reader.place
    return this.#ranking.rankOf(reader) ?? this.#level
  }

  #charge (reader: QueueReader, bytes: number): void {
    if (this.#order !== 'fair') return
    this.#level = this.#rank(reader)
    this.#ranking.set(reader, this.#level + Math.max(1, bytes))
  }

  /** Only when its turn has come: until then a device that has just been emptied keeps what it has had. */
  #leave (reader: QueueReader): void {
    this.#ranking.delete(reader)
    this.#readers.delete(reader.name.deviceId)
  }
}
