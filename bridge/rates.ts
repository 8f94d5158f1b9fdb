import { LANES, type Entry, type Lane } from './entry.ts'
import type { BridgeEvent, SpoolOperation } from './events.ts'
import type { Sum } from './spool/accounts.ts'

/** Over the last minute, or since the start where that is shorter. */
export interface Pace {
  readonly imagesPerSecond: number
  readonly bytesPerSecond: number
}

/** What moved lately, and what has been counted since the start. */
export interface Flow {
  readonly in: Pace
  readonly out: Pace
  /** What of it came in each lane, and what has since the start. */
  readonly lanes: Readonly<Record<Lane, { readonly in: Pace, readonly taken: Sum }>>
  /** What goes out while something does: over the `seconds` of the last minute in which a put was running. */
  readonly busy: { readonly bytesPerSecond: number, readonly seconds: number }
  /** Since the start. */
  readonly refused: number
  readonly duplicates: number
  /** Storage faults of the last minute, and the latest of them. */
  readonly faults: number
  readonly lastFault: { readonly operation: SpoolOperation, readonly detail: string } | undefined
}

interface Second {
  /** Seconds of the clock; a slot of the ring is void where this is not the second it is read for. */
  readonly number: number
  readonly taken: Record<Lane, Sum>
  storedImages: number
  storedBytes: number
  /** With the uplink up and a put running: of these bytes, and these ms. */
  busyBytes: number
  busyMs: number
  faults: number
}

const WINDOW_SECONDS = 60

/** A reader of events that remembers one minute, in a ring of seconds. */
export class Rates {
  readonly #now: () => number
  readonly #startedAt: number
  readonly #ring: Second[]
  #puts = 0
  /** Up to here the time with a put running is in the ring. */
  #busyUntil: number
  readonly #taken: Record<Lane, Sum> = noneTaken()
  #refused = 0
  #duplicates = 0
  #lastFault: Flow['lastFault']

  /** `now` is in ms and never goes back; it need not be the time of day. */
  constructor (now: () => number = () => performance.now()) {
    this.#now = now
    this.#startedAt = now()
    this.#busyUntil = this.#startedAt
    this.#ring = Array.from({ length: WINDOW_SECONDS }, () => emptySecond(-1))
  }

  /** Fits `Observe`, and can be handed over as it is. */
  readonly observe = (event: BridgeEvent): void => {
    if (event.kind === 'image-taken') this.#take(event.entry)
    else if (event.kind === 'put-started') this.#put(1)
    else if (event.kind === 'put-ended') this.#put(-1)
    else if (event.kind === 'entry-uploaded') this.#store(event.entry.bytes)
    else if (event.kind === 'uplink-up') this.#forgetBusy()
    else if (event.kind === 'image-refused') this.#refused++
    else if (event.kind === 'image-duplicate') this.#duplicates++
    else if (event.kind === 'spool-fault') {
      this.#second(this.#now()).faults++
      this.#lastFault = { operation: event.operation, detail: event.cause.message }
    }
  }

