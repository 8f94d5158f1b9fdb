import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from '../bridge/entry.ts'
import type { ProbeOutcome } from '../bridge/objects/object-store.ts'
import { Attempts } from '../bridge/uplink/attempts.ts'
import { Breaker, pauseMs, restMs } from '../bridge/uplink/breaker.ts'
import { Prober } from '../bridge/uplink/prober.ts'
import { RetryBudget } from '../bridge/uplink/retry-budget.ts'
import { Scheduler } from '../bridge/uplink/scheduler.ts'
import { entryWith } from './helpers/exposition.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { arrivalOf, openTestSpool } from './helpers/spool.ts'

const PROBE_BYTES = 800
const OUTAGE_MS = 600_000

/** Probes at a store that is away for ten minutes: when each was sent, on a clock of its own. */
function probesOfAnOutage (t: TestContext, bytesPerSecond: number): number[] {
  t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  const breaker = new Breaker(() => {})
  const began = Date.now()
  const at: number[] = []
  breaker.opened({ reason: 'connect', detail: 'nobody there' })
  while (breaker.state.kind === 'down' && breaker.state.retryAt < began + OUTAGE_MS) {
    t.mock.timers.tick(Math.ceil(breaker.state.retryAt - Date.now()))
    at.push(Date.now() - began)
    breaker.failed(breaker.state, restMs(PROBE_BYTES, { bytesPerSecond, share: 0.02 }))
  }
  t.mock.timers.reset()
  return [...at, OUTAGE_MS]
}

const gaps = (at: readonly number[]): number[] => at.slice(1).map((ms, i) => ms - (at[i] ?? 0))

test('after an outage of ten minutes the next probe is never more than 3 s away', (t) => {
  const at = probesOfAnOutage(t, 4_750_000)
  assert.ok(Math.max(...gaps(at)) <= 3_000, `${Math.max(...gaps(at))} ms between two probes`)
  assert.ok(Math.max(...gaps(at)) - Math.min(...gaps(at).slice(3)) > 500, 'several sites would march in step')
})

test('on a line of 64 kbit/s probes take no more than 2 % of it', (t) => {
  const at = probesOfAnOutage(t, 8_000)
  const share = (at.length - 1) * PROBE_BYTES / (8_000 * OUTAGE_MS / 1000)
  assert.ok(share <= 0.021 && share > 0.01, `${share} of the line`)
})

test('a try that cost minutes of a thin line is paid off for half a minute and no longer', () => {
  const dear = restMs(250_000, { bytesPerSecond: 8_000, share: 0.1 })
  assert.equal(pauseMs({ failures: 0, restMs: dear }, () => 0), 30_000)
  assert.equal(restMs(0, { bytesPerSecond: 0, share: 0.1 }), 0)
})

test('an outage that lasts is told once a minute, and when its reason changes', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  const told: string[] = []
  const breaker = new Breaker((event) => { if (event.kind === 'uplink-down') told.push(event.reason) })
  for (let second = 0; second < 120; second += 2, t.mock.timers.tick(2000)) {
    breaker.failed({ reason: second === 30 ? 'dns' : 'connect', detail: 'away' })
  }
  assert.deepEqual(told, ['connect', 'dns', 'connect', 'connect'])
})

test('a probe that a dead line has swallowed does not keep the next one from an answer', async () => {
  let isBack = false
  const sent: AbortSignal[] = []
  const prober = new Prober({
    probe: (signal) => {
      sent.push(signal)
      if (isBack) return Promise.resolve({ kind: 'available' })
      return new Promise<ProbeOutcome>((resolve) => {
        signal.addEventListener('abort', () => { resolve({ kind: 'unavailable', reason: 'aborted', detail: '' }) })
      })
    }
  })
  const stop = new AbortController()
  assert.equal(await prober.ask(stop.signal), undefined)
  assert.equal(sent[0]?.aborted, false) // a slow store may still answer it
  isBack = true
  assert.deepEqual(await prober.ask(stop.signal), { kind: 'available' })
  assert.deepEqual([sent.length, sent[0]?.aborted], [2, true])
})

test('repeated attempts take their share of the allowance and one object, in any stretch of time', () => {
  let now = 0
  const budget = new RetryBudget(() => 100_000, () => now)
  let spent = 0
  for (; now < 10_000; now += 10) {
    if (!budget.isOpen) continue
    budget.spend(250_000)
    spent += 250_000
  }
  assert.ok(spent > 750_000 && spent <= 1_250_000, `${spent} of 10,000,000 bytes`)
  now += 3_600_000
  budget.spend(250_000)
  assert.equal(budget.isOpen, false, 'an hour of rest has saved something up')
})

test('an object larger than the budget of an hour is tried all the same, once it is its turn', () => {
  let now = 0
  const budget = new RetryBudget(() => 100, () => now)
  assert.equal(budget.isOpen, true)
  budget.spend(1_000_000)
  now = 9_999_000
  assert.equal(budget.isOpen, false)
  now = 10_001_000
  assert.equal(budget.isOpen, true)
})

test('where nothing is limited retries are not either', () => {
  let now = 0
  const budget = new RetryBudget(() => Infinity, () => now)
  budget.spend(1e9)
  now = 1
  assert.equal(budget.isOpen, true)
})

test('while new images wait repeated attempts keep to their budget, and take all of the line when none does', async (t) => {
  const { spool } = await openTestSpool(t)
  const oldestFirst = { order: 'oldest', lanes: { alarm: 0, normal: 0, bulk: 0 } } as const
  const scheduler = new Scheduler(spool, oldestFirst, new RetryBudget(() => 1_000))
  const { signal } = new AbortController()
  const payload = jpegOf(20_000)
  for (const name of ['a', 'b', 'c', 'new-1', 'new-2']) await spool.append(arrivalOf('cam-1', name, payload), payload)
  const next = async (): Promise<Entry> => {
    const entry = await scheduler.next(signal)
    assert.ok(entry !== undefined)
    return entry
  }
  const failed = [await next(), await next(), await next()]
  for (const entry of failed) scheduler.retryLater(entry, 0)
  await sleep(2)
  const order = [await next(), await next(), await next(), await next(), await next()]
  assert.deepEqual(order.map(({ imageId }) => imageId), ['a', 'new-1', 'new-2', 'b', 'c'])
})

test('only an image that fails again while others are stored is at fault itself', () => {
  const attempts = new Attempts()
  const why = { reason: 'server_error', detail: 'HTTP 500' }
  const [bad, other] = [entryWith(), { ...entryWith(), sequence: 99 }]
  assert.deepEqual(attempts.failed(bad, why), { count: 1, alone: false, isHopeless: false })
  assert.deepEqual(attempts.failed(bad, why), { count: 2, alone: false, isHopeless: false }) // the store was away
  for (let i = 0; i < 8; i++) {
    attempts.stored()
    assert.deepEqual(attempts.failed(bad, why), { count: 3 + i, alone: true, isHopeless: i === 7 })
  }
  assert.equal(attempts.of(bad), 10)
  assert.equal(attempts.failed(other, why).alone, false)
})
