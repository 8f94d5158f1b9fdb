// What is said of the time to come while the service runs: once it lasts, seldom again, and when it is over.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatStatus } from '../bridge/cli/status.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import { Outlook } from '../bridge/outlook.ts'
import { describeStatus, type Facts } from '../bridge/status.ts'
import { MB, NONE, NOTHING, NOW, facts } from './helpers/facts.ts'

const MINUTE = 60_000

interface Course {
  /** MB/s that come in. */
  readonly coming: number
  /** MB that wait, all of it normal. */
  readonly waiting?: number
  readonly more?: Partial<Facts>
}

/** A service that is looked at every ten seconds, on a clock of its own. */
function watch (): {
  readonly outlook: Outlook, readonly told: string[], facts (): Facts, pass (minutes: number, course: Course): void
} {
  const told: string[] = []
  const outlook = new Outlook((event: BridgeEvent) => {
    if (event.kind === 'operator-advised') told.push(event.detail)
    if (event.kind === 'advice-over') told.push(`over: ${event.detail}`)
  })
  let [now, bytes, seen] = [NOW, 0, facts()]
  const pass = (minutes: number, { coming, waiting = 0, more = {} }: Course): void => {
    for (const end = now + minutes * MINUTE; now < end; now += 10_000) {
      bytes += coming * MB * 10
      const pace = { imagesPerSecond: 4 * coming, bytesPerSecond: coming * MB }
      const wait = { count: 4 * waiting, bytes: waiting * MB }
      const { spool, flow } = facts()
      const queues = { ...spool.queues, normal: { ...NOTHING, waiting: wait } }
      const lanes = { alarm: NONE, bulk: NONE, normal: { in: pace, taken: { count: bytes / 250_000, bytes } } }
      const flowing = { ...flow, in: pace, lanes }
      seen = { ...facts(), now, spool: { ...spool, waiting: wait, queues }, flow: flowing, ...more }
      outlook.look(seen)
    }
  }
  return { outlook, told, pass, facts: () => ({ ...seen, warnings: outlook.warnings }) }
}

test('a spool that will be full at the pace of the last hour is told of once it lasts, and not every time one looks', () => {
  const { outlook, told, pass } = watch()
  pass(5, { coming: 5 }) // 4.75 go out: 20 GB are full in 22 h
  assert.deepEqual([told, outlook.warnings], [[], []])
  pass(60, { coming: 5 })
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /^40 Mbit\/s of images came in over the last 6 min, more than can go out: .* full in about 22\.\d h; "sluice plan"/)
  const [warning] = outlook.warnings
  assert.deepEqual([warning?.kind, warning?.since], ['filling', NOW + MINUTE])
  assert.ok(Math.abs((warning?.fullAt ?? 0) - (NOW + 65 * MINUTE) - 80_000_000) < 100_000)
  pass(12 * 60, { coming: 5 })
  assert.equal(told.length, 3) // every six hours
})

test('the less time there is, the sooner it is told, and a pace that the line carries is never told of', () => {
  const soon = watch()
  soon.pass(2, { coming: 100 }) // full in 3.5 min
  assert.equal(soon.told.length, 1)
  const carried = watch()
  carried.pass(600, { coming: 4.7 })
  assert.deepEqual(carried.told, [])
})

test('a burst is no pace, and what ebbs and flows is told of once', () => {
  const burst = watch()
  burst.pass(30, { coming: 1 })
  burst.pass(3, { coming: 20 })
  burst.pass(60, { coming: 1 })
  assert.deepEqual(burst.told, [])
  const tide = watch()
  for (let hours = 0; hours < 5; hours++) {
    tide.pass(6, { coming: 4 })
    tide.pass(6, { coming: 6 })
  }
  assert.equal(tide.told.length, 1)
})

test('the all-clear comes once it has held for ten minutes, and the warning stays until then', () => {
  const { outlook, told, pass } = watch()
  pass(20, { coming: 6 })
  assert.equal(outlook.warnings.length, 1)
  pass(14, { coming: 1 }) // after 8 min the mean is below the line
  assert.deepEqual([told.length, outlook.warnings.length], [1, 1])
  pass(10, { coming: 1 })
  assert.deepEqual([told.length, outlook.warnings], [2, []])
  assert.equal(told[1], 'over: at the pace of the last hour the spool does not fill up any more')
})

test('a spool that has become full is not said to fill no more, and the verdict says what is', () => {
  const { outlook, told, pass } = watch()
  pass(20, { coming: 6 })
  const spool = { ...facts().spool, paused: { reason: 'spool_full', detail: '' } } as const
  pass(30, { coming: 0, more: { spool } })
  assert.deepEqual([told.length, outlook.warnings], [1, []])
  pass(8, { coming: 4 }) // as much as goes out
  assert.equal(told.length, 1)
  pass(4, { coming: 4 })
  assert.equal(told.length, 2)
})

test('images of now that will miss the target for long are told of, with the lane and by when they are up', () => {
  const { told, pass, facts } = watch()
  pass(4, { coming: 1, waiting: 475 })
  assert.deepEqual(told, [])
  pass(3, { coming: 1, waiting: 475 })
  const sentence = 'images of now will not be in the store within 10 s (slo.target): in lane normal (about 2 min)'
  assert.deepEqual(told, [sentence])
  const status = describeStatus(facts())
  assert.deepEqual(status.warnings, [{ kind: 'late', since: new Date(NOW).toISOString(), sentence, fullAt: undefined }])
  assert.match(formatStatus(status), new RegExp(`^${sentence.replace(/[().]/g, '\\$&')} \\(seen since 2026-11-03T03:00:00`, 'm'))
  pass(30, { coming: 1, waiting: 20 })
  assert.equal(told[1], 'over: images of now will be in the store within the target again')
})

test('where nothing goes out no time is named, and a lane that nobody uses is late for nobody', () => {
  const { told, pass } = watch()
  const limit = { ...facts().limit, paused: 'operator', bytesPerSecond: 0 } as const
  pass(7, { coming: 0.0001, waiting: 1, more: { limit } })
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /: in lane normal \(not known when\)$/)
})