  read (): Flow {
    const now = this.#now()
    this.#spendBusy(now)
    const lately = this.#ring.filter(({ number }) => number > secondOf(now) - WINDOW_SECONDS)
    const total = (pick: (second: Second) => number): number => lately.reduce((sum, second) => sum + pick(second), 0)
    const seconds = windowSeconds(now, this.#startedAt)
    const lanePace = (lane: Lane): Pace => ({
      imagesPerSecond: total(({ taken }) => taken[lane].count) / seconds,
      bytesPerSecond: total(({ taken }) => taken[lane].bytes) / seconds
    })
    const lane = (one: Lane): Flow['lanes'][Lane] => ({ in: lanePace(one), taken: this.#taken[one] })
    const lanes = { alarm: lane('alarm'), normal: lane('normal'), bulk: lane('bulk') }
    const busySeconds = total(({ busyMs }) => busyMs) / 1000
    const faults = total(({ faults }) => faults)
    return {
      in: {
        imagesPerSecond: LANES.reduce((sum, one) => sum + lanes[one].in.imagesPerSecond, 0),
        bytesPerSecond: LANES.reduce((sum, one) => sum + lanes[one].in.bytesPerSecond, 0)
      },
      lanes,
      out: {
        imagesPerSecond: total(({ storedImages }) => storedImages) / seconds,
        bytesPerSecond: total(({ storedBytes }) => storedBytes) / seconds
      },
      busy: {
        bytesPerSecond: busySeconds > 0 ? total(({ busyBytes }) => busyBytes) / busySeconds : 0,
        seconds: busySeconds
      },
      refused: this.#refused,
      duplicates: this.#duplicates,
      faults,
      lastFault: faults > 0 ? this.#lastFault : undefined
    }
  }

  #take ({ lane = 'normal', bytes }: Pick<Entry, 'lane' | 'bytes'>): void {
    for (const taken of [this.#taken, this.#second(this.#now()).taken]) {
      taken[lane] = { count: taken[lane].count + 1, bytes: taken[lane].bytes + bytes }
    }
  }

  #store (bytes: number): void {
    const second = this.#second(this.#now())
    second.storedImages++
    second.storedBytes += bytes
    second.busyBytes += bytes
  }

  #put (change: 1 | -1): void {
    this.#spendBusy(this.#now())
    this.#puts = Math.max(0, this.#puts + change)
  }

  /** Puts that ran into an outage say nothing about what the line carries after it. */
  #forgetBusy (): void {
    this.#busyUntil = this.#now()
    for (const second of this.#ring) second.busyMs = second.busyBytes = 0
  }

  #spendBusy (now: number): void {
    const oldest = (secondOf(now) - WINDOW_SECONDS + 1) * 1000
    let from = Math.max(this.#busyUntil, oldest)
    while (this.#puts > 0 && from < now) {
      const to = Math.min(now, (secondOf(from) + 1) * 1000)
      this.#second(from).busyMs += to - from
      from = to
    }
    this.#busyUntil = now
  }

  #second (at: number): Second {
    const number = secondOf(at)
    const slot = number % WINDOW_SECONDS
    const found = this.#ring[slot]
    if (found?.number === number) return found
    const fresh = emptySecond(number)
    this.#ring[slot] = fresh
    return fresh
  }
}

interface Sample {
  readonly at: number
  readonly total: number
}

const SAMPLES_MS = 10_000
const SAMPLED_MS_MIN = 500
/** What was saved up leaves in the first moments, and is no rate: over less than this it is taken as spread over it. */
const SPREAD_MS_MIN = 8_000

/** The rate at which a counter grows, from looking at it about once a second for ten seconds. */
export class CounterRate {
  readonly #now: () => number
  #samples: readonly Sample[] = []

  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  sample (total: number): void {
    const at = this.#now()
    this.#samples = [...this.#samples.filter((sample) => at - sample.at <= SAMPLES_MS), { at, total }]
  }

  get perSecond (): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.at - first.at < SAMPLED_MS_MIN) return 0
    return (last.total - first.total) / (Math.max(SPREAD_MS_MIN, last.at - first.at) / 1000)
  }
}

function emptySecond (number: number): Second {
  return { number, taken: noneTaken(), storedImages: 0, storedBytes: 0, busyBytes: 0, busyMs: 0, faults: 0 }
}

function noneTaken (): Record<Lane, Sum> {
  const none = { count: 0, bytes: 0 }
  return { alarm: none, normal: none, bulk: none }
}

function secondOf (ms: number): number {
  return Math.floor(ms / 1000)
}

/** The ring holds 59 whole seconds and the one that runs. At least 1: a single image is not a rate of thousands. */
function windowSeconds (now: number, since: number): number {
  const whole = WINDOW_SECONDS - 1 + now / 1000 - secondOf(now)
  return Math.max(1, Math.min(whole, (now - since) / 1000))
}
