// Bytes of images in memory: being read off a wire, or not yet durable. One budget over all
// devices and listeners, so that a thousand devices in the same second cost what the operator
// allowed and no more. Strictly first come, first served: a small request behind a large one waits
// with it, or the large one would never have its turn.
//
// The whole of it is for slow lines. What arrives quickly only queues up for the disk, and more of that in memory
// makes nobody faster: so a part of it is all that those have who are quick, or here whole.

/** A share of the budget. Waits, then is held, then is released; `release` is idempotent. */
export interface Grant {
  readonly bytes: number
  readonly isHeld: boolean
  /** All its bytes are here. */
  arrived (): void
  /** Gives the bytes back, or withdraws the request where it still waits. */
  release (): void
}

export interface BudgetLevels {
  readonly heldBytes: number
  /** Requests that wait for their turn. */
  readonly waiting: number
}

type Move = 'arrive' | 'release'

class Request implements Grant {
  readonly bytes: number
  readonly onHeld: () => void
  state: 'waiting' | 'held' | 'released' = 'waiting'
  heldAt = 0
  readonly #move: (request: Request, move: Move) => void

  constructor (bytes: number, onHeld: () => void, move: (request: Request, move: Move) => void) {
    this.bytes = bytes
    this.onHeld = onHeld
    this.#move = move
  }

  get isHeld (): boolean { return this.state === 'held' }

  arrived (): void { this.#move(this, 'arrive') }

  release (): void { this.#move(this, 'release') }
}

/** Who takes longer to arrive is slow. */
const QUICK_MS = 250

export class MemoryBudget {
  readonly bytesMax: number
  readonly #quickBytesMax: number
  // A Set keeps the order of arrival and lets a request in its middle withdraw at no cost.
  readonly #waiting = new Set<Request>()
  /** Held and not whole yet, the one held longest first. */
  readonly #arriving = new Set<Request>()
  readonly #slow = new Set<Request>()
  #heldBytes = 0
  #slowBytes = 0
  #isAdmitting = false
  #turn: NodeJS.Timeout | undefined

  /** `quickBytesMax`: what of it is held at most by whoever is not slow. */
  constructor (bytesMax: number, quickBytesMax = bytesMax) {
    this.bytesMax = bytesMax
    this.#quickBytesMax = quickBytesMax
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
    const request = new Request(bytes, onHeld, this.#move)
    this.#waiting.add(request)
    if (this.#waiting.size === 1) this.#admit(request)
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

  /** By itself each fits: as the only one, and as the only quick one. */
  #fits (bytes: number): boolean {
    const quickBytes = this.#heldBytes - this.#slowBytes
    return (this.#heldBytes === 0 || this.#heldBytes + bytes <= this.bytesMax) &&
      (quickBytes === 0 || quickBytes + bytes <= this.#quickBytesMax)
  }

  #hold (request: Request): void {
    request.state = 'held'
    request.heldAt = performance.now()
    this.#heldBytes += request.bytes
    this.#arriving.add(request)
  }

  readonly #move = (request: Request, move: Move): void => {
    const { state, bytes } = request
    if (state === 'released' || (move === 'arrive' && state === 'waiting')) return
    this.#arriving.delete(request)
    if (this.#slow.delete(request)) this.#slowBytes -= bytes
    if (move === 'arrive') return
    request.state = 'released'
    if (state === 'held') this.#heldBytes -= bytes
    else this.#waiting.delete(request) // it may have been the one the others waited behind
    this.#admit()
  }

  // An onHeld that releases comes back in here; the loop that already runs sees the room it made.
  #admit (fresh?: Request): void {
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    try {
      for (const request of this.#waiting) {
        if (!this.#fits(request.bytes)) this.#findSlow()
        if (!this.#fits(request.bytes)) break
        this.#waiting.delete(request)
        this.#hold(request)
        if (request !== fresh) request.onHeld()
      }
    } finally {
      this.#isAdmitting = false
    }
  }

  /** Looks again when the next one will have become slow. */
  #findSlow (): void {
    const now = performance.now()
    for (const request of this.#arriving) {
      const quickMs = request.heldAt + QUICK_MS - now
      if (quickMs > 0) {
        this.#turn ??= setTimeout(() => {
          this.#turn = undefined
          this.#admit()
        }, quickMs).unref()
        return
      }
      this.#arriving.delete(request)
      this.#slow.add(request)
      this.#slowBytes += request.bytes
    }
  }
}
