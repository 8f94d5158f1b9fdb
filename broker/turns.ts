/**
 * Lets a few verifications run at a time, taking turns by address, so that one address that sends thousands of
 * them delays the others by one verification each.
 */
export class Turns {
  readonly #max: number
  readonly #waiting = new Map<string, Array<() => void>>()
  #running = 0

  constructor (max: number) {
    this.#max = max
  }

  async take<T> (address: string, run: () => Promise<T>): Promise<T> {
    await this.#turn(address)
    try {
      return await run()
    } finally {
      this.#running--
      this.#next()
    }
  }

  #turn (address: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(address)
      if (waiting === undefined) this.#waiting.set(address, [resolve])
      else waiting.push(resolve)
      this.#next()
    })
  }

  #next (): void {
    if (this.#running >= this.#max) return
    const [turn] = this.#waiting
    if (turn === undefined) return
    const [address, waiting] = turn
    this.#waiting.delete(address)
    const resolve = waiting.shift()
    if (waiting.length > 0) this.#waiting.set(address, waiting) // behind all others
    this.#running++
    resolve?.()
  }
}
