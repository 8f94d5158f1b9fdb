import type { Failure, FirstFailure } from '../entry.ts'

/** Of an entry that was tried and is not stored: how often, how first, and how many objects were stored by then. */
export interface Attempts {
  readonly count: number
  readonly storedBefore: number
  readonly first: FirstFailure
}

type Error = Pick<Failure, 'reason' | 'detail'>

export function triedOnce (before: Attempts | undefined, { reason, detail }: Error, stored: number): Attempts {
  const failedAt = Date.now()
  return {
    count: (before?.count ?? 0) + 1,
    storedBefore: before?.storedBefore ?? stored,
    first: before?.first ?? { failedAt, reason, detail }
  }
}

/** Why an entry is set aside; `attempts` are those with the store, none where it was not even read. */
export function failureOf (attempts: Attempts | undefined, { reason, detail }: Error, store?: string): Failure {
  const { count = 1, first } = attempts ?? {}
  return {
    failedAt: Date.now(),
    reason,
    detail,
    attempts: count,
    ...first !== undefined && count > 1 && { first },
    ...store !== undefined && { store }
  }
}
