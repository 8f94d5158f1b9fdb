import { setTimeout as sleep } from 'node:timers/promises'
import type { Allowance } from './allowance.ts'

/** A line on which nothing waited for so long has room. */
const IDLE_MS_MAX = 40
/** What a put needs before its first byte, with a moment in which the disk or this process is held up. */
const LEAD_SECONDS = 0.1

/** Lets puts follow each other instead of making each other slow. */
export class Spacing {
  readonly #allowance: Allowance
  /** The put begun last: its bytes, and what the allowance will have given when none of them is left. */
  #begun: { readonly bytes: number, readonly givenAtEnd: number, readonly isRunning: () => boolean } | undefined

  constructor (allowance: Allowance) {
    this.#allowance = allowance
  }

  /** A put of so many bytes begins. */
  begin (bytes: number, isRunning: () => boolean): void {
    const givenAtEnd = this.#allowance.givenBytes + Math.max(0, this.#leftBytes()) + bytes
    this.#begun = { bytes, givenAtEnd, isRunning }
  }

  /** What was sent since the put begun last took its turn. */
  get sentBytes (): number {
    return this.#begun === undefined ? 0 : this.#allowance.givenBytes - this.#begun.givenAtEnd + this.#begun.bytes
  }

  /**
   * Waits until the put begun last has all but its last bytes on the line. A line that stands idle because the store
   * reads slowly is reason enough for another put.
   */
  async room (stop: AbortSignal): Promise<void> {
    let idleMs = 0
    while (!stop.aborted && idleMs < IDLE_MS_MAX) {
      const { pacedBytesPerSecond: bytesPerSecond } = this.#allowance
      const leftBytes = this.#leftBytes() - bytesPerSecond * LEAD_SECONDS
      if (leftBytes <= 0) return
      const waitMs = Math.min(Math.max(1, leftBytes / bytesPerSecond * 1000), IDLE_MS_MAX / 2)
      await sleep(waitMs)
      idleMs = this.#allowance.waitingBytes > 0 ? 0 : idleMs + waitMs
    }
  }

  /** Of the put begun last: what the allowance has not given it yet. */
  #leftBytes (): number {
    return this.#begun?.isRunning() === true ? this.#begun.givenAtEnd - this.#allowance.givenBytes : 0
  }
}
