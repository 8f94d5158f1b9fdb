import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatMonth } from '../bridge/cli/slo.ts'
import { addArrival, emptyHour, type Hour } from '../bridge/slo/hour.ts'
import { addLatency, quantile, type Latencies } from '../bridge/slo/latencies.ts'
import { describeMonth } from '../bridge/slo/month.ts'
import { runSluice } from './helpers/command.ts'
import { startSite } from './helpers/http.ts'

const NOON = Date.parse('2026-11-03T12:00:00Z')

/** 990 images in time, 8 late ones that arrived after five minutes, one that did not, and one that failed. */
function busyHour (): Hour {
  let hour = emptyHour(1, NOON)
  for (let n = 0; n < 998; n++) hour = addArrival(hour, NOON, n < 990 ? 2 : 300)
  return {
    ...hour,
    verdicts: { good: 990, late: 9, failed: 1 },
    causes: { store_away: 7, paused: 0, stopped: 0, line: 2 },
    seconds: { running: 3600, accepting: 3500, storeAway: 240, paused: 0, behind: 300 }
  }
}

const facts = {
  month: '2026-11', now: NOON + 7_200_000, since: NOON, targetMs: 10_000, objective: 0.99, undelivered: 5
}

test('a month in words: whether the objective is met, what was late and why, and the worst hours', () => {
  const text = formatMonth(describeMonth([busyHour()], facts))
  assert.match(text, /^2026-11: 99% in the store within 10 s, objective 99%: met; 100% of the error budget is used\n/)
  assert.match(text, /^judged +1,000$/m)
  assert.match(text, /^not arrived +2$/m)
  assert.match(text, /^p50 +2 s$/m)
  assert.match(text, /^images were taken 48\.61% of 2 h: 60 min not running, 2 min not accepting, /m)
  assert.match(text, /^7 +the store was away$/m)
  assert.match(text, /^2026-11-03T12:00Z +10 of 1,000 images missed +the store was away$/m)
})

test('one image too many misses the objective, and images that never came are behind every other', () => {
  const hour = busyHour()
  const month = describeMonth([{ ...hour, verdicts: { ...hour.verdicts, late: 29 } }], { ...facts, undelivered: 100 })
  assert.equal(month.latencySeconds.p99, null)
  assert.match(formatMonth(month), /objective 99%: MISSED; /)
  assert.match(formatMonth(month), /^p99 +not arrived$/m)
})

test('percentiles are right to 2.5 %', () => {
  let latencies: Latencies = {}
  for (let n = 1; n <= 1000; n++) latencies = addLatency(latencies, n / 10)
  for (const share of [0.5, 0.95, 0.99]) {
    const found = quantile(latencies, 0, share) ?? 0
    assert.ok(Math.abs(found / (share * 100) - 1) < 0.026, `${share}: ${found}`)
  }
  assert.equal(quantile(latencies, 20, 0.99), Infinity)
  assert.equal(quantile({}, 0, 0.5), undefined)
})

test('the command asks the service, and a month that is none is a usage error', async (t) => {
  const { url } = await startSite(t)
  const { code, stdout } = await runSluice(['slo', '--month', '2026-01', '--url', url])
  assert.deepEqual([code, stdout], [0, '2026-01: no image was judged; nothing is known of this month'])
  const month = JSON.parse((await runSluice(['slo', '--url', url, '--json'])).stdout)
  assert.deepEqual([month.objective, month.targetSeconds, month.images.judged], [0.99, 10, 0])
  const wrong = await runSluice(['slo', '--month', 'november', '--url', url])
  assert.equal(wrong.code, 64)
  assert.match(wrong.stderr, /Write it like 2026-11/)
  const response = await fetch(`${url}/api/v1/slo?month=2026-13`)
  assert.deepEqual([response.status, (await response.json() as { hint: string }).hint], [400, 'Write it like 2026-11.'])
})
