// A service of its own, hostile clients of every kind side by side, and an honest device beside them.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startService, type Service } from '../helpers/process.ts'
import { attack } from './attack.ts'
import { effortOf, isLong } from './effort.ts'
import { startHonest, warmUp } from './honest.ts'
import { wireInputs, type WireInput } from './wire-inputs.ts'

const ATTACKERS = 12
const BATCH = 240
/** What is kept of single images has its size by then (bridge/lives.ts). */
const WARM_UP_IMAGES = 9_000
/** Of the time, in which resident memory is what it is held against; sessions and retained messages are there. */
const BASELINE = [0.45, 0.6] as const
/** From when on it is looked at. */
const LATE = 0.9
const GROWTH_MAX = 1.2
const P99_MS_MAX = 250
/**
 * V8 lets garbage lie until there are 200 MB of it, while what is in use stays where it is. With a heap of little more
 * than that it has to collect, and what goes on growing is a leak.
 */
const env = { NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=2' }

test('whatever is sent to the MQTT port, the service lives, does not grow, and serves an honest device', async (t) => {
  const service = await startService(t, { env })
  if (isLong) await warmUp(service.mqttPort, WARM_UP_IMAGES)
  const honest = await startHonest(t, service.mqttPort)
  const { seed, random, goesOn } = effortOf(t, 0.6)
  const recent: WireInput[] = []
  const residents: number[] = []
  let played = 0
  const over = new AbortController()
  void service.ended.then(() => { over.abort() })
  for (let batch = 0; goesOn() && !over.signal.aborted; batch++) {
    const inputs = wireInputs(seed + batch, BATCH, random)
    recent.splice(0, recent.length - BATCH)
    recent.push(...inputs)
    await inParallel(inputs, async (input) => { if (!over.signal.aborted) await attack(service.mqttPort, input) })
    played += inputs.length
    residents.push(await residentBytes(service))
  }
  if (over.signal.aborted) {
    const path = join(import.meta.dirname, 'corpus', `found-${seed}.json`)
    await writeFile(path, JSON.stringify({ says: 'what was played last', inputs: recent.map(hex) }, undefined, 1))
    assert.fail(`the service ended, seed ${seed}; what was played last is in ${path}\n${service.stderr()}`)
  }
  await honest.stop()
  const { delaysMs } = honest
  const p99 = delaysMs[Math.floor(delaysMs.length / 100)] ?? Infinity
  const between = (from: number, to: number): number =>
    medianOf(residents.slice(Math.floor(residents.length * from), Math.ceil(residents.length * to)))
  const [before, late] = [between(...BASELINE), between(LATE, 1)]
  t.diagnostic(`${played} inputs; the honest device: ${delaysMs.length} PUBACKs, p99 ${p99.toFixed()} ms; ` +
    `resident ${megabytes(before)} MB once warm, ${megabytes(late)} MB at the end, ${((late / before - 1) * 100).toFixed()} % more`)
  assert.ok(delaysMs.length > 3, 'the honest device was served')
  assert.equal(honest.reconnects(), 0, 'the honest device was never cut')
  const faults = service.stderr().split('\n').filter((line) => line !== '' && !/^\{"level":"(info|warn)"/.test(line))
  assert.deepEqual(faults.slice(0, 3), [])
  if (!isLong) return
  assert.ok(p99 < P99_MS_MAX, `p99 of the honest device ${p99} ms`)
  assert.ok(late <= before * GROWTH_MAX, `resident grew from ${megabytes(before)} to ${megabytes(late)} MB`)
})

async function inParallel<T> (items: readonly T[], play: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(Array.from({ length: ATTACKERS }, async () => { for (const item of queue) await play(item) }))
}

async function residentBytes ({ pid }: Service): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

function medianOf (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed()
const hex = (input: WireInput): string[] => input.map((piece) => piece.toString('hex'))
