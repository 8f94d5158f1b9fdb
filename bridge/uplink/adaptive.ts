// How much the line itself carries, where that is less than the allowance. Nobody says so: bytes that the line cannot
// carry wait in the buffers of this machine and of every router on the way, and puts take longer and longer until they
// time out, are sent again, and the line carries the same images for ever.
//
// Additive increase, multiplicative decrease. A put takes the time in which its bytes are let out, and after that
// its `tail`: the way there and back and the store's own work, which is about the same each time, and what waits in
// buffers before it, which grows. Tails that stay long bring the pace below what was delivered, so that the buffers
// run empty. Where that does not shorten them it was the store that takes its time, and the pace is put back.

/** Buffers that hold more than this of what the line carries are too full. */
const SLACK_SECONDS = 1
/** And this part of what one object takes on the line: a large one on a thin line comes in gusts. */
const SLACK_OF_OBJECT = 0.25
/** So many puts in a row, over so long, with none in time among them, or few over longer: a stall is not the line. */
const SLOW_PUTS = 3
const SLOW_MS = 2_000
const SLOW_MS_OF_ONE = 15_000
/** Tails that differ by less than this factor are of the same cause. */
const ABOUT_THE_SAME = 1.3
/** Of what the line was seen to carry. */
const DECREASE = 0.7
/** A second: of the pace itself at first, and never more than this of the allowance. */
const INCREASE = { ofPace: 0.1, ofAllowance: 1 / 40 } as const
/** However long a put took: a step that is too large is seen one put later. */
const INCREASE_OF_PACE_MAX = 0.2
/** While this process itself was busy for so much of the time, a late answer says nothing about the line. */
const BUSY_SHARE = 0.6
const DELIVERIES = 8
const BYTES_PER_SECOND_MIN = 500

export interface Started {
  readonly at: number
  readonly busyMs: number
  readonly bytes: number
  /** What had been delivered then, and the pace. */
  readonly delivered: number
  readonly bytesPerSecond: number
}

interface Decreased {
  /** The pace before, and the tail that it had. */
  readonly from: number
  readonly tail: number
  /** By then the buffers have run empty. */
  readonly until: number
}

/** Which pace, and how many puts at a time, suit the line; never above what is allowed. */
export class Adaptive {
  concurrencyMax: number
  readonly #now: () => number
  readonly #busyMs: () => number
  #concurrency = 1
  #bytesPerSecond = Infinity
  #delivered = 0
  /** Bytes a second that puts saw delivered while they ran, the latest last. */
  #deliveries: number[] = []
  /** The shortest that a put has when nothing waits before it. */
  #tail = 0
  #slow: { readonly since: number, puts: number } | undefined
  #decreased: Decreased | undefined
  #increasedAt = -Infinity
  #decreasedAt = -Infinity

  /** `now` is in ms and never goes back; `busyMs` is how long this process has been busy. */
  constructor (
    concurrencyMax: number,
    now: () => number = () => performance.now(),
    busyMs: () => number = () => performance.eventLoopUtilization().active
  ) {
    this.concurrencyMax = concurrencyMax
    this.#now = now
    this.#busyMs = busyMs
  }

