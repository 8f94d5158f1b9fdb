// What the spool and its dedup window promise, in a few lines: no disk, no clock of its own.

import assert from 'node:assert/strict'
import type { State } from '../../bridge/spool/accounts.ts'

export interface Known {
  readonly sequence: number
  /** `deviceId/imageId`. */
  readonly name: string
  /** Which of the pictures. */
  readonly picture: number
  readonly receivedAt: number
  /** Every state it was in; it is in the last one. */
  readonly states: readonly State[]
}

export class Model {
  readonly #windowMs: number
  readonly #known: Known[] = []

  constructor (windowMs: number) {
    this.#windowMs = windowMs
  }

  get known (): readonly Known[] { return this.#known }

  /** The count of each state, as the ledger has it. */
  get counts (): { readonly [state in State]: number } {
    const count = (state: State): number => this.#known.filter((known) => stateOf(known) === state).length
    return { waiting: count('waiting'), failed: count('failed'), uploaded: count('uploaded'), dropped: count('dropped') }
  }

  in (...states: readonly State[]): readonly Known[] {
    return this.#known.filter((known) => states.includes(stateOf(known)))
  }

  /** What a device is told that offers this picture under this name. */
  outcomeOf (name: string, picture: number, now: number): 'taken' | 'duplicate' | 'refused' {
    const latest = this.#known.findLast((known) => known.name === name)
    if (latest === undefined || this.#isForgotten(latest, now)) return 'taken'
    return latest.picture === picture ? 'duplicate' : 'refused'
  }

  took (entry: Omit<Known, 'states'>): void {
    this.#known.push({ ...entry, states: ['waiting'] })
  }

  moved (known: Known, to: State): void {
    this.#known[this.#known.indexOf(known)] = { ...known, states: [...known.states, to] }
  }

  /** What is on disk after a crash; a power cut may take back marks, and nothing else. */
  assertFound (found: ReadonlyMap<number, State>, now: number, { marksMayBeLost }: { marksMayBeLost: boolean }): void {
    for (const known of [...this.#known]) {
      const state = found.get(known.sequence)
      if (state === undefined) assert.ok(this.#isForgotten(known, now), `${known.name} is lost: it was ${stateOf(known)}`)
      else if (!marksMayBeLost) assert.equal(state, stateOf(known), known.name)
      else assert.ok(known.states.includes(state), `${known.name} is ${state}, and never was`)
      if (state !== undefined && state !== stateOf(known)) this.moved(known, state)
    }
    const sequences = new Set(this.#known.map(({ sequence }) => sequence))
    assert.deepEqual([...found.keys()].filter((sequence) => !sequences.has(sequence)), [], 'taken twice')
  }

  #isForgotten (known: Known, now: number): boolean {
    const isHeld = ['waiting', 'failed'].includes(stateOf(known))
    return !isHeld && known.receivedAt <= now - this.#windowMs
  }
}

export function stateOf ({ states }: Known): State {
  return states.at(-1) ?? 'waiting'
}
