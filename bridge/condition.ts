/** Something that others wait for. */
export class Condition {
  readonly #listeners = new Set<() => void>()

  /** Those who wait look again. */
  changed (): void {
    for (const listener of this.#listeners) listener()
  }

  /** Resolves once `holds` does, when `signal` aborts, or after `msMax`. */
  until (holds: () => boolean, signal: AbortSignal, msMax?: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
        signal.removeEventListener('abort', listener)
        resolve()
      }
      const listener = (): void => { if (holds() || signal.aborted) end() }
      const timer = msMax === undefined ? undefined : setTimeout(end, msMax)
      this.#listeners.add(listener)
      signal.addEventListener('abort', listener)
      listener()
    })
  }
}
