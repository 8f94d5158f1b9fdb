// What a fault of the store costs the line: bytes that were sent and did not become an object. Each fault falls into
// a drain that runs at the allowance, and the whole run is judged, as the two counters of the metrics would.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Faults, Knobs } from '../../bridge/local-store/faults.ts'
import { eventually } from '../helpers/eventually.ts'
import { startRemoteBridge } from '../helpers/remote-bridge.ts'
import { publishShots } from '../helpers/shots.ts'
import { rounds } from './rounds.ts'

const IMAGE_BYTES = 50_000
const BYTES_PER_SECOND = 500_000
/** The images that a fault finds under way are sent in vain: few of those that a run has. */
const CONCURRENCY = rounds({ fast: 2, long: 4 })
const SECONDS = rounds({ fast: 5, long: 60 })
const COUNT = SECONDS * BYTES_PER_SECOND / IMAGE_BYTES
const FAULT_MS = rounds({ fast: 1500, long: 20_000 })
/** From the store's return to the first image that it has. */
const BACK_SECONDS_MAX = 5
const WASTE_MAX = 0.1
const WASTE_MAX_AT_WORST = 0.2

const slowDown = { status: 503, code: 'SlowDown' }
const accessDenied = { status: 403, code: 'AccessDenied' }

// The fast run plays the first.
const FAULTS: ReadonlyArray<readonly [claim: string, begin: Partial<Knobs>, wasteMax?: number]> = [
  ['answers that are lost after the object is stored', { reset: 'answer' }],
  ['a store that falls silent', { stall: true }],
  ['a store that asks to slow down', { errorRate: 1, error: slowDown }],
  ['credentials that are refused', { errorRate: 1, error: accessDenied }],
  ['connections that are reset in the middle of a body', { reset: 'body' }],
  ['an outage', { outage: true }],
  ['a tenth of all requests refused without a reason', { errorRate: 0.1, error: slowDown }, WASTE_MAX_AT_WORST]
]

test('a fault of the store wastes little of the line', { concurrency: FAULTS.length }, async (t) => {
  const played = FAULTS.slice(0, rounds({ fast: 1, long: FAULTS.length }))
  await Promise.all(played.map(([claim, knobs, wasteMax = WASTE_MAX]) =>
    t.test(`${claim}: at most ${wasteMax * 100} % of what is sent is in vain, and the return is seen`, async (t) => {
      const { sentBytes, waste, backSeconds } = await wasteOf(t, (faults) => faults.set(knobs))
      const seen = `${(waste * 100).toFixed(1)} % of ${sentBytes} bytes, back after ${backSeconds.toFixed(1)} s`
      t.diagnostic(seen)
      assert.ok(waste >= 0 && waste <= wasteMax, seen)
      assert.ok(backSeconds <= BACK_SECONDS_MAX, seen)
    })))
})

async function wasteOf (
  t: TestContext, begin: (faults: Faults) => Promise<void>
): Promise<{ sentBytes: number, waste: number, backSeconds: number }> {
  const { mqttPort, faults, status, events } = await startRemoteBridge(t, {
    env: {
      SLUICE_UPLINK_CAPACITY: `${BYTES_PER_SECOND * 8}bit`,
      SLUICE_UPLINK_SHARE: '100%',
      SLUICE_UPLINK_OVERHEAD: '0%',
      SLUICE_UPLINK_TIMEOUT: '2s',
      SLUICE_UPLINK_CONCURRENCY: String(CONCURRENCY)
    }
  })
  const published = publishShots(mqttPort, { device: 'cam-1', prefix: 'n', count: COUNT, bytes: IMAGE_BYTES })
  await eventually(async () => (await status()).ledger.uploaded >= COUNT / 5, { timeoutMs: 60_000, everyMs: 50 })
  await begin(faults)
  await delay(FAULT_MS)
  const stored = (): number => events.filter(({ kind }) => kind === 'entry-uploaded').length
  const storedBefore = stored()
  const clearedAt = performance.now()
  await faults.clear()
  await eventually(() => stored() > storedBefore, { timeoutMs: 60_000, what: 'an image after the fault' })
  const backSeconds = (performance.now() - clearedAt) / 1000
  await published
  const { uplink } = await eventually(async () => {
    const now = await status()
    return now.ledger.uploaded === COUNT ? now : undefined
  }, { timeoutMs: 120_000, everyMs: 100, what: 'the end of the backlog' })
  return { sentBytes: uplink.sentBytes, backSeconds, waste: 1 - COUNT * IMAGE_BYTES / uplink.sentBytes }
}
