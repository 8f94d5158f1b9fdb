import { Condition } from '../condition.ts'

/** Whether anything new may be sent. What is under way is not its business. */
export class Gate {
  #isOpen = true
  readonly #turned = new Condition()
  readonly #watchers = new Set<() => void>()

  get isOpen (): boolean { return this.#isOpen }

  turn (isOpen: boolean): void {
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    this.#turned.changed()
    for (const look of this.#watchers) look()
  }

  /** Resolves once it is open, or `signal` aborts. */
  async opened (signal: AbortSignal): Promise<void> {
    await this.#turned.until(() => this.#isOpen, signal)
  }

  /** Runs `work` with a signal that aborts when the gate closes, and when `signal` does. */
  async whileOpen<T> (signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const shut = new AbortController()
    const look = (): void => { if (signal.aborted || !this.#isOpen) shut.abort() }
    this.#watchers.add(look)
    signal.addEventListener('abort', look)
    look() // at once: what has begun with an open gate may pick an image
    try {
      return await work(shut.signal)
    } finally {
      this.#watchers.delete(look)
      signal.removeEventListener('abort', look)
    }
  }
}
