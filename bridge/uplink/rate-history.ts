interface Change {
  readonly at: number
  readonly bytesPerSecond: number
}

/** Changes in so quick a succession count as one, which bounds how many are remembered. */
const TOGETHER_MS = 20

/** What a rate that changes comes to over the last `ms`: so much might have been sent in them. */
export class RateHistory {
  readonly #ms: number
  readonly #now: () => number
  /** The first one holds since ever. */
  #changes: readonly Change[]

  constructor (ms: number, bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#ms = ms
    this.#now = now
    this.#changes = [{ at: -Infinity, bytesPerSecond }]
  }

  change (bytesPerSecond: number): void {
    const now = this.#now()
    const isOld = ({ at }: Change, next: Change | undefined): boolean =>
      now - at < TOGETHER_MS || (next !== undefined && next.at <= now - this.#ms)
    const kept = this.#changes.filter((one, i) => !isOld(one, this.#changes[i + 1]))
    this.#changes = [...kept, { at: now, bytesPerSecond }]
  }

  get bytes (): number {
    const now = this.#now()
    return this.#changes.reduce((sum, { at, bytesPerSecond }, i) => {
      const from = Math.max(at, now - this.#ms)
      const to = this.#changes[i + 1]?.at ?? now
      return to <= from ? sum : sum + bytesPerSecond * (to - from) / 1000
    }, 0)
  }
}
