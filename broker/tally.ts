/** How many of something there are, and a way to wait until there are none. */
export class Tally {
  #count = 0
  #listeners: Array<() => void> = []

  get count (): number { return this.#count }

  up (): void { this.#count++ }

  down (): void {
    if (--this.#count === 0) for (const listener of this.#listeners.splice(0)) listener()
  }

  /** Resolves once there are none, or after `ms`. */
  none (ms: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#listeners.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
