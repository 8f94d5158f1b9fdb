/** Something done again and again, never twice at a time. What goes wrong is told, and tried again in its turn. */
export class Chore {
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined

  constructor (everyMs: number, work: () => Promise<void>, failed: (cause: Error) => void) {
    this.#timer = setInterval(() => {
      this.#running ??= work().catch(failed).finally(() => { this.#running = undefined })
    }, everyMs)
  }

  /** Begins no more; resolves once it is done. */
  async stop (): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}
