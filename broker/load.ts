const SPANS = [['1min', 1], ['5min', 5], ['15min', 15]] as const
const MINUTE_MS = 60_000

/** How much a total grows in a minute, averaged over one, five and fifteen of them, the latest weighing most. */
export class Load {
  readonly #averages = new Map<string, number>()
  #total = 0
  #at: number

  /** The total was 0 at `at`, in ms. */
  constructor (at: number) {
    this.#at = at
  }

  add (total: number, now: number): ReadonlyArray<readonly [span: string, perMinute: number]> {
    const elapsedMs = now - this.#at
    if (elapsedMs <= 0) return SPANS.map(([span]) => [span, this.#averages.get(span) ?? 0])
    const perMinute = (total - this.#total) * MINUTE_MS / elapsedMs
    this.#total = total
    this.#at = now
    return SPANS.map(([span, minutes]) => {
      const kept = Math.exp(-elapsedMs / (minutes * MINUTE_MS))
      const average = kept * (this.#averages.get(span) ?? 0) + (1 - kept) * perMinute
      this.#averages.set(span, average)
      return [span, average]
    })
  }
}
