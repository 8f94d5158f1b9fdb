import type { TestContext } from 'node:test'

/** Printed, so that the same run can be had again with SLUICE_TEST_SEED. */
export function seedOf (t: TestContext): number {
  const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Date.now() % 100_000)
  t.diagnostic(`SLUICE_TEST_SEED=${seed}`)
  return seed
}

export function secondsSince (startedAt: number): number {
  return Math.round((Date.now() - startedAt) / 1000)
}
