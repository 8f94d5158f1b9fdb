/** After it is over it has to stay so for this long before that is said. */
const OVER_MS = 10 * 60_000
const AGAIN_MS = 6 * 3_600_000

/** Something that is worth a word once it lasts, another one seldom, and one when it is over. */
export class Lasting {
  #heldSince: number | undefined
  #said: { readonly since: number, readonly at: number } | undefined
  #lastHeldAt = 0

  /** ms since epoch: when it began, while it is said to last. */
  get since (): number | undefined { return this.#said?.since }

  /** `lastsMs` is how long it has to hold before it is said; undefined where it does not hold now. */
  look (now: number, lastsMs: number | undefined): 'begun' | 'again' | 'over' | undefined {
    if (lastsMs === undefined) return this.#gone(now)
    this.#lastHeldAt = now
    this.#heldSince ??= now
    if (this.#said === undefined) {
      if (now - this.#heldSince < lastsMs) return undefined
      this.#said = { since: this.#heldSince, at: now }
      return 'begun'
    }
    if (now - this.#said.at < AGAIN_MS) return undefined
    this.#said = { ...this.#said, at: now }
    return 'again'
  }

  #gone (now: number): 'over' | undefined {
    this.#heldSince = this.#said?.since
    if (this.#said === undefined || now - this.#lastHeldAt < OVER_MS) return undefined
    this.#heldSince = this.#said = undefined
    return 'over'
  }
}
