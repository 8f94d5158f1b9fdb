import type { Growth, QueueName, QueueRow } from '../spool/queues.ts'
import type { Spool } from '../spool/spool.ts'

/** Reads the queue of one device a page at a time; what was handed out may be handed out again after it has grown. */
export interface QueueReader {
  readonly name: QueueName
  /** Where the next row is, or may be: a sequence. */
  readonly place: number
  /** Read, and not handed out yet. */
  readonly ahead: readonly QueueRow[]
  /** No row that is still to be handed out has a lower or a higher sequence. */
  readonly span: { readonly from: number, readonly to: number }
  grew (growth: Growth): void
  /** The next row, undefined at the end. */
  peek (): Promise<QueueRow | undefined>
  shift (): void
}

export type Backlog = Pick<Spool['backlog'], 'takeGrown' | 'read' | 'entry' | 'expect'>

/** Few, because there is a page for each device that has a backlog. */
const PAGE = 8

/** The oldest first. */
export class ForwardReader implements QueueReader {
  readonly name: QueueName
  readonly #backlog: Backlog
  #ahead: QueueRow[] = []
  /** All up to here were handed out, or are ahead. */
  #readTo: number
  #top: number
  #isEnd = false

  constructor (backlog: Backlog, { class: one, deviceId, from, to }: Growth) {
    this.#backlog = backlog
    this.name = { class: one, deviceId }
    this.#readTo = from - 1
    this.#top = to
  }

  get ahead (): readonly QueueRow[] { return this.#ahead }
  get place (): number { return this.#ahead[0]?.sequence ?? this.#readTo + 1 }
  get span (): { from: number, to: number } { return { from: this.place, to: this.#top } }

  grew ({ from, to }: Growth): void {
    this.#isEnd = false
    this.#top = Math.max(this.#top, to)
    if (from > this.#readTo) return
    this.#ahead = this.#ahead.filter(({ sequence }) => sequence < from)
    this.#readTo = from - 1
  }

  async peek (): Promise<QueueRow | undefined> {
    if (this.#ahead.length === 0 && !this.#isEnd) {
      const rows = await this.#backlog.read(this.name, { after: this.#readTo, before: Infinity, limit: PAGE })
      this.#isEnd = rows.length < PAGE
      this.#readTo = rows.at(-1)?.sequence ?? this.#readTo
      this.#ahead = [...rows]
    }
    return this.#ahead[0]
  }

  shift (): void { this.#ahead.shift() }
}

/**
 * The newest first. What comes in meanwhile stands above what is ahead and is read by itself: between the two lie the
 * rows that have left, which are slow to step over.
 */
export class BackwardReader implements QueueReader {
  readonly name: QueueName
  readonly #backlog: Backlog
  #ahead: QueueRow[] = []
  /** All from here to the top were handed out, or are ahead, or are new. */
  #readFrom: number
  #bottom: number
  #top: number
  /** Nothing above it was looked at yet. */
  #newAfter: number | undefined
  #isEnd = false

  constructor (backlog: Backlog, { class: one, deviceId, from, to }: Growth) {
    this.#backlog = backlog
    this.name = { class: one, deviceId }
    this.#readFrom = to + 1
    this.#bottom = from
    this.#top = to
  }

  get ahead (): readonly QueueRow[] { return this.#ahead }

  get place (): number {
    return this.#newAfter === undefined ? this.#ahead[0]?.sequence ?? this.#readFrom - 1 : this.#top
  }

  get span (): { from: number, to: number } { return { from: this.#bottom, to: this.#top } }

  grew ({ from, to }: Growth): void {
    this.#bottom = Math.min(this.#bottom, from)
    if (from > this.#top) {
      this.#newAfter ??= this.#top
    } else { // an older one waits again
      this.#ahead = []
      this.#newAfter = undefined
      this.#readFrom = Math.max(this.#top, to) + 1
      this.#isEnd = false
    }
    this.#top = Math.max(this.#top, to)
  }

  async peek (): Promise<QueueRow | undefined> {
    if (this.#newAfter !== undefined) await this.#readNew(this.#newAfter)
    if (this.#ahead.length === 0 && !this.#isEnd) {
      const rows = await this.#read(0, this.#readFrom)
      this.#isEnd = rows.length < PAGE
      this.#ahead = [...rows]
      this.#readFrom = rows.at(-1)?.sequence ?? this.#readFrom
    }
    return this.#ahead[0]
  }

  shift (): void { this.#ahead.shift() }

  async #readNew (after: number): Promise<void> {
    const rows = await this.#read(after, this.#top + 1)
    this.#newAfter = undefined
    const kept = rows.length < PAGE ? this.#ahead.slice(0, PAGE) : []
    const isCut = rows.length === PAGE || kept.length < this.#ahead.length
    this.#ahead = [...rows, ...kept]
    if (!isCut) return
    this.#readFrom = this.#ahead.at(-1)?.sequence ?? this.#readFrom
    this.#isEnd = false
  }

  #read (after: number, before: number): Promise<readonly QueueRow[]> {
    return this.#backlog.read(this.name, { after, before, limit: PAGE, reverse: true })
  }
}
