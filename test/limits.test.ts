import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { BridgeEvent } from '../bridge/events.ts'
import { Limits, type Line, type Terms } from '../bridge/uplink/limits.ts'
import { RateHistory } from '../bridge/uplink/rate-history.ts'
import { Timetable, type TimetableEntry } from '../bridge/uplink/timetable.ts'
import { eventually } from './helpers/eventually.ts'
import { tempDirectory } from './helpers/sluice.ts'

const HOUR_MS = 3_600_000
/** A Monday. */
const NOON = Date.parse('2026-11-23T12:00:00Z')
const night: TimetableEntry = { days: [0, 1, 2, 3, 4, 5, 6], from: 22 * 60, to: 6 * 60, bytesPerSecond: 6000 }
const evening: TimetableEntry = { days: [1], from: 18 * 60, to: 20 * 60, bytesPerSecond: 0 }

function lineWith (entries: readonly TimetableEntry[] = [evening, night], bytesPerSecond = 2000): Line {
  return { timetable: new Timetable({ entries, bytesPerSecond, timeZone: 'UTC' }), capacity: 80_000, overhead: 0.1 }
}

interface Site {
  readonly limits: Limits
  readonly file: string
  readonly allowance: { bytesPerSecond: number }
  readonly events: readonly BridgeEvent[]
  /** ms since epoch, for the limits. */
  now: number
}

async function open (t: TestContext, { file, now = NOON, line = lineWith() }: {
  file?: string, now?: number, line?: Line
} = {}): Promise<Site> {
  const events: BridgeEvent[] = []
  const allowance = { bytesPerSecond: 1 }
  const place = file ?? join(await tempDirectory(t), 'uplink-limits.json')
  const clock = { now }
  const observe = (event: BridgeEvent): void => { events.push(event) }
  const limits = await Limits.open(place, line, { allowance, observe, now: () => clock.now })
  t.after(() => limits.close())
  return Object.assign(clock, { limits, file: place, allowance, events })
}

const terms = (forMs?: number, reason?: string): Terms => ({ forMs, reason })

test('outside of the timetable the usual share holds, until the next entry begins', async (t) => {
  const { limits, allowance } = await open(t)
  const { bytesPerSecond, source, until, next } = limits.inForce
  assert.deepEqual([bytesPerSecond, source, until], [2000, 'share', NOON + 6 * HOUR_MS])
  assert.deepEqual([next?.bytesPerSecond, next?.paused, next?.until], [0, 'schedule', NOON + 8 * HOUR_MS])
  assert.equal(allowance.bytesPerSecond, 2000)
})

test('when an entry begins the allowance follows within a second, and the gate shuts where it is off', async (t) => {
  const site = await open(t)
  site.now = NOON + 11 * HOUR_MS
  await eventually(() => site.allowance.bytesPerSecond === 6000, { timeoutMs: 1000 })
  site.now = NOON + 6 * HOUR_MS // a clock may be set back, too
  await eventually(() => !site.limits.gate.isOpen, { timeoutMs: 1000 })
  assert.equal(site.limits.inForce.paused, 'schedule')
  assert.equal(site.allowance.bytesPerSecond, 6000, 'what is under way goes on at the rate it had')
  site.now = NOON + 8 * HOUR_MS
  await eventually(() => site.limits.gate.isOpen && site.allowance.bytesPerSecond === 2000, { timeoutMs: 1000 })
  const rates = site.events.map((event) => event.kind === 'limit-changed' && event.bytesPerSecond)
  assert.deepEqual(rates, [6000, 0, 2000])
})

test('an order goes before the timetable, says why and until when, and ends by itself', async (t) => {
  const site = await open(t)
  await site.limits.set({ kind: 'rate', rate: 40_000 }, terms(HOUR_MS, 'the backup needs the line'))
  const { bytesPerSecond, source, reason, until, since, next } = site.limits.inForce
  assert.deepEqual([bytesPerSecond, source, reason], [4500, 'override', 'the backup needs the line'])
  assert.deepEqual([since, until, next?.bytesPerSecond], [NOON, NOON + HOUR_MS, 2000])
  assert.equal(site.allowance.bytesPerSecond, 4500)
  site.now = NOON + HOUR_MS
  await eventually(() => site.allowance.bytesPerSecond === 2000, { timeoutMs: 1000 })
  assert.equal(site.limits.orders.override, undefined)
})

