/** What became of one body on its way to the kernel, its parts included. */
export class BodyCount {
  #bytes = 0
  #waiting = 0
  #waitingSince = 0
  #heldMs = 0

  /** Given to the kernel so far. */
  get bytes (): number { return this.#bytes }

  /** How long a piece of it was ready and had to wait for its turn. */
  get heldSeconds (): number {
    const waitingMs = this.#waiting > 0 ? performance.now() - this.#waitingSince : 0
    return (this.#heldMs + waitingMs) / 1000
  }

  add (bytes: number): void { this.#bytes += bytes }

  /** A piece begins to wait; parts may do so at the same time. */
  hold (): void {
    if (this.#waiting === 0) this.#waitingSince = performance.now()
    this.#waiting++
  }

  /** A piece waits no longer. */
  release (): void {
    this.#waiting--
    if (this.#waiting === 0) this.#heldMs += performance.now() - this.#waitingSince
  }
}
