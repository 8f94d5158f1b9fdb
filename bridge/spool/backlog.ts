import type { Entry } from '../entry.ts'
import type { Sum } from './accounts.ts'
import type { ActiveSegments } from './active-segments.ts'
import { SET_ASIDE } from './index-rows.ts'
import type { QueueRange } from './queue-rows.ts'
import { QUEUE_CLASSES, queueOf, type Growth, type QueueClass, type QueueName, type QueueRow } from './queues.ts'
import type { SpoolIndex } from './spool-index.ts'

export interface QueueLevels {
  readonly waiting: Sum
  /** Whose images those are. */
  readonly devices: number
  /** Acceptance of the oldest, ms since epoch; as of a second ago. */
  readonly oldestReceivedAt: number | undefined
}

export interface BacklogDeps {
  readonly index: SpoolIndex
  readonly active: Pick<ActiveSegments, 'segment'>
  readonly shelf: { use (segment: number, work: () => Promise<void>): Promise<void> }
}

const SEEKS_MAX = 100

/** What waits, as whoever decides what goes next looks at it: by lane and device, from any place on. */
export class Backlog {
  readonly #deps: BacklogDeps
  readonly #oldest = new Map<QueueClass, number>()

  constructor (deps: BacklogDeps) {
    this.#deps = deps
  }

  /** The queues that have grown since the last call, at first all that there are. */
  takeGrown (): readonly Growth[] { return this.#deps.index.queues.held.takeGrown() }

  read (name: QueueName, range: QueueRange): Promise<readonly QueueRow[]> {
    return this.#deps.index.queues.read(name, range)
  }

  /** Undefined where it does not wait in this queue any more. */
  async entry (name: QueueName, sequence: number): Promise<Entry | undefined> {
    await this.#deps.index.readable()
    const located = this.#deps.index.locate(sequence)
    if (located?.state !== 'waiting') return undefined
    const { class: one, deviceId } = queueOf(located)
    return one === name.class && deviceId === name.deviceId ? located.entry : undefined
  }

  /** Opens the segments that these will be read from, so that nobody waits for it then. */
  expect (rows: ReadonlyArray<Pick<QueueRow, 'segment'>>): void {
    if (!this.#deps.index.isReadable) return
    for (const number of new Set(rows.map(({ segment }) => segment))) {
      if (number === SET_ASIDE || this.#deps.active.segment(number) !== undefined) continue
      if (this.#deps.index.segment(number) === undefined) continue // it has been removed
      this.#deps.shelf.use(number, async () => {}).catch(() => {}) // whoever reads from it is told
    }
  }

  get levels (): Readonly<Record<QueueClass, QueueLevels>> {
    const level = (one: QueueClass): QueueLevels => {
      const { held } = this.#deps.index.queues
      const waiting = held.sum(one)
      const oldestReceivedAt = waiting.count === 0 ? undefined : this.#oldest.get(one)
      return { waiting, devices: held.devices(one), oldestReceivedAt }
    }
    return {
      prioritized: level('prioritized'), alarm: level('alarm'), normal: level('normal'), bulk: level('bulk')
    }
  }

  /** Looks for the oldest of each class; once a second. */
  async tend (): Promise<void> {
    for (const one of QUEUE_CLASSES) {
      const sequence = await this.#deps.index.queues.oldest(one, SEEKS_MAX)
      await this.#deps.index.readable()
      const oldest = sequence === undefined ? undefined : this.#deps.index.locate(sequence)
      if (oldest === undefined) this.#oldest.delete(one)
      else this.#oldest.set(one, oldest.entry.receivedAt)
    }
  }
}
