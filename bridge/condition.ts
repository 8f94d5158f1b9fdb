/** Something that others wait for. */
export class Condition {
  readonly #listeners = new Set<() => void>()

  /** Those who wait look again. */
  changed (): void {
    for (const listener of this.#listeners) listener()
  }

  /** Resolves once `holds` does, or when `signal` aborts. */
  until (holds: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const listener = (): void => {
        if (!holds() && !signal.aborted) return
        this.#listeners.delete(listener)
        signal.removeEventListener('abort', listener)
        resolve()
      }
      this.#listeners.add(listener)
      signal.addEventListener('abort', listener)
      listener()
    })
  }
}
