import Bottleneck from 'bottleneck'
import { RateHistory } from './rate-history.ts'
import { Window } from './window.ts'

/** The window over which the allowance is kept, and the part of it that is given out in one. */
const WINDOW_MS = 10_000
const GIVEN_OUT = 0.993
/**
 * The part of it that comes in all the time. At GIVEN_OUT itself the window would be full for good, and a stall
 * that leaves it would be followed by another one, every ten seconds.
 */
export const FILLED = 0.99
/**
 * Bytes that may be saved up, as seconds of the allowance: much while somebody has work for the line, so that a
 * moment in which the disk or this process held it up is made good; little while there is none, because what
 * goes out at once at the beginning is missing ten seconds later.
 */
const SAVED_SECONDS = { busy: 0.5, idle: 0.1 } as const
/** So long after the last wait the line still counts as busy. */
const BUSY_MS = 1000
/**
 * The longest piece, as seconds of the allowance: what a window has or lacks at its two ends is a piece at most. Where
 * that is less than a packet, the three times, since TCP and IP take 40 bytes for each; and where there is no limit.
 */
const PIECE_SECONDS = 0.03
const PACKET_BYTES = 1400
const PIECE_BYTES_MAX = 2 ** 24
/** On a thin line a piece is still a small part of what goes in ten seconds, and on the thinnest it fits into them. */
const SAVED_BYTES_MIN = 1024
const SAVED_SECONDS_OF_MIN = 1
const REFILL_EVERY_MS = 20

interface Waiting {
  readonly bytes: number
  /** False: not given. */
  readonly resolve: (isGiven: boolean) => void
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
  #lineBytesPerSecond = Infinity
  /** What Bottleneck's reservoir holds; asking it would be a promise each time. */
  #reservoir = 0
  /** Taken out of the reservoir and not given to anybody yet. */
  #drawn = 0
  /** The weight of the job that Bottleneck has. */
  #asked = 0
  /** Put into the reservoir so that a job which is too heavy by now ends, and given to nobody. */
  #lent = 0
  readonly #window = new Window(WINDOW_MS)
  readonly #history: RateHistory
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
    this.#history = new RateHistory(WINDOW_MS, bytesPerSecond)
    this.#timer = setInterval(() => { this.#refill() }, REFILL_EVERY_MS)
  }

  get bytesPerSecond (): number { return this.#bytesPerSecond }

  /**
   * Above 0; applies to what is sent from now on, and a window with a change in it has its part of either rate.
   * Infinite: nothing is held back.
   */
  set bytesPerSecond (value: number) {
    this.#refill()
    this.#bytesPerSecond = value
    this.#history.change(value)
    this.#forget(this.#reservoir + this.#drawn - Math.max(this.#savedBytesMin, value * SAVED_SECONDS.idle))
    this.#sendBack()
  }

  /** What the line is thought to carry: where that is less, no more is let out, and nothing is promised. */
  get lineBytesPerSecond (): number { return this.#lineBytesPerSecond }
  set lineBytesPerSecond (value: number) { this.#lineBytesPerSecond = value }

  /** At which bytes are let out now. */
  get pacedBytesPerSecond (): number { return Math.min(this.#bytesPerSecond, this.#lineBytesPerSecond) }

  /** The most that `pace` can be asked for at a time. */
  get pieceBytesMax (): number {
    const bytes = this.pacedBytesPerSecond * PIECE_SECONDS
    const packet = Math.min(PACKET_BYTES, bytes * 3)
    const most = Math.max(Math.ceil(this.#savedBytesMin / 2), bytes, packet)
    return Math.floor(Math.min(PIECE_BYTES_MAX, most))
  }

  get waitingBytes (): number { return this.#waitingBytes }
  get givenBytes (): number { return this.#givenBytes }
  /** How long something was ready to be sent and had to wait for the allowance. */
  get heldSeconds (): number { return this.#heldSeconds }

  /**
   * Resolves when `bytes`, at most `pieceBytesMax`, may be sent; when `signal` aborts, without charging them. False
   * where the line has become so much thinner meanwhile that they are to be asked for in smaller pieces.
   */
  pace (bytes: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve(true)
      if (this.#bytesPerSecond === Infinity && !this.#serving) {
        this.#givenBytes += bytes
        return resolve(true)
      }
      const giveUp = (): void => { this.#giveUp(waiting) }
      const served = (isGiven: boolean): void => { signal?.removeEventListener('abort', giveUp); resolve(isGiven) }
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
    for (const { resolve } of this.#waiting) resolve(true)
    this.#waiting = []
    void this.#limiter.stop({ dropWaitingJobs: true })
  }

  #savedBytesMax (now: number): number {
    const seconds = now - this.#waitedAt < BUSY_MS ? SAVED_SECONDS.busy : SAVED_SECONDS.idle
    return Math.max(this.#savedBytesMin, this.pacedBytesPerSecond * seconds)
  }

  get #savedBytesMin (): number { return Math.min(SAVED_BYTES_MIN, this.#bytesPerSecond * SAVED_SECONDS_OF_MIN) }

  async #serve (): Promise<void> {
    this.#serving = true
    try {
      while (this.#give()) {
        const weight = this.#nextWeight()
        this.#asked = weight
        await this.#limiter.schedule({ weight }, async () => {})
        this.#reservoir -= weight
        this.#drawn += weight - this.#lent
        this.#lent = 0
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
      head.resolve(true)
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
    waiting.resolve(true)
  }

  /** Pieces cut for a faster line would hold up all behind them, and leave in one burst in the end. */
  #sendBack (): void {
    const bytesMax = this.pieceBytesMax
    for (const waiting of this.#waiting.filter(({ bytes }) => bytes > bytesMax)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      this.#waitingBytes -= waiting.bytes
      waiting.resolve(false)
    }
    const missing = this.#asked - this.#reservoir
    if (!this.#serving || missing <= 0) return
    this.#lent += missing
    this.#reservoir += missing
    void this.#limiter.incrementReservoir(missing) // a job in Bottleneck's queue cannot be taken back
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
    // What waits in front is given whole, whatever may be saved up.
    const wanted = Math.max(this.#savedBytesMax(now), this.#waiting[0]?.bytes ?? 0)
    if (this.#waiting.length === 0) this.#forget(this.#reservoir + this.#drawn - wanted)
    if (this.#bytesPerSecond === Infinity) { // those who had waited before the limit was taken off
      this.#add(Math.max(0, this.#waitingBytes - this.#reservoir - this.#drawn))
      return
    }
    const windowBytes = this.#history.bytes * GIVEN_OUT - this.#window.bytes
    const room = Math.min(wanted, windowBytes) - this.#reservoir - this.#drawn
    const rate = this.pacedBytesPerSecond * FILLED
    const bytes = Math.floor(Math.min(room, seconds * rate))
    if (bytes < 1 && room >= 1) return // a thin line earns less than a byte in this time: wait for more
    // The part of a byte that was earned beside them is kept, or a thin line would lose a good deal of itself.
    this.#refilledAt = bytes < Math.floor(room) ? this.#refilledAt + bytes / rate * 1000 : now
    this.#add(bytes)
  }

  #add (bytes: number): void {
    if (bytes < 1) return
    this.#reservoir += bytes
    void this.#limiter.incrementReservoir(bytes)
  }
}
