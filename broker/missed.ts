// The names that somebody gave a wrong password for, those that there are and those that there are not: both wait from
// then on, or the delay would tell which is which. Strangers think of names without end, and so of those that there are
// not the oldest are forgotten; they push out none of the others.

export class Missed {
  readonly #unknownMax: number
  readonly #known = new Set<string>()
  readonly #unknown = new Set<string>()

  constructor (unknownMax: number) {
    this.#unknownMax = unknownMax
  }

  add (username: string, isKnown: boolean): void {
    if (isKnown) {
      this.#known.add(username)
      return
    }
    this.#unknown.add(username)
    const [oldest] = this.#unknown
    if (this.#unknown.size > this.#unknownMax && oldest !== undefined) this.#unknown.delete(oldest)
  }

  has (username: string): boolean {
    return this.#known.has(username) || this.#unknown.has(username)
  }

  delete (username: string): void {
    this.#known.delete(username)
    this.#unknown.delete(username)
  }
}
