import type { Grant, MemoryBudget } from './budget.ts'

// The publishes of one connection, from the header of each until custody of it is settled.
//
// Invariant: a grant is always owned. From the header on it is in #unclaimed, in the order of the
// wire; the hook of Aedes is called in that same order and takes it out with `claim`. Only the last
// one can still wait, since nothing behind it is read.

/** Ends the claim on a publish: its memory and its place are free again. Call it once. */
export type Settle = () => void

export interface ClaimDeps {
  readonly budget: MemoryBudget
  /** The publish that was blocked may be read. Called from within another's release: note it, do not act. */
  readonly onRoom: () => void
}

export interface ClaimLimits {
  /** Up to this size a publish takes no memory from the budget. */
  readonly smallBytesMax: number
  readonly inFlightMax: number
}

export class Claims {
  readonly #deps: ClaimDeps
  readonly #limits: ClaimLimits
  #unclaimed: Array<Grant | undefined> = []
  #held = 0
  #withoutPlace: number | undefined

  constructor (deps: ClaimDeps, limits: ClaimLimits) {
    this.#deps = deps
    this.#limits = limits
  }

  /** Publishes whose custody is being settled. */
  get held (): number { return this.#held }

  /** True while the publish that entered last may not be read: it waits for a place or for memory. */
  get isBlocked (): boolean {
    return this.#withoutPlace !== undefined || this.#unclaimed.at(-1)?.isHeld === false
  }

  /** The header of a publish was read. A place first, then memory: it would hold memory idle otherwise. */
  enter (bytes: number): void {
    const { inFlightMax, smallBytesMax } = this.#limits
    if (this.#unclaimed.length + this.#held >= inFlightMax) {
      this.#withoutPlace = bytes
      return
    }
    const { budget, onRoom } = this.#deps
    this.#unclaimed.push(bytes > smallBytesMax ? budget.request(bytes, onRoom) : undefined)
  }

  /** For the next publish that reaches the hook. */
  claim (): Settle {
    if (this.#unclaimed.length === 0) throw new Error('a publish reached the hook that the guard has not seen')
    const grant = this.#unclaimed.shift()
    grant?.arrived()
    this.#held++
    return () => {
      this.#held--
      grant?.release()
      this.#fillPlace()
    }
  }

  /** The connection is gone. What was claimed is in somebody's hands and is settled by them. */
  abandon (): void {
    const unclaimed = this.#unclaimed
    this.#unclaimed = []
    this.#withoutPlace = undefined
    for (const grant of unclaimed) grant?.release()
  }

  #fillPlace (): void {
    const bytes = this.#withoutPlace
    if (bytes === undefined) return
    this.#withoutPlace = undefined
    this.enter(bytes)
    if (!this.isBlocked) this.#deps.onRoom()
  }
}
