interface Place<Member> {
  readonly member: Member
  readonly rank: number
  /** Of those with the same rank the one that was given it first goes first. */
  readonly ticket: number
}

/** Members in the order of a number that each has: a binary heap that knows where each member stands. */
export class Ranking<Member> {
  readonly #heap: Place<Member>[] = []
  readonly #at = new Map<Member, number>()
  #tickets = 0

  get size (): number { return this.#heap.length }
  get first (): Member | undefined { return this.#heap[0]?.member }

  rankOf (member: Member): number | undefined {
    const at = this.#at.get(member)
    return at === undefined ? undefined : this.#heap[at]?.rank
  }

  /** Those that go first, about in their order. */
  leading (count: number): readonly Member[] {
    return this.#heap.slice(0, count).map(({ member }) => member)
  }

  set (member: Member, rank: number): void {
    const at = this.#at.get(member) ?? this.#heap.length
    this.#put(at, { member, rank, ticket: this.#tickets++ })
    this.#settle(at)
  }

  delete (member: Member): void {
    const at = this.#at.get(member)
    const last = this.#heap.pop()
    this.#at.delete(member)
    if (at === undefined || last === undefined || last.member === member) return
    this.#put(at, last)
    this.#settle(at)
  }

  #settle (from: number): void {
    let at = from
    while (at > 0 && this.#isBefore(at, (at - 1) >> 1)) at = this.#swap(at, (at - 1) >> 1)
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const below = this.#isBefore(right, left) ? right : left
      if (!this.#isBefore(below, at)) return
      at = this.#swap(at, below)
    }
  }

  #isBefore (one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]]
    if (a === undefined || b === undefined) return a !== undefined
    return a.rank < b.rank || (a.rank === b.rank && a.ticket < b.ticket)
  }

  #swap (at: number, to: number): number {
    const [one, other] = [this.#heap[at], this.#heap[to]]
    if (one !== undefined) this.#put(to, one)
    if (other !== undefined) this.#put(at, other)
    return to
  }

  #put (at: number, place: Place<Member>): void {
    this.#heap[at] = place
    this.#at.set(place.member, at)
  }
}
