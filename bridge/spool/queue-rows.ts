import { LAST, parseRow, type Located } from './index-rows.ts'
import type { Journal, Row } from './journal.ts'
import {
  parseQueueRow, queueKey, queueOf, queuePrefix, queueRow, Queues,
  type QueueClass, type QueueName, type QueueRow
} from './queues.ts'
import { formatSequence } from './segment.ts'

export interface QueueRange {
  /** Sequences, both exclusive. */
  readonly after: number
  readonly before: number
  readonly limit: number
  /** The newest first. */
  readonly reverse?: boolean
}

const PAGE = 2000

/** The queues as the index has them: their rows on disk, and their sums in memory. */
export class QueueIndex {
  readonly #journal: Journal
  readonly #held: Queues

  constructor (journal: Journal, held: Queues) {
    this.#journal = journal
    this.#held = held
  }

  /** A move of the index is on disk; a queue shows what can be read. */
  moved (from: Located | undefined, to: Located): void {
    if (from?.state === 'waiting') this.#held.remove(queueOf(from), from.entry)
    if (to.state === 'waiting') this.#held.add(queueOf(to), to.entry)
  }

  get held (): Pick<Queues, 'takeGrown' | 'sum' | 'devices'> { return this.#held }

  async read (name: QueueName, { after, before, limit, reverse = false }: QueueRange): Promise<QueueRow[]> {
    const gt = queueKey(name, Math.max(0, after))
    const lt = queuePrefix(name) + (before === Infinity ? LAST : formatSequence(before))
    const rows = await this.#journal.rows({ gt, lt, limit, reverse })
    return rows.flatMap(([key, value]) => parseQueueRow(key, value) ?? [])
  }

  /** The sequence of the oldest of a class; after `seeksMax` seeks of one that may be a little younger. */
  async oldest (one: QueueClass, seeksMax: number): Promise<number | undefined> {
    for (let seek = 1; ; seek++) {
      const oldest = this.#held.oldest(one)
      if (oldest === undefined) return undefined
      const [row] = await this.read(oldest, { after: oldest.first - 1, before: Infinity, limit: 1 })
      if (row === undefined || row.sequence === oldest.first || seek === seeksMax) return row?.sequence
      this.#held.passed(oldest, row.sequence)
    }
  }

  /**
   * Makes the rows again where they are not those of what waits, a page at a time: an earlier version knew none, and
   * after one had been started again they would be those of another time. Says whether it did.
   */
  async align (): Promise<boolean> {
    const journal = this.#journal
    const written = new Queues()
    let isForeign = false
    for await (const rows of pages(journal, 'q')) {
      for (const [key, value] of rows) {
        const row = parseQueueRow(key, value)
        if (row === undefined) isForeign = true
        else written.add(row, row)
      }
    }
    if (!isForeign && this.#held.equals(written)) return false
    for await (const rows of pages(journal, 'q')) await journal.write(rows.map(([key]) => ({ key, value: undefined })))
    for await (const rows of pages(journal, 'w')) {
      await journal.write(rows.flatMap(([key, value]): Row[] => {
        const located = parseRow(key, value)
        return located === undefined ? [] : queueRow(located)
      }))
    }
    await journal.sync()
    return true
  }
}

async function * pages (journal: Journal, letter: string): AsyncGenerator<ReadonlyArray<readonly [string, string]>> {
  for (let gt: string | undefined = letter; gt !== undefined;) {
    const { rows, last } = await journal.range({ gt, lt: letter + LAST, limit: PAGE })
    yield rows
    gt = last
  }
}
