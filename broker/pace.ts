export interface PaceLimits {
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
}

/** How fast one connection may send. A second's worth may come at once; what is owed then is waited for. */
export class Pace {
  readonly #limits: PaceLimits
  /** Ms, by performance.now: when all that came would have come at the allowed pace. */
  #messagesDueAt = 0
  #bytesDueAt = 0

  constructor (limits: PaceLimits) {
    this.#limits = limits
  }

  /** A packet came; says which limit it goes over and for how many ms nothing more is to be read. Undefined: none. */
  spend (bytes: number, now: number): { readonly limit: 'messages_per_second' | 'bytes_per_second', readonly ms: number } | undefined {
    const { messagesPerSecond, bytesPerSecond } = this.#limits
    this.#messagesDueAt = Math.max(this.#messagesDueAt, now) + 1000 / messagesPerSecond
    this.#bytesDueAt = Math.max(this.#bytesDueAt, now) + bytes * 1000 / bytesPerSecond
    const [messages, octets] = [this.#messagesDueAt - now - 1000, this.#bytesDueAt - now - 1000]
    if (Math.max(messages, octets) <= 0) return undefined
    return messages > octets ? { limit: 'messages_per_second', ms: messages } : { limit: 'bytes_per_second', ms: octets }
  }
}

/** The same with its timer: after a packet that was too much nothing is to be read until it has had its time. */
export class HeldPace {
  readonly #pace: Pace
  readonly #onRelease: () => void
  #hold: NodeJS.Timeout | undefined

  constructor (limits: PaceLimits, onRelease: () => void) {
    this.#pace = new Pace(limits)
    this.#onRelease = onRelease
  }

  get isHeld (): boolean { return this.#hold !== undefined }

  spend (bytes: number, now: number): ReturnType<Pace['spend']> {
    const held = this.#pace.spend(bytes, now)
    if (held === undefined) return undefined
    clearTimeout(this.#hold)
    this.#hold = setTimeout(() => {
      this.#hold = undefined
      this.#onRelease()
    }, held.ms)
    return held
  }

  close (): void { clearTimeout(this.#hold) }
}
