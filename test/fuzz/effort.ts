import type { TestContext } from 'node:test'
import { createRandom, type Random } from '../../device-sim/random.ts'
import { seedOf } from '../faults/seed.ts'

/** All files of this folder together: a few seconds with every change, else what `npm run fuzz -- --minutes` says. */
const SECONDS = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 4)

/** True where it runs for long enough to judge by memory and delays. */
export const isLong = SECONDS >= 30

export interface Effort {
  readonly seed: number
  readonly random: Random
  /** False once this file had its share of the time. */
  goesOn (): boolean
}

export function effortOf (t: TestContext, share: number): Effort {
  const seed = seedOf(t)
  const end = performance.now() + SECONDS * 1000 * share
  return { seed, random: createRandom(seed), goesOn: () => performance.now() < end }
}
