// Bytes of images in memory: being read off a wire, or not yet durable. One budget over all
// devices and listeners, so that a thousand devices in the same second cost what the operator
// allowed and no more. Strictly first come, first served: a small request behind a large one waits
// with it, or the large one would never have its turn.

/** A share of the budget. Waits, then is held, then is released; `release` is idempotent. */
export interface Grant {
  readonly bytes: number
  readonly isHeld: boolean
  /** Gives the bytes back, or withdraws the request where it still waits. */
  release (): void
}

export interface BudgetLevels {
  readonly heldBytes: number
  /** Requests that wait for their turn. */
  readonly waiting: number
}

class Request implements Grant {
  readonly bytes: number
  readonly onHeld: () => void
  state: 'waiting' | 'held' | 'released' = 'waiting'
  readonly #release: (request: Request) => void

  constructor (bytes: number, onHeld: () => void, release: (request: Request) => void) {
    this.bytes = bytes
    this.onHeld = onHeld
    this.#release = release
  }

  get isHeld (): boolean { return this.state === 'held' }

  release (): void { this.#release(this) }
}

export class MemoryBudget {
  readonly bytesMax: number
  // A Set keeps the order of arrival and lets a request in its middle withdraw at no cost.
  readonly #waiting = new Set<Request>()
  #heldBytes = 0
  #isAdmitting = false

  constructor (bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get levels (): BudgetLevels {
    return { heldBytes: this.#heldBytes, waiting: this.#waiting.size }
  }

  /**
   * Asks for `bytes`. The grant is held at once where there is room and nobody waits; otherwise
   * `onHeld` is called when its turn has come, from within the release that made the room, so it
   * should only make a note. A request larger than the whole budget is held alone.
   */
  request (bytes: number, onHeld: () => void): Grant {
    const request = new Request(bytes, onHeld, this.#release)
    if (this.#waiting.size === 0 && this.#fits(bytes)) this.#hold(request)
    else this.#waiting.add(request)
    return request
  }

  /** The same as a promise. Rejects with the signal's reason, leaving nothing held, when it aborts first. */
  acquire (bytes: number, signal?: AbortSignal): Promise<Grant> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const withdraw = (): void => {
        grant.release()
        reject(signal?.reason)
      }
      const take = (): void => {
        signal?.removeEventListener('abort', withdraw)
        resolve(grant)
      }
      const grant = this.request(bytes, take)
      if (grant.isHeld) take()
      else signal?.addEventListener('abort', withdraw, { once: true })
    })
  }

  #fits (bytes: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + bytes <= this.bytesMax
  }

  #hold (request: Request): void {
    request.state = 'held'
    this.#heldBytes += request.bytes
  }

  readonly #release = (request: Request): void => {
    const { state } = request
    request.state = 'released'
    switch (state) {
      case 'released': return
      case 'held': this.#heldBytes -= request.bytes; break
      case 'waiting': this.#waiting.delete(request); break // it may have been the one the others waited behind
    }
    this.#admit()
  }

  // An onHeld that releases comes back in here; the loop that already runs sees the room it made.
  #admit (): void {
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    try {
      for (const request of this.#waiting) {
        if (!this.#fits(request.bytes)) break
        this.#waiting.delete(request)
        this.#hold(request)
        request.onHeld()
      }
    } finally {
      this.#isAdmitting = false
    }
  }
}
