import { randomInt } from 'node:crypto'

export interface GuessPaceLimits {
  /** Wrong guesses of one address, whatever the names, that none is waited for. */
  readonly addressGuessesFree: number
  /** Those beyond. */
  readonly addressGuessesPerSecond: number
  /** Names of one address that wait for that. */
  readonly namesWaitingMax: number
  /** That are remembered; the oldest are forgotten first. */
  readonly addressesMax: number
}

interface Waiting {
  readonly settle: (mayGo: boolean) => void
  /** Nobody waits for the answer any more. */
  readonly isGone: () => boolean
}

interface Guessing {
  /** Ms, by performance.now: when all wrong guesses would have been made at the allowed pace. */
  dueAt: number
  readonly waiting: Waiting[]
  timer: NodeJS.Timeout | undefined
  isTold: boolean
}

/** Slows the guesses of one address over all names, beyond those that it has free. */
export class GuessPace {
  readonly #limits: GuessPaceLimits
  readonly #onSlow: (address: string) => void
  readonly #addresses = new Map<string, Guessing>()

  /** `onSlow` is told once of an address that goes on when its free guesses are used up, until nothing is owed. */
  constructor (limits: GuessPaceLimits, onSlow: (address: string) => void = () => {}) {
    this.#limits = limits
    this.#onSlow = onSlow
  }

  /**
   * Resolves once this one may be verified; it is charged, and `refund` is for one that was right. Who is next is
   * drawn by lot. False: too many wait, and this one is gone or the lot fell on it.
   */
  async turn (address: string, isGone: () => boolean = () => false): Promise<boolean> {
    const guessing = this.#of(address)
    if (guessing.waiting.length === 0 && this.#waitMs(guessing) <= 0) {
      this.charge(address)
      return true
    }
    this.#tell(address, guessing)
    return await new Promise((resolve) => {
      guessing.waiting.push({ settle: resolve, isGone })
      if (guessing.waiting.length > this.#limits.namesWaitingMax) dismissOne(guessing.waiting)
      this.#schedule(address, guessing)
    })
  }

  /** One more was wrong. What is owed has an end, or the next one would wait for hours. */
  charge (address: string): void {
    const guessing = this.#of(address)
    if (this.#waitMs(guessing) > 0) this.#tell(address, guessing)
    const now = performance.now()
    const { addressGuessesFree } = this.#limits
    const owed = Math.max(guessing.dueAt, now) + this.#intervalMs
    guessing.dueAt = Math.min(owed, now + (addressGuessesFree + 1) * this.#intervalMs)
  }

  refund (address: string): void {
    const guessing = this.#of(address)
    guessing.dueAt -= this.#intervalMs
    if (guessing.waiting.length === 0) return
    clearTimeout(guessing.timer)
    guessing.timer = undefined
    this.#schedule(address, guessing) // or the next one would wait for what is not owed any more
  }

  get #intervalMs (): number { return 1000 / this.#limits.addressGuessesPerSecond }

  #waitMs ({ dueAt }: Guessing): number {
    return dueAt - performance.now() - (this.#limits.addressGuessesFree - 1) * this.#intervalMs
  }

  #tell (address: string, guessing: Guessing): void {
    if (!guessing.isTold) this.#onSlow(address)
    guessing.isTold = true
  }

  #schedule (address: string, guessing: Guessing): void {
    guessing.timer ??= setTimeout(() => {
      guessing.timer = undefined
      while (guessing.waiting.length > 0 && this.#waitMs(guessing) <= 0) {
        this.charge(address)
        draw(guessing.waiting)?.settle(true)
      }
      if (guessing.waiting.length > 0) this.#schedule(address, guessing)
    }, Math.max(1, this.#waitMs(guessing))).unref()
  }

  #of (address: string): Guessing {
    const known = this.#addresses.get(address)
    if (known !== undefined) {
      if (known.dueAt <= performance.now()) known.isTold = false
      return known
    }
    const guessing: Guessing = { dueAt: 0, waiting: [], timer: undefined, isTold: false }
    this.#addresses.set(address, guessing)
    if (this.#addresses.size > this.#limits.addressesMax) this.#forgetOne(address)
    return guessing
  }

  #forgetOne (fresh: string): void {
    for (const [oldest, { waiting }] of this.#addresses) {
      if (waiting.length > 0 || oldest === fresh) continue
      this.#addresses.delete(oldest)
      return
    }
  }
}

/** One that is gone, or else whom the lot falls on. */
function dismissOne (waiting: Waiting[]): void {
  const gone = waiting.findIndex(({ isGone }) => isGone())
  const [dismissed] = gone < 0 ? [draw(waiting)] : waiting.splice(gone, 1)
  dismissed?.settle(false)
}

function draw<T> (waiting: T[]): T | undefined {
  return waiting.length === 0 ? undefined : waiting.splice(randomInt(waiting.length), 1)[0]
}
