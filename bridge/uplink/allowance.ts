import Bottleneck from 'bottleneck'
import { Window } from './window.ts'

/** The window over which the allowance is kept, and the part of it that is given out in one. */
const WINDOW_MS = 10_000
const GIVEN_OUT = 0.99
/**
 * The part of it that comes in all the time. At GIVEN_OUT itself the window would be full for good, and a stall
 * that leaves it would be followed by another one, every ten seconds.
 */
export const FILLED = 0.987
/**
 * Bytes that may be saved up, as seconds of the allowance: much while somebody has work for the line, so that a
 * moment in which the disk or this process held it up is made good; little while there is none, because what
 * goes out at once at the beginning is missing ten seconds later.
 */
const SAVED_SECONDS = { busy: 0.5, idle: 0.1 } as const
/** So long after the last wait the line still counts as busy. */
const BUSY_MS = 1000
/** The longest piece, as seconds of the allowance. */
const PIECE_SECONDS = 0.09
const SAVED_BYTES_MIN = 4096
const REFILL_EVERY_MS = 20

interface Waiting {
  readonly bytes: number
  readonly resolve: () => void
}

/**
 * Our share of the line to the store, in bytes. Whoever sends asks here first, piece by piece, and is
 * served first come first served; whatever was handed to the line is charged, answered or not.
 *
 * Bottleneck's reservoir holds the bytes. It is filled by a timer of ours, because any `updateSettings()`
 * stops its own refill for good (bottleneck issue 185), which a rate that changes at run time would do;
 * and several pieces share one job, because a limiter does about 400 jobs a second at best.
 */
export class Allowance {
  readonly #limiter = new Bottleneck({ reservoir: 0 })
  readonly #timer: NodeJS.Timeout
  #bytesPerSecond: number
  /** What Bottleneck's reservoir holds; asking it would be a promise each time. */
  #reservoir = 0
  /** Taken out of the reservoir and not given to anybody yet. */
  #drawn = 0
  #window = new Window(WINDOW_MS)
  #refilledAt = performance.now()
  #waitedAt = -Infinity
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #serving = false
  #isClosed = false
  #givenBytes = 0
  #heldSeconds = 0

  constructor (bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
    this.#timer = setInterval(() => { this.#refill() }, REFILL_EVERY_MS)
  }

  get bytesPerSecond (): number { return this.#bytesPerSecond }

  /** Applies to what is sent from now on. */
  set bytesPerSecond (value: number) {
    this.#refill()
    this.#bytesPerSecond = value
    this.#window = new Window(WINDOW_MS) // what was given at another rate says nothing about this one
  }

  /** The most that `pace` can be asked for at a time. */
  get pieceBytesMax (): number {
    return Math.max(SAVED_BYTES_MIN / 2, Math.floor(this.#bytesPerSecond * PIECE_SECONDS))
  }

  get waitingBytes (): number { return this.#waitingBytes }
  get givenBytes (): number { return this.#givenBytes }
  /** How long something was ready to be sent and had to wait for the allowance. */
  get heldSeconds (): number { return this.#heldSeconds }

  /** Resolves when `bytes`, at most `pieceBytesMax`, may be sent; when `signal` aborts, without charging them. */
  pace (bytes: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const giveUp = (): void => { this.#giveUp(waiting) }
      const served = (): void => { signal?.removeEventListener('abort', giveUp); resolve() }
      const waiting = { bytes, resolve: served }
      this.#waiting.push(waiting)
      this.#waitingBytes += bytes
      signal?.addEventListener('abort', giveUp)
      if (!this.#serving) void this.#serve()
    })
  }

  close (): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting = []
    void this.#limiter.stop({ dropWaitingJobs: true })
  }

  #savedBytesMax (now: number): number {
    const seconds = now - this.#waitedAt < BUSY_MS ? SAVED_SECONDS.busy : SAVED_SECONDS.idle
    return Math.max(SAVED_BYTES_MIN, this.#bytesPerSecond * seconds)
  }

  async #serve (): Promise<void> {
    this.#serving = true
    try {
      while (this.#give()) {
        const weight = this.#nextWeight()
        await this.#limiter.schedule({ weight }, async () => {})
        this.#reservoir -= weight
        this.#drawn += weight
      }
    } catch (error) {
      if (!this.#isClosed) throw error // a limiter that is stopped rejects what it had been asked for
    }
    this.#serving = false
  }

  /** Serves those at the head from what was drawn; true where somebody still waits. */
  #give (): boolean {
    for (let head = this.#waiting[0]; head !== undefined && head.bytes <= this.#drawn; head = this.#waiting[0]) {
      this.#waiting.shift()
      this.#drawn -= head.bytes
      this.#waitingBytes -= head.bytes
      this.#givenBytes += head.bytes
      this.#window.add(head.bytes)
      head.resolve()
    }
    return this.#waiting.length > 0
  }

  /** What the head still needs, and with it all that is saved up, for those who come next. */
  #nextWeight (): number {
    const needed = (this.#waiting[0]?.bytes ?? 0) - this.#drawn
    return Math.max(needed, this.#reservoir)
  }

  #giveUp (waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting)
    if (at < 0) return
    this.#waiting.splice(at, 1)
    this.#waitingBytes -= waiting.bytes
    waiting.resolve()
  }

  /** What was saved up while the line was busy and is too much now that it is not. */
  #forget (surplus: number): void {
    const bytes = Math.floor(surplus)
    if (bytes <= 0) return
    const drawn = Math.min(bytes, this.#drawn)
    this.#drawn -= drawn
    this.#reservoir -= bytes - drawn
    if (bytes > drawn) void this.#limiter.incrementReservoir(drawn - bytes)
  }

  #refill (): void {
    const now = performance.now()
    const seconds = (now - this.#refilledAt) / 1000
    if (this.#waiting.length > 0) {
      this.#heldSeconds += seconds
      this.#waitedAt = now
    }
    // A piece asked for before the line became thinner may be larger than what is saved up now.
    const wanted = Math.max(this.#savedBytesMax(now), this.#waiting[0]?.bytes ?? 0)
    if (this.#waiting.length === 0) this.#forget(this.#reservoir + this.#drawn - wanted)
    const windowBytes = this.#bytesPerSecond * GIVEN_OUT * WINDOW_MS / 1000 - this.#window.bytes
    const room = Math.min(wanted, windowBytes) - this.#reservoir - this.#drawn
    const bytes = Math.floor(Math.min(room, seconds * this.#bytesPerSecond * FILLED))
    if (bytes < 1 && room >= 1) return // a thin line earns less than a byte in this time: wait for more
    this.#refilledAt = now
    if (bytes < 1) return
    this.#reservoir += bytes
    void this.#limiter.incrementReservoir(bytes)
  }
}
