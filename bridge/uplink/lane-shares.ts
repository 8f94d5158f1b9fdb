import { LANES, type Lane } from '../entry.ts'

/**
 * Whose turn it is between the lanes. Each has earned its share of the bytes that went out while it had something to
 * send. The first lane that has not had what it earned goes next; where every one has, the first lane takes what the
 * others leave, and does not pay for it. A lane that is empty earns nothing, and stays as deep in debt as it is until
 * what others send has worked that off: else one that is emptied again and again would always be the first.
 */
export class LaneShares {
  /** 0 to 1 each, and together; what lanes have earned so far they keep when it changes. */
  shares: Readonly<Record<Lane, number>>
  /** Bytes. */
  readonly #credits: Record<Lane, number> = { alarm: 0, normal: 0, bulk: 0 }

  constructor (shares: Readonly<Record<Lane, number>>) {
    this.shares = shares
  }

  /** `waiting` are the lanes with something to send, the most urgent first. */
  choose (waiting: readonly Lane[]): Lane | undefined {
    return waiting.find((lane) => this.#credits[lane] >= 0) ?? waiting[0]
  }

  sent (sender: Lane, bytes: number, waiting: readonly Lane[]): void {
    const isOwed = this.#credits[sender] >= 0
    for (const lane of LANES) {
      const credit = this.#credits[lane] + this.shares[lane] * bytes
      this.#credits[lane] = waiting.includes(lane) ? credit : Math.min(0, credit)
    }
    if (isOwed) this.#credits[sender] -= bytes
  }
}
