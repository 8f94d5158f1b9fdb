import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { addressGroup } from './address-group.ts'
import { GuessPace, type GuessPaceLimits } from './guess-pace.ts'
import { Turns } from './turns.ts'

// Passwords are verified a few at a time, taking turns by address (turns.ts). After some wrong ones from one
// address for one name, each further one waits, longer every time: that slows a guesser. A device at another
// address, or one that was right from this address since the start, does not notice. One that shares the guesser's
// address and has not been here yet waits among the guesses, with these in its favour:
//
// - The same password again, right or wrong, takes no further place: a device repeats its own, a guesser cannot.
// - Who is next is drawn by lot, and where no place is left it is drawn by lot who loses his: nobody is kept
//   out by those who were first.
//
// Wrong ones of one address for many names are slowed together (guess-pace.ts). The first guess at each name does not
// wait for that, so that a fleet behind the guesser's address comes back after a restart beside him: he has one guess
// for each name, and then waits. It is the same with names that there are not, or the wait would tell which there are.

export interface GuessLimits extends GuessPaceLimits {
  /** Verifications side by side, on the thread pool that the spool writes with. */
  readonly verifyingMax: number
  /** Different passwords of one address for one name. */
  readonly guessesWaitingMax: number
  /** Wrong passwords after which the next one waits. */
  readonly guessesFree: number
  /** The first wait; each later one is twice as long. */
  readonly guessPauseMs: number
  readonly guessPauseMsMax: number
  /** Pairs of address and name, and names that there are not, guessed at and remembered; the oldest go first. */
  readonly guessersMax: number
}

/** Of names and addresses. */
export interface GuessRules {
  /** Nobody has guessed wrong at this name yet. */
  isFresh (username: string): boolean
  /** From now on the guesses of this address wait. */
  onSlow (address: string): void
}

export interface Guess {
  readonly address: string
  readonly username: string
  /** Stands for the password: equal exactly where it is the same one. */
  readonly seal: string
  /** Nobody waits for the answer any more. */
  readonly isGone?: () => boolean
}

export type Judged = 'right' | 'wrong' | 'crowded'

interface Waiting {
  readonly verify: () => Promise<boolean>
  readonly judged: Promise<Judged>
  readonly settle: (judged: Judged | Promise<Judged>) => void
  /** Of all who gave this password. */
  readonly gone: Array<() => boolean>
}

type Whose = Pick<Guess, 'address' | 'username'>

interface Guesser {
  wrong: number
  isAtWork: boolean
  /** Being verified, and not waiting any more. */
  current: { readonly seal: string, readonly judged: Promise<Judged> } | undefined
  readonly waiting: Map<string, Waiting>
  /** Of passwords that were wrong. */
  readonly seen: Set<string>
}

const SEEN_MAX = 64

export class Guesses {
  readonly #limits: GuessLimits
  readonly #turns: Turns
  readonly #pace: GuessPace
  readonly #rules: GuessRules
  readonly #guessers = new Map<string, Guesser>()

  constructor (limits: GuessLimits, rules: Partial<GuessRules> = {}, turns = new Turns(limits.verifyingMax)) {
    this.#limits = limits
    this.#turns = turns
    this.#rules = { isFresh: () => true, onSlow: () => {}, ...rules }
    this.#pace = new GuessPace(limits, this.#rules.onSlow)
  }

