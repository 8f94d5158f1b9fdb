import type { Entry, Held } from '../entry.ts'
import type { SpoolIndex } from './spool-index.ts'

export interface AcceptedPage {
  readonly held: readonly Held[]
  /** Every image up to this sequence was looked at. */
  readonly at: number
}

/** The images in the order in which they were accepted, whatever became of them. */
export class Acceptance {
  readonly #index: Pick<SpoolIndex, 'readable' | 'locate' | 'lastSequence' | 'nextRow'>
  /** Sequences given but not yet in the index, in order. */
  readonly #unsettled: ReadonlySet<number>

  constructor (index: Pick<SpoolIndex, 'readable' | 'locate' | 'lastSequence' | 'nextRow'>, unsettled: ReadonlySet<number>) {
    this.#index = index
    this.#unsettled = unsettled
  }

  /** Behind it nothing has been accepted yet. */
  get last (): number {
    const [firstUnsettled = Infinity] = this.#unsettled
    return Math.min(firstUnsettled - 1, this.#index.lastSequence)
  }

  /**
   * Up to `limit` images behind the sequence `after`, ending before the first that `isWanted` does not want. Costs the
   * same however many wait.
   */
  async read (after: number, limit: number, isWanted: (entry: Entry) => boolean): Promise<AcceptedPage> {
    await this.#index.readable() // in this tick `locate` does not throw, and no image is between two states
    const end = Math.min(this.last, after + limit)
    const held: Held[] = []
    for (let at = after; at < end; at++) {
      const found = this.#index.locate(at + 1)
      if (found === undefined) continue
      if (!isWanted(found.entry)) return { held, at }
      held.push(found)
    }
    if (held.length > 0 || end < after + limit) return { held, at: Math.max(after, end) }
    // After its repair an index goes on from a far higher number.
    const next = await this.#index.nextRow(end)
    return { held, at: Math.max(end, Math.min(this.last, (next ?? Infinity) - 1)) }
  }
}
