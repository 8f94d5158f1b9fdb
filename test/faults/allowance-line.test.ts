// The allowance as it is on the wire: real puts through the S3 client to a store that drops what it gets, and a meter
// on the line between. The long run holds every 10 s to the allowance from 64 kbit/s to 1 Gbit/s.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { Allowance } from '../../bridge/uplink/allowance.ts'
import { Spacing } from '../../bridge/uplink/spacing.ts'
import { objectOf } from '../contract/object-store.ts'
import type { Reading } from '../helpers/line.ts'
import { startMeteredStore } from '../helpers/metered-store.ts'
import { storeAt } from '../helpers/s3.ts'
import { rounds } from './rounds.ts'

const KB = 1000
const MB = 1000 * KB
const kbit = 1000 / 8
const Mbit = 1000 * kbit

const SECONDS = rounds({ fast: 4, long: 45 })
const WINDOW_MS = rounds({ fast: 3_000, long: 10_000 })
/** A window shorter than the one the allowance is kept over may hold what half a second has saved up. */
const MOST = rounds({ fast: 1 + 0.5 / (WINDOW_MS / 1000), long: 1 })
/** Told and not held in the fast run: a machine that is busy with other things cannot fill a line. */
const LEAST = rounds({ fast: 0, long: 0.97 })
const CONCURRENCY = 8

const FAST = [
  ['64 kbit/s', 64 * kbit, 1 * KB],
  ['20 Mbit/s', 20 * Mbit, 250 * KB]
] as const
const LONG = [
  ['64 kbit/s', 64 * kbit, 1 * KB], ['64 kbit/s', 64 * kbit, 250 * KB], ['1 Mbit/s', 1 * Mbit, 20 * KB],
  ['8 Mbit/s', 8 * Mbit, 50 * MB], ['40 Mbit/s', 40 * Mbit, 250 * KB], ['200 Mbit/s', 200 * Mbit, 2 * MB],
  ['1 Gbit/s', 1000 * Mbit, 2 * MB], ['1 Gbit/s', 1000 * Mbit, 50 * MB]
] as const

const isLong = rounds({ fast: 0, long: 1 }) === 1

test('the allowance is what crosses the line, and nearly all of it', { concurrency: isLong ? 1 : FAST.length }, async (t) => {
  await Promise.all((isLong ? LONG : FAST).map(([line, bytesPerSecond, size]) =>
    t.test(`objects of ${size / KB} kB take ${line}, neither more nor less`, async (t) => {
      const { crossed, sentBytes, stored } = await drain(t, bytesPerSecond, size)
      const share = (bytes: number): number => bytes / (bytesPerSecond * WINDOW_MS / 1000)
      const [most, least] = [share(crossed.most), share(crossed.least)]
      const seen = `${(least * 100).toFixed(1)} to ${(most * 100).toFixed(1)} %, ${stored} objects stored`
      t.diagnostic(seen)
      assert.ok(most <= MOST && least >= LEAST, seen)
      assert.ok(sentBytes >= crossed.bytes, `${crossed.bytes} bytes crossed and ${sentBytes} were charged`)
    })))
})

/** Puts one object after the other for a while, as the uplink spaces them. */
async function drain (
  t: TestContext, bytesPerSecond: number, size: number
): Promise<{ crossed: Reading, sentBytes: number, stored: number }> {
  const metered = await startMeteredStore(t)
  const allowance = new Allowance(bytesPerSecond)
  t.after(() => { allowance.close() })
  const line = {
    pace: (bytes: number, signal?: AbortSignal) => allowance.pace(bytes, signal),
    paceBytesMax: () => allowance.pieceBytesMax
  }
  const { store, agents } = storeAt(t, `http://127.0.0.1:${metered.port}`, { timeoutMs: 60_000 }, line)
  const spacing = new Spacing(allowance)
  const over = AbortSignal.timeout(SECONDS * 1000)
  const running = new Set<Promise<unknown>>()
  const object = objectOf(randomBytes(size))
  let stored = 0
  while (!over.aborted) {
    await spacing.room(over)
    if (running.size >= CONCURRENCY) await Promise.race(running)
    const put: Promise<unknown> = store.put({ ...object, key: `${stored}-${running.size}` }, over)
      .then(({ kind }) => { stored += kind === 'stored' ? 1 : 0 })
      .finally(() => running.delete(put))
    running.add(put)
    spacing.begin(size, () => running.has(put))
  }
  await Promise.all(running)
  return { crossed: await metered.read(WINDOW_MS), sentBytes: agents.sentBytes(), stored }
}
