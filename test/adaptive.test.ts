import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Adaptive, type Started } from '../bridge/uplink/adaptive.ts'

const ALLOWED = 4_750_000
const CONCURRENCY = 8
const BYTES = 250_000

interface Conditions {
  /** Bytes a second that the line carries, by the second. */
  readonly line: (seconds: number) => number
  /** Seconds that the store takes for each put, by the second. */
  readonly store?: (seconds: number) => number
  readonly bytes?: number
  readonly seconds: number
  /** This process has no time for anything else. */
  readonly isBusy?: boolean
}

interface Sample {
  readonly seconds: number
  readonly pace: number
  readonly concurrency: number
  /** How long the put that ended then had taken, and how long of it none of its bytes was let out. */
  readonly took: number
  readonly silent: number
}

const idle = (): number => 0

/** A backlog on a line of one buffer: what is let out waits there until the line has carried it. Time is simulated. */
function simulate ({ line, store = () => 0.05, bytes = BYTES, seconds, isBusy = false }: Conditions): Sample[] {
  let now = 0
  const busyMs = isBusy ? () => now * 1000 : idle
  const adaptive = new Adaptive(CONCURRENCY, () => now * 1000, busyMs)
  const pace = (): number => Math.min(ALLOWED, adaptive.bytesPerSecond)
  const running: Array<{ readonly put: Started, readonly outAt: number, readonly endsAt: number }> = []
  const samples: Sample[] = []
  let [outAt, carriedAt] = [0, 0]
  while (now < seconds) {
    const next = running.reduce((first, one) => Math.min(first, one.endsAt), Infinity)
    if (running.length < adaptive.concurrency && Math.max(now, outAt) < next) {
      now = Math.max(now, outAt)
      outAt = now + bytes / pace()
      carriedAt = Math.max(outAt, Math.max(now, carriedAt) + bytes / line(now))
      running.push({ put: adaptive.begin(bytes, pace()), outAt, endsAt: carriedAt + store(now) })
      continue
    }
    const [ended] = running.splice(running.findIndex(({ endsAt }) => endsAt === next), 1)
    assert.ok(ended !== undefined)
    now = next
    adaptive.stored(ended.put, ALLOWED)
    const { put, outAt: out } = ended
    const took = now - put.at / 1000
    samples.push({ seconds: now, pace: pace(), concurrency: adaptive.concurrency, took, silent: now - out })
  }
  return samples
}

const between = (samples: readonly Sample[], from: number, to: number): Sample[] =>
  samples.filter(({ seconds }) => seconds >= from && seconds < to)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

test('a line that carries what is allowed is never held below it, and puts open up to the most', () => {
  const samples = simulate({ line: () => 10 * ALLOWED, seconds: 60 })
  assert.ok(samples.every(({ pace }) => pace === ALLOWED))
  assert.equal(samples.at(6)?.concurrency, CONCURRENCY)
})

test('on a line that carries a tenth the pace comes down to it, puts stay short, and the line stays full', () => {
  const line = ALLOWED / 10
  const samples = between(simulate({ line: () => line, seconds: 200 }), 60, 200)
  const carried = samples.length * BYTES / 140
  assert.ok(mean(samples.map(({ pace }) => pace)) < 1.3 * line)
  assert.ok(Math.max(...samples.map(({ took }) => took)) < 8, `a put took ${Math.max(...samples.map(({ took }) => took))} s`)
  assert.ok(carried > 0.85 * line, `${carried} of ${line} bytes/s`)
})

test('on a line of 64 kbit/s images of 250 kB never come near a time-out of 60 s of silence', () => {
  const samples = simulate({ line: () => 8_000, seconds: 3_600 })
  const silent = Math.max(...samples.map(({ silent }) => silent))
  assert.ok(silent < 45, `silent for ${silent} s`)
  assert.ok(samples.length * BYTES / 3_600 > 0.8 * 8_000, `${samples.length} images`)
})

test('when the line carries all again the pace is back within 100 s, however thin the line was', () => {
  for (const share of [0.1, 0.01]) {
    const samples = simulate({ line: (seconds) => seconds < 600 ? share * ALLOWED : 2 * ALLOWED, seconds: 760 })
    assert.ok(between(samples, 500, 600).every(({ pace }) => pace < ALLOWED), 'it was thin')
    const back = samples.find(({ seconds, pace }) => seconds > 600 && pace === ALLOWED)
    assert.ok(back !== undefined && back.seconds < 700, `${back?.seconds} s`)
  }
})

test('a store that begins to take three seconds for each put is not taken for a thin line for long', () => {
  const samples = simulate({ line: () => 2 * ALLOWED, store: (seconds) => seconds < 30 ? 0.05 : 3, seconds: 150 })
  const late = between(samples, 100, 150)
  assert.ok(late.every(({ pace, concurrency }) => pace === ALLOWED && concurrency === CONCURRENCY))
  assert.ok(late.length * BYTES / 50 > 0.9 * CONCURRENCY * BYTES / 3.1)
})

test('answers that come late because this process is busy itself are not put down to the line', () => {
  const samples = simulate({ line: () => ALLOWED / 10, seconds: 60, isBusy: true })
  assert.ok(samples.every(({ pace }) => pace === ALLOWED))
})

test('a stall of a moment changes nothing', () => {
  const store = (seconds: number): number => seconds > 20 && seconds < 20.5 ? 3 : 0.05
  const samples = simulate({ line: () => 2 * ALLOWED, store, seconds: 40 })
  assert.ok(samples.every(({ pace }) => pace === ALLOWED))
})

test('time-outs on a thin line make the pace thinner, those of an outage leave it as it was', () => {
  const adaptive = new Adaptive(CONCURRENCY)
  adaptive.timedOut()
  assert.equal(adaptive.bytesPerSecond, Infinity)
  let now = 0
  const thin = new Adaptive(CONCURRENCY, () => now, () => 0)
  const put = thin.begin(BYTES, ALLOWED)
  now += 20_000
  thin.stored(put, ALLOWED)
  const before = thin.bytesPerSecond
  assert.ok(before < ALLOWED)
  thin.timedOut()
  assert.deepEqual([thin.bytesPerSecond, thin.concurrency], [before / 2, 1])
  thin.restart()
  assert.equal(thin.bytesPerSecond, before / 2)
})

test('puts that wait for each other at a thin allowance are not put down to the line', () => {
  let now = 0
  const adaptive = new Adaptive(CONCURRENCY, () => now * 1000, idle)
  const pace = (): number => Math.min(95_000, adaptive.bytesPerSecond)
  const running: Started[] = []
  for (let put = 0; put < 200; put++) {
    const ended = running.length < CONCURRENCY ? undefined : running.shift()
    if (ended !== undefined) adaptive.stored(ended, 95_000, now - ended.at / 1000)
    running.push(adaptive.begin(30_000, pace()))
    now += 30_000 / pace()
  }
  assert.equal(adaptive.bytesPerSecond, Infinity)
})
