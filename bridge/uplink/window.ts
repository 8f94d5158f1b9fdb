const SLOTS = 500

/** Bytes of the last `ms`, to a five-hundredth of it; what has passed by less is still counted. */
export class Window {
  readonly #slotMs: number
  readonly #slots = new Array<number>(SLOTS + 1).fill(0)
  readonly #now: () => number
  #slot: number
  #bytes = 0

  constructor (ms: number, now: () => number = () => performance.now()) {
    this.#slotMs = ms / SLOTS
    this.#now = now
    this.#slot = Math.floor(now() / this.#slotMs)
  }

  get bytes (): number {
    this.#pass()
    return this.#bytes
  }

  add (bytes: number): void {
    this.#pass()
    const at = this.#slot % this.#slots.length
    this.#slots[at] = (this.#slots[at] ?? 0) + bytes
    this.#bytes += bytes
  }

  #pass (): void {
    const slot = Math.floor(this.#now() / this.#slotMs)
    const passed = Math.min(slot - this.#slot, this.#slots.length)
    for (let back = 0; back < passed; back++) {
      const at = (slot - back) % this.#slots.length
      this.#bytes -= this.#slots[at] ?? 0
      this.#slots[at] = 0
    }
    this.#slot = slot
  }
}
