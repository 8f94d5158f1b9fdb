import type { Entry, Failure, FirstFailure } from '../entry.ts'

type Cause = Pick<Failure, 'reason' | 'detail'>

interface Failed {
  readonly count: number
  /** Objects that had been stored when it failed first, and when it failed last. */
  readonly storedBefore: number
  readonly storedLately: number
  readonly first: FirstFailure
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
  failed (
    { sequence }: Entry, { reason, detail }: Cause
  ): { readonly count: number, readonly alone: boolean, readonly isHopeless: boolean } {
    const before = this.#failed.get(sequence)
    const count = (before?.count ?? 0) + 1
    const storedBefore = before?.storedBefore ?? this.#stored
    const first = before?.first ?? { failedAt: Date.now(), reason, detail }
    this.#failed.set(sequence, { count, storedBefore, storedLately: this.#stored, first })
    return {
      count,
      alone: before !== undefined && this.#stored > before.storedLately,
      isHopeless: Math.min(count, this.#stored - storedBefore) >= ATTEMPTS_MAX
    }
  }

  /** Why it is set aside, which may be nothing of the store's; `store` is its configuration (store-identity.ts). */
  failureOf ({ sequence }: Entry, { reason, detail }: Cause, store: string | undefined): Failure {
    const { count = 1, first } = this.#failed.get(sequence) ?? {}
    return {
      failedAt: Date.now(),
      reason,
      detail,
      attempts: count,
      ...first !== undefined && count > 1 && { first },
      ...store !== undefined && { store }
    }
  }

  forget ({ sequence }: Entry): void { this.#failed.delete(sequence) }
}