test('a pause goes before an order, and after it the order holds again', async (t) => {
  const site = await open(t)
  await site.limits.set({ kind: 'share', share: 0.5 }, terms())
  await site.limits.pause(terms(HOUR_MS, 'maintenance'))
  assert.deepEqual([site.limits.inForce.paused, site.limits.gate.isOpen], ['operator', false])
  assert.equal(site.limits.inForce.next?.bytesPerSecond, 4500)
  await site.limits.resume()
  assert.deepEqual([site.limits.inForce.bytesPerSecond, site.limits.gate.isOpen], [4500, true])
  await site.limits.set(undefined, terms())
  assert.equal(site.limits.inForce.source, 'share')
  const actions = site.events.map((event) => event.kind === 'limit-changed' && event.action)
  assert.deepEqual(actions, ['set_limit', 'pause', 'resume', 'set_limit'])
})

test('an order and a pause survive a restart until they run out', async (t) => {
  const first = await open(t)
  await first.limits.set({ kind: 'share', share: 0.5 }, terms(3 * HOUR_MS, 'a big event'))
  await first.limits.pause(terms(HOUR_MS))
  const second = await open(t, { file: first.file, now: NOON + HOUR_MS - 1 })
  assert.deepEqual([second.limits.inForce.paused, second.limits.inForce.since], ['operator', NOON])
  assert.equal(second.limits.gate.isOpen, false)
  const third = await open(t, { file: first.file, now: NOON + 2 * HOUR_MS })
  assert.deepEqual([third.limits.inForce.bytesPerSecond, third.limits.inForce.reason], [4500, 'a big event'])
  const fourth = await open(t, { file: first.file, now: NOON + 3 * HOUR_MS })
  assert.equal(fourth.limits.inForce.source, 'share')
})

test('orders given at once are all written down, the last one last', async (t) => {
  const { limits, file } = await open(t)
  const kept = await Promise.all([1, 2, 3, 4, 5].map((i) => limits.set({ kind: 'share', share: i / 10 }, terms())))
  assert.deepEqual(kept, [true, true, true, true, true])
  assert.match(await readFile(file, 'utf8'), /"share": 0\.5,/)
})

for (const [what, text] of [
  ['not JSON', '{"v":1,'], ['empty', ''], ['of another version', '{"v":2}'], ['a list', '[]'],
  ['a share beyond all', '{"v":1,"override":{"share":7,"since":1}}'], ['a time that is none', '{"v":1,"pause":{"since":"now"}}']
] as const) {
  test(`a file of orders that is ${what} is told of, and the timetable holds`, async (t) => {
    const file = join(await tempDirectory(t), 'uplink-limits.json')
    await writeFile(file, text)
    const { limits, events } = await open(t, { file })
    assert.equal(limits.inForce.source, 'share')
    assert.deepEqual(events.map(({ kind }) => kind), ['limits-not-kept'])
    assert.equal(await limits.pause(terms()), true)
    assert.equal((await open(t, { file })).limits.inForce.paused, 'operator')
  })
}

test('an order that cannot be written down holds all the same, and says that a restart forgets it', async (t) => {
  const directory = await tempDirectory(t)
  await writeFile(join(directory, 'file'), '')
  const { limits, events } = await open(t, { file: join(directory, 'file', 'uplink-limits.json') })
  assert.equal(await limits.pause(terms()), false)
  assert.equal(limits.gate.isOpen, false)
  assert.ok(events.some((event) => event.kind === 'limits-not-kept' && event.detail.includes('forgotten by a restart')))
})

test('another line holds at once, and a share that was ordered is a share of it', async (t) => {
  const { limits, allowance } = await open(t)
  limits.configure(lineWith([], 3000))
  assert.deepEqual([allowance.bytesPerSecond, limits.inForce.until], [3000, undefined])
  await limits.set({ kind: 'share', share: 0.5 }, terms())
  limits.configure({ ...lineWith([], 3000), capacity: 40_000 })
  assert.equal(allowance.bytesPerSecond, 2250)
})

test('what a changing rate comes to in a window is some of the one and some of the other', () => {
  let now = 100_000
  const history = new RateHistory(10_000, 1000, () => now)
  assert.equal(history.bytes, 10_000)
  history.change(100)
  assert.equal(history.bytes, 10_000)
  now += 4_000
  assert.equal(history.bytes, 6_400)
  history.change(5000)
  now += 8_000
  assert.equal(history.bytes, 40_000 + 200)
  now += 10_000
  assert.equal(history.bytes, 50_000)
  for (let i = 0; i < 100_000; i++) history.change(i)
  now += 10_000
  assert.equal(history.bytes, 999_990)
})
