import type { Entry, Failure, FirstFailure } from '../entry.ts'

type Cause = Pick<Failure, 'reason' | 'detail'>

interface Tried {
  readonly count: number
  /** How many objects were stored when it failed first. */
  readonly storedBefore: number
  readonly first: FirstFailure
}

/** Of entries that failed and are not set aside yet: how often they were tried, and how they failed first. */
export class FailureLog {
  readonly #tried = new Map<number, Tried>()

  attemptsOf ({ sequence }: Entry): number { return this.#tried.get(sequence)?.count ?? 0 }

  /** One more attempt in vain. */
  add ({ sequence }: Entry, { reason, detail }: Cause, stored: number): Tried {
    const before = this.#tried.get(sequence)
    const tried = {
      count: (before?.count ?? 0) + 1,
      storedBefore: before?.storedBefore ?? stored,
      first: before?.first ?? { failedAt: Date.now(), reason, detail }
    }
    this.#tried.set(sequence, tried)
    return tried
  }

  /** Why it is set aside, which may be nothing of the store's; `store` is its configuration (store-identity.ts). */
  failureOf ({ sequence }: Entry, { reason, detail }: Cause, store: string | undefined): Failure {
    const { count = 1, first } = this.#tried.get(sequence) ?? {}
    return {
      failedAt: Date.now(),
      reason,
      detail,
      attempts: count,
      ...first !== undefined && count > 1 && { first },
      ...store !== undefined && { store }
    }
  }

  forget ({ sequence }: Entry): void { this.#tried.delete(sequence) }
}
