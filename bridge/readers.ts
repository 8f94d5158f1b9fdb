import type { BridgeEvent, Observe } from './events.ts'

/** Hands every event to all who read them; what happens before a late reader is there is kept for it. */
export class Readers {
  readonly #readers: Observe[]
  #early: BridgeEvent[] | undefined = []

  constructor (...readers: readonly Observe[]) {
    this.#readers = [...readers]
  }

  readonly observe: Observe = (event) => {
    this.#early?.push(event)
    for (const read of this.#readers) read(event)
  }

  add (reader: Observe): void { this.#readers.push(reader) }

  /** The last to come: it is told first of all that happened so far. */
  addLate (reader: Observe): void {
    for (const event of this.#early ?? []) reader(event)
    this.#early = undefined
    this.#readers.push(reader)
  }
}