  /** Puts at a time: opened step by step at the start and after an outage. */
  get concurrency (): number { return Math.min(this.concurrencyMax, this.#concurrency) }
  /** Infinite where the line is not known to carry less than is allowed. */
  get bytesPerSecond (): number { return this.#bytesPerSecond }

  /** What the line carries; undefined where it carries what is allowed. */
  get carriedBytesPerSecond (): number | undefined {
    return this.#bytesPerSecond === Infinity ? undefined : Math.max(0, ...this.#deliveries)
  }

  /** A put begins; `bytesPerSecond` is the pace that it is let out at. */
  begin (bytes: number, bytesPerSecond: number): Started {
    return { at: this.#now(), busyMs: this.#busyMs(), bytes, delivered: this.#delivered, bytesPerSecond }
  }

  /** `heldSeconds` of the put's time its bytes waited here for their turn, which others may have had first. */
  stored (put: Started, allowed: number, heldSeconds = 0): void {
    const now = this.#now()
    const seconds = Math.max(0.001, (now - put.at) / 1000)
    this.#delivered += put.bytes
    const delivery = (this.#delivered - put.delivered) / seconds
    this.#deliveries = [...this.#deliveries, delivery].slice(-DELIVERIES)
    const tail = Math.max(0, seconds - Math.max(heldSeconds, put.bytes / put.bytesPerSecond))
    this.#tail = Math.min(this.#tail, tail)
    const waits = tail - this.#tail
    const slack = SLACK_SECONDS + SLACK_OF_OBJECT * put.bytes / Math.max(1, ...this.#deliveries)
    const isBusy = this.#busyMs() - put.busyMs > BUSY_SHARE * 1000 * seconds
    if (waits > slack && !isBusy && allowed !== Infinity) this.#judge(put, tail, allowed)
    else this.#inTime(waits < slack / 2, allowed)
  }

  /** It timed out although the line is known to be thin: it is thinner still. */
  timedOut (): void {
    if (this.#bytesPerSecond === Infinity) return
    this.#concurrency = 1
    this.#bytesPerSecond = Math.max(BYTES_PER_SECOND_MIN, this.#bytesPerSecond / 2)
  }

  /** The store is back after an outage: what is known of the line holds, and puts begin one by one. */
  restart (): void {
    this.#concurrency = 1
    this.#slow = undefined
  }

  #inTime (isShort: boolean, allowed: number): void {
    this.#slow = undefined
    this.#concurrency = Math.min(this.concurrencyMax, this.#concurrency + 1)
    const now = this.#now()
    const seconds = (now - Math.max(this.#increasedAt, this.#decreasedAt)) / 1000
    if (!isShort || this.#bytesPerSecond === Infinity || seconds === 0) return
    this.#decreased = undefined
    const step = Math.min(INCREASE.ofPace * seconds, INCREASE_OF_PACE_MAX) * this.#bytesPerSecond
    const increased = this.#bytesPerSecond + Math.min(step, INCREASE.ofAllowance * seconds * allowed)
    this.#bytesPerSecond = increased >= allowed ? Infinity : increased
    this.#increasedAt = now
  }

  #judge (put: Started, tail: number, allowed: number): void {
    const now = this.#now()
    if (put.at < this.#decreasedAt) return // it began before the pace was lowered
    const { since, puts } = this.#slow ?? { since: put.at, puts: 0 }
    this.#slow = { since, puts: puts + 1 }
    if (now - since < (puts + 1 < SLOW_PUTS ? SLOW_MS_OF_ONE : SLOW_MS)) return
    const before = this.#decreased
    if (before !== undefined && now < before.until) return
    const pace = Math.min(this.#bytesPerSecond, allowed)
    if (before === undefined || tail > before.tail * ABOUT_THE_SAME) this.#decrease(pace, tail)
    else if (tail < before.tail / ABOUT_THE_SAME) this.#drain(before.from, tail)
    else this.#putBack(before)
  }

  #decrease (pace: number, tail: number): void {
    const carried = Math.max(...this.#deliveries.slice(-SLOW_PUTS))
    this.#bytesPerSecond = Math.max(BYTES_PER_SECOND_MIN, DECREASE * Math.min(carried, pace))
    this.#drain(this.#decreased?.from ?? pace, tail)
  }

  #drain (from: number, tail: number): void {
    const now = this.#now()
    this.#decreased = { from, tail, until: now + 1000 * tail / (1 - DECREASE) }
    this.#slow = undefined
    this.#decreasedAt = now
  }

  /** A slower pace has not made tails shorter: they are the store's own. */
  #putBack ({ from, tail }: Decreased): void {
    this.#tail = tail
    this.#bytesPerSecond = from
    this.#decreased = undefined
    this.#slow = undefined
  }
}
