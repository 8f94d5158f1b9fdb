import { Condition } from '../condition.ts'

/** Whether anything new may be sent. What is under way is not its business. */
export class Gate {
  #isOpen = true
  readonly #turned = new Condition()

  get isOpen (): boolean { return this.#isOpen }

  turn (isOpen: boolean): void {
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    this.#turned.changed()
  }

  /** Resolves once it is open, or `signal` aborts. */
  async opened (signal: AbortSignal): Promise<void> {
    await this.#turned.until(() => this.#isOpen, signal)
  }

  /** Runs `work` with a signal that aborts when the gate closes, and when `signal` does. */
  async whileOpen<T> (signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const [shut, done] = [new AbortController(), new AbortController()]
    const stop = (): void => { done.abort() }
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const watched = this.#turned.until(() => !this.#isOpen, done.signal).then(() => { shut.abort() })
    try {
      return await work(shut.signal)
    } finally {
      stop()
      signal.removeEventListener('abort', stop)
      await watched
    }
  }
}
