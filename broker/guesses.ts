import { setTimeout as delay } from 'node:timers/promises'

// Passwords are verified a few at a time, taking turns by address, so that one address that sends
// thousands of them delays the others by one verification each. After some wrong ones from one
// address for one name, each further one waits, longer every time: that slows a guesser. A device at another
// address, or one that was right since the start, does not notice. One that shares the guesser's address and
// has not been here yet stands in the same line, and is told to come again where that is full.

export interface GuessLimits {
  /** Verifications side by side, on the thread pool that the spool writes with. */
  readonly verifyingMax: number
  /** Of one address for one name; further ones are refused unverified. */
  readonly guessesWaitingMax: number
  /** Wrong passwords after which the next one waits. */
  readonly guessesFree: number
  /** The first wait; each later one is twice as long. */
  readonly guessPauseMs: number
  readonly guessPauseMsMax: number
  /** Pairs of address and name whose wrong guesses are remembered; the oldest are forgotten first. */
  readonly guessersMax: number
}

export interface Guess {
  readonly address: string
  readonly username: string
}

interface Guesser {
  wrong: number
  waiting: number
  last: Promise<unknown>
}

export class Guesses {
  readonly #limits: GuessLimits
  readonly #guessers = new Map<string, Guesser>()
  readonly #turns = new Map<string, Array<() => void>>()
  #verifying = 0

  constructor (limits: GuessLimits) {
    this.#limits = limits
  }

  /** Resolves with what `verify` does; `crowded` where too many of the same wait already. */
  async judge ({ address, username }: Guess, verify: () => Promise<boolean>): Promise<'right' | 'wrong' | 'crowded'> {
    const key = `${address} ${username}`
    const guesser = this.#guessers.get(key) ?? this.#remember(key)
    if (guesser.waiting >= this.#limits.guessesWaitingMax) return 'crowded'
    guesser.waiting++
    const before = guesser.last
    const judged = before.then(() => this.#guess(guesser, address, verify))
    guesser.last = judged.catch(() => {}) // whoever asked is told
    try {
      return await judged ? 'right' : 'wrong'
    } finally {
      guesser.waiting--
      if (guesser.waiting === 0 && guesser.wrong === 0) this.#guessers.delete(key)
    }
  }

  async #guess (guesser: Guesser, address: string, verify: () => Promise<boolean>): Promise<boolean> {
    const { guessesFree, guessPauseMs, guessPauseMsMax } = this.#limits
    const doublings = guesser.wrong - guessesFree
    const pauseMs = doublings < 0 ? 0 : Math.min(guessPauseMsMax, guessPauseMs * 2 ** doublings)
    if (pauseMs > 0) await delay(pauseMs, undefined, { ref: false })
    await this.#turn(address)
    try {
      const isRight = await verify()
      guesser.wrong = isRight ? 0 : guesser.wrong + 1
      return isRight
    } finally {
      this.#verifying--
      this.#next()
    }
  }

  #turn (address: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#turns.get(address)
      if (waiting === undefined) this.#turns.set(address, [resolve])
      else waiting.push(resolve)
      this.#next()
    })
  }

  #next (): void {
    if (this.#verifying >= this.#limits.verifyingMax) return
    const [turn] = this.#turns
    if (turn === undefined) return
    const [address, waiting] = turn
    this.#turns.delete(address)
    const resolve = waiting.shift()
    if (waiting.length > 0) this.#turns.set(address, waiting) // behind all others
    this.#verifying++
    resolve?.()
  }

  #remember (key: string): Guesser {
    const guesser = { wrong: 0, waiting: 0, last: Promise.resolve() }
    this.#guessers.set(key, guesser)
    if (this.#guessers.size > this.#limits.guessersMax) {
      for (const [oldest, { waiting }] of this.#guessers) {
        if (waiting > 0 || oldest === key) continue
        this.#guessers.delete(oldest)
        break
      }
    }
    return guesser
  }
}
