import { formatImages } from './amounts.ts'
import type { HeldImages } from './http/deps.ts'
import { failedPages } from './http/matches.ts'
import { CORRUPT } from './spool/errors.ts'

/** Rows looked at in one go; with more, the number is one from below. */
const LOOKED_AT_MAX = 50_000

/**
 * How many images failed while the store was configured in another way: a right bucket or a new key may be all that
 * they want. Counted again whenever the number of failed ones has changed; rows of earlier versions do not count.
 */
export class FailedElsewhere {
  readonly #spool: HeldImages
  readonly #identity: string
  #count = 0
  #seen: number | undefined
  #looking: Promise<number> | undefined

  constructor (spool: HeldImages, identity: string) {
    this.#spool = spool
    this.#identity = identity
  }

  /** As of the last look, which a change since then begins anew. */
  get count (): number {
    if (this.#spool.ledger.failed !== this.#seen) void this.look()
    return this.#count
  }

  /** Never rejects: where the index cannot be read, the number stays what it was. */
  look (): Promise<number> {
    this.#looking ??= this.#look().finally(() => { this.#looking = undefined })
    return this.#looking
  }

  async #look (): Promise<number> {
    const { failed } = this.#spool.ledger
    try {
      this.#count = failed === 0 ? 0 : await this.#find()
      this.#seen = failed
    } catch {
      // The spool says what is wrong with it; the next look may find it well.
    }
    return this.#count
  }

  async #find (): Promise<number> {
    let [found, lookedAt] = [0, 0]
    for await (const page of failedPages(this.#spool, { query: ANY, reason: undefined })) {
      // What is damaged here fares no better there.
      found += page.filter(({ failure: { store = this.#identity, reason } }) =>
        store !== this.#identity && reason !== CORRUPT).length
      lookedAt += page.length
      if (lookedAt >= LOOKED_AT_MAX) break
    }
    return found
  }
}

const ANY = { deviceId: undefined, from: undefined, to: undefined }

/** A sentence without its full stop. */
export function describeOtherStore (count: number): string {
  return `${formatImages(count)} failed under another configuration of the store: sluice images retry --all --dry-run`
}
