/**
 * What repeated attempts may take of the line while new images wait: their share of the allowance, earned as time
 * passes. Nothing is saved up, so that in any stretch of time they take no more than the share of it and one object;
 * an object larger than what is earned goes all the same, and the next one waits until it is paid.
 */
export class RetryBudget {
  readonly #bytesPerSecond: () => number
  readonly #now: () => number
  #debtBytes = 0
  #paidAt: number

  /** `bytesPerSecond` is what they may take at the time; `now` is in ms and never goes back. */
  constructor (bytesPerSecond: () => number, now = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
    this.#paidAt = now()
  }

  /** Whether another attempt may go before a first one. */
  get isOpen (): boolean {
    this.#pay()
    return this.#debtBytes === 0
  }

  /** An attempt goes, whether there was room for it or nothing else to send. */
  spend (bytes: number): void {
    this.#pay()
    this.#debtBytes += bytes
  }

  #pay (): void {
    const now = this.#now()
    const seconds = (now - this.#paidAt) / 1000
    if (seconds <= 0) return // or no time at an unlimited rate would be no number
    this.#paidAt = now
    this.#debtBytes = Math.max(0, this.#debtBytes - this.#bytesPerSecond() * seconds)
  }
}
