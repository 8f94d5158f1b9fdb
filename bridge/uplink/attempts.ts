import type { Entry } from '../entry.ts'

interface Failed {
  readonly count: number
  /** Objects that had been stored when it failed first, and when it failed last. */
  readonly storedBefore: number
  readonly storedLately: number
}

/** Attempts after which an entry is set aside, provided that others were stored meanwhile. */
const ATTEMPTS_MAX = 8

/** What is known of entries that failed, as long as they wait for another attempt. */
export class Attempts {
  readonly #failed = new Map<number, Failed>()
  #stored = 0

  /** Attempts that an entry has behind it. */
  of ({ sequence }: Entry): number { return this.#failed.get(sequence)?.count ?? 0 }

  stored (): void { this.#stored++ }

  /**
   * One more attempt in vain. `alone`: others were stored since its attempt before, so that it may be at fault
   * itself; `isHopeless`: that has been so again and again.
   */
  failed ({ sequence }: Entry): { readonly count: number, readonly alone: boolean, readonly isHopeless: boolean } {
    const before = this.#failed.get(sequence)
    const count = (before?.count ?? 0) + 1
    const storedBefore = before?.storedBefore ?? this.#stored
    this.#failed.set(sequence, { count, storedBefore, storedLately: this.#stored })
    return {
      count,
      alone: before !== undefined && this.#stored > before.storedLately,
      isHopeless: Math.min(count, this.#stored - storedBefore) >= ATTEMPTS_MAX
    }
  }

  forget ({ sequence }: Entry): void { this.#failed.delete(sequence) }
}