  /** Resolves with what `verify` does; `crowded` where too many others wait, and the lot fell on this one. */
  async judge (guess: Guess, verify: () => Promise<boolean>): Promise<Judged> {
    const { username, seal, isGone = () => false } = guess
    const address = addressGroup(guess.address)
    const key = `${address} ${username}`
    const guesser = this.#guessers.get(key) ?? this.#remember(key)
    if (guesser.seen.has(seal)) return 'wrong'
    if (guesser.current?.seal === seal) return await guesser.current.judged
    const same = guesser.waiting.get(seal)
    if (same !== undefined) {
      same.gone.push(isGone)
      return await same.judged
    }
    this.#dismissGone(guesser)
    if (guesser.waiting.size >= this.#limits.guessesWaitingMax && !this.#dismissOne(guesser)) return 'crowded'
    const { promise: judged, resolve: settle } = withResolvers()
    guesser.waiting.set(seal, { verify, judged, settle, gone: [isGone] })
    if (!guesser.isAtWork) void this.#work(key, guesser, { address, username })
    return await judged
  }

  /** Passwords are other ones now. */
  forgetSeen (): void {
    for (const { seen } of this.#guessers.values()) seen.clear()
  }

  async #work (key: string, guesser: Guesser, { address, username }: Whose): Promise<void> {
    guesser.isAtWork = true
    while (guesser.waiting.size > 0) {
      const pauseMs = this.#pauseMs(guesser)
      if (pauseMs > 0) await delay(pauseMs, undefined, { ref: false })
      const isFresh = this.#rules.isFresh(username)
      if (!isFresh && !await this.#pace.turn(address, () => isDeserted(guesser))) {
        this.#dismissAll(guesser)
        break
      }
      this.#dismissGone(guesser)
      const drawn = draw(guesser.waiting)
      if (drawn === undefined) {
        if (!isFresh) this.#pace.refund(address)
        continue
      }
      const [seal, { verify, settle }] = drawn
      // A rejection is for whoever asked.
      const judged = this.#turns.take(address, verify).then((isRight): Judged => isRight ? 'right' : 'wrong')
      settle(judged)
      guesser.waiting.delete(seal)
      guesser.current = { seal, judged }
      const outcome = await judged.catch(() => undefined)
      guesser.current = undefined
      if (outcome === 'right') guesser.wrong = 0
      if (outcome === 'wrong') note(guesser, seal)
      if (isFresh && outcome === 'wrong') this.#pace.charge(address)
      if (!isFresh && outcome !== 'wrong') this.#pace.refund(address)
    }
    guesser.isAtWork = false
    if (guesser.wrong === 0) this.#guessers.delete(key)
  }

  #pauseMs ({ wrong }: Guesser): number {
    const { guessesFree, guessPauseMs, guessPauseMsMax } = this.#limits
    const doublings = wrong - guessesFree
    return doublings < 0 ? 0 : Math.min(guessPauseMsMax, guessPauseMs * 2 ** doublings)
  }

  #dismissGone ({ waiting }: Guesser): void {
    for (const [seal, { gone, settle }] of waiting) {
      if (!gone.every((isGone) => isGone())) continue
      waiting.delete(seal)
      settle('crowded')
    }
  }

  #dismissAll ({ waiting }: Guesser): void {
    for (const { settle } of waiting.values()) settle('crowded')
    waiting.clear()
  }

  /** False: the lot fell on the one who comes. */
  #dismissOne ({ waiting }: Guesser): boolean {
    if (randomInt(waiting.size + 1) === 0) return false
    const drawn = draw(waiting)
    if (drawn === undefined) return false
    const [seal, { settle }] = drawn
    waiting.delete(seal)
    settle('crowded')
    return true
  }

  #remember (key: string): Guesser {
    const guesser: Guesser = { wrong: 0, isAtWork: false, current: undefined, waiting: new Map(), seen: new Set() }
    this.#guessers.set(key, guesser)
    if (this.#guessers.size > this.#limits.guessersMax) {
      for (const [oldest, { isAtWork }] of this.#guessers) {
        if (isAtWork || oldest === key) continue
        this.#guessers.delete(oldest)
        break
      }
    }
    return guesser
  }
}

/** Whoever waited there is gone. */
function isDeserted ({ waiting }: Guesser): boolean {
  return [...waiting.values()].every(({ gone }) => gone.every((isGone) => isGone()))
}

function note (guesser: Guesser, seal: string): void {
  guesser.wrong++
  const [oldest] = guesser.seen
  if (guesser.seen.size >= SEEN_MAX && oldest !== undefined) guesser.seen.delete(oldest)
  guesser.seen.add(seal)
}

function draw (waiting: ReadonlyMap<string, Waiting>): [string, Waiting] | undefined {
  return waiting.size === 0 ? undefined : [...waiting][randomInt(waiting.size)]
}

// Promise.withResolvers came with Node 22.
function withResolvers (): { promise: Promise<Judged>, resolve: (judged: Judged | Promise<Judged>) => void } {
  let settle: (judged: Judged | Promise<Judged>) => void = () => {}
  const promise = new Promise<Judged>((resolve) => { settle = resolve })
  return { promise, resolve: settle }
}
