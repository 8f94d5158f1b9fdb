import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { readConfig } from '../bridge/config/read-config.ts'
import { readSite } from '../bridge/cli/plan.ts'
import { formatPlan } from '../bridge/cli/plan-text.ts'
import { emptyAfter, reachedAfter, sentAfter, type Start } from '../bridge/plan/course.ts'
import { constantPace, meanPace, type PaceAt } from '../bridge/plan/pace.ts'
import { planSite, reckon } from '../bridge/plan/plan.ts'
import { GIVEN_OUT, plainLine, servedLine, wireBytes, type Site } from '../bridge/plan/site.ts'
import type { Axis } from '../bridge/plan/ways.ts'
import { FILLED } from '../bridge/uplink/allowance.ts'
import { objectMetadata } from '../bridge/uplink/object-key.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { startTestStore, storeAt } from './helpers/s3.ts'
import { runSluice } from './helpers/sluice.ts'
import { arrivalOf } from './helpers/spool.ts'

const MIDNIGHT = Date.parse('2026-11-23T00:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The site that the defaults describe, changed by what a test is about. */
function site (changes: Partial<Site> = {}): Site {
  return { ...readSite({}, readConfig({}), MIDNIGHT), startAt: MIDNIGHT, ...changes }
}

/** So much by night, from 22 to 6, and so much by day; the same every day. */
function byNight (night: number, day: number): PaceAt {
  return (ms) => {
    const hour = ((ms - MIDNIGHT) % DAY_MS) / HOUR_MS
    const isNight = hour >= 22 || hour < 6
    const change = isNight ? (hour >= 22 ? 30 : 6) : 22
    return { bytesPerSecond: isNight ? night : day, until: ms + (change - hour) * HOUR_MS }
  }
}

const round = (value: number | undefined, digits: number): number => Number((value ?? NaN).toFixed(digits))

test('the defaults are the table of the design: 33.3 images/s in, 20 out, 12 GB of backlog an hour, late after 15 s', () => {
  const { plain, fits } = planSite(site())
  assert.equal(fits, false)
  assert.equal(round(plain.inImagesPerSecond, 1), 33.3)
  assert.equal(round(plain.inBytesPerSecond * 8 / 1e6, 1), 66.7)
  assert.equal(round(plain.outImagesPerSecond, 6), 20)
  assert.equal(round(plain.outBytesPerSecond * 8 / 1e6, 6), 40)
  assert.equal(round(plain.backlogImagesPerSecond, 1), 13.3)
  assert.equal(round(plain.backlogBytesPerHour / 1e9, 6), 12)
  assert.equal(round(plain.lateAfterSeconds, 6), 15)
})

test('the defaults fit with 600 devices, or 150 kB an image, or a share of 35 %, or 14.4 h of capture a day, and no more', () => {
  const { ways } = planSite(site())
  const plain = new Map(ways.map((way) => [way.axis, way.plain]))
  assert.deepEqual(Object.fromEntries(plain), { share: 0.35, interval: 50, size: 150_000, hours: 14.4, devices: 600 })
  const load = (changes: Partial<Site>): number => {
    const changed = site(changes)
    return round(reckon(changed, plainLine(changed)).load, 9)
  }
  const just = [{ devices: 600 }, { imageBytes: 150_000 }, { captureHours: 14.4 }, { intervalSeconds: 50 }]
  assert.deepEqual(just.map(load), [1, 1, 1, 1])
  const beyond = [
    { devices: 601 }, { imageBytes: 151_000 }, { share: 0.3 }, { captureHours: 14.5 }, { intervalSeconds: 49 }
  ]
  assert.ok(beyond.map(load).every((one) => one > 1))
})

test('overhead, headers and what is never given out make each way a little longer, and each way does it', () => {
  const fields: { readonly [axis in Exclude<Axis, 'spool'>]: keyof Site } = {
    share: 'share', interval: 'intervalSeconds', size: 'imageBytes', hours: 'captureHours', devices: 'devices'
  }
  const { ways } = planSite(site())
  for (const { axis, plain = NaN, served = NaN } of ways) {
    assert.ok(axis !== 'spool')
    const isMore = axis === 'share' || axis === 'interval'
    assert.ok(isMore ? served > plain : served < plain, axis)
    const changed = site({ [fields[axis]]: served })
    assert.ok(reckon(changed, servedLine(changed)).load <= 1 + 1e-9, axis)
  }
  assert.deepEqual(ways.filter(({ isLeast }) => isLeast).map(({ axis }) => axis), ['share'])
})

test('a way that fits the line says what spool it needs, and is not called the least while the spool has no room for it', () => {
  const { ways } = planSite(site({ share: 0.9, devices: 4500 }))
  const hours = ways.find(({ axis }) => axis === 'hours')
  assert.ok((hours?.spoolBytes ?? 0) > 20e9 && hours?.isLeast === false)
  const [least] = ways.filter(({ isLeast }) => isLeast)
  assert.ok(least !== undefined && (least.spoolBytes ?? Infinity) <= 20e9)
})

test('a site whose line carries it and whose spool does not hold its day is told so, with the spool it needs', () => {
  const plan = planSite(site({ captureHours: 12 }))
  assert.deepEqual([plan.fits, plan.fitsLine, plan.fitsSpool], [false, true, false])
  assert.equal(round((plan.plain.backlogBytesMax ?? 0) / 1e9, 6), 144) // 12 GB/h for 12 h
  const spool = plan.ways.find(({ axis }) => axis === 'spool')
  assert.equal(spool?.served, plan.served.backlogBytesMax)
  assert.equal(planSite(site({ captureHours: 12, spoolBytes: spool?.served ?? 0 })).fits, true)
})

test('an outage fills the spool at the pace of what comes in, and is caught up with by what goes out beyond it', () => {
  const quiet = site({ devices: 500, outageSeconds: 3600 })
  const { outage } = planSite(quiet)
  const { inBytesPerSecond, outBytesPerSecond } = reckon(quiet, servedLine(quiet))
  assert.equal(round(outage.backlogBytes / 1e9, 6), 15)
  const spare = outBytesPerSecond - inBytesPerSecond
  assert.equal(round(outage.caughtUpSeconds, 3), round(3600 * inBytesPerSecond / spare, 3))
  assert.equal(outage.fullAfterSeconds, undefined) // 15 GB have room in 20
  assert.equal(round(planSite(site({ devices: 500, outageSeconds: 7200 })).outage.fullAfterSeconds, 3), 4800)
  assert.equal(planSite(site()).outage.caughtUpSeconds, undefined)
})

test('a timetable that is open at night carries over a day what no pace of its day does', () => {
  const allowanceAt = byNight(30e6, 0)
  const plan = planSite(site({ allowanceAt, spoolBytes: 1e12 }))
  assert.equal(plan.fits, true)
  assert.equal(round((plan.served.backlogBytesMax ?? 0) / 1e9, 6), 480) // from 6 to 22 nothing leaves
  const noon = plan.day.find(({ hour }) => hour === 12)
  assert.ok(noon !== undefined && noon.outBytesPerSecond === 0)
  assert.ok((noon.waitSeconds ?? 0) > 10 * 3600) // nothing leaves before 22
})

test('the course of a backlog is what counting it second by second comes to', () => {
  let seed = 7
  const random = (): number => { seed = (seed * 48_271) % 2_147_483_647; return seed / 2_147_483_647 }
  for (let n = 0; n < 200; n++) {
    const steps = Array.from({ length: 6 }, () =>
      ({ seconds: 1 + Math.floor(random() * 40), pace: Math.floor(random() * 10) }))
    const outAt: PaceAt = (ms) => {
      let end = 0
      for (const { seconds, pace } of steps) {
        end += seconds * 1000
        if (ms < end) return { bytesPerSecond: pace, until: end }
      }
      return { bytesPerSecond: 7, until: undefined }
    }
    const [backlogBytes, inPace] = [Math.floor(random() * 200), Math.floor(random() * 9)]
    const start = { at: 0, backlogBytes, inAt: constantPace(inPace), outAt }
    const counted = countBySeconds(start)
    const near = (found: number | undefined, expected: number | undefined, what: string): void => {
      const isNear = Math.abs((found ?? -9) - (expected ?? -9)) <= 1
      assert.ok(isNear, `${what}: ${found} is not ${expected} (${JSON.stringify({ backlogBytes, inPace, steps })})`)
    }
    near(emptyAfter(start), counted.empty, 'empty')
    near(reachedAfter(start, backlogBytes + 150), counted.reached, 'reached')
    near(sentAfter(backlogBytes, 0, outAt), countBySeconds({ ...start, inAt: constantPace(0) }).empty, 'sent')
  }
})

function countBySeconds (
  { backlogBytes, inAt, outAt }: Start
): { empty: number | undefined, reached: number | undefined } {
  let empty = backlogBytes === 0 ? 0 : undefined
  let reached: number | undefined
  for (let second = 0, now = backlogBytes; second < 3000; second++) {
    now = Math.max(0, now + inAt(second * 1000).bytesPerSecond - outAt(second * 1000).bytesPerSecond)
    if (now === 0) empty ??= second + 1
    if (now >= backlogBytes + 150) reached ??= second + 1
  }
  return { empty, reached }
}

test('the average of a timetable weighs each pace by its time', () => {
  assert.equal(meanPace(byNight(30, 0), MIDNIGHT, 7 * 86_400), 10)
  assert.equal(meanPace(constantPace(5), MIDNIGHT, 86_400), 5)
})

test('a real put costs what a plan reckons with, and the allowance gives out what a plan reckons with', async (t) => {
  const { endpoint } = await startTestStore(t)
  const { store, agents } = storeAt(t, endpoint)
  const body = jpegOf(250_000)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const entry = { sequence: 1, ...arrivalOf('camera-0123', '20261103-060000-123', body), capturedAt: Date.now() }
  const outcome = await store.put({
    key: 'images/camera-0123/2026/11/03/20261103-060000-123.jpg',
    body,
    contentType: 'image/jpeg',
    metadata: objectMetadata(entry, sha256),
    sha256,
    crc32: crc32(body)
  }, AbortSignal.timeout(5000))
  assert.equal(outcome.kind, 'stored')
  // Over plain HTTP, so without the records of TLS, which are 464 bytes of an image of this size.
  assert.ok(agents.sentBytes() <= wireBytes(body.length), `${agents.sentBytes()} bytes were sent`)
  assert.ok(agents.sentBytes() > wireBytes(body.length) * 0.995, `${agents.sentBytes()} bytes were sent`)
  assert.equal(GIVEN_OUT, FILLED)
})

test('a plan is plain ASCII of 80 columns in its charts, its tables and its figures', () => {
  const changes: ReadonlyArray<Partial<Site>> = [
    {}, { devices: 500 }, { captureHours: 12, captureFromHour: 6 }, { devices: 1, imageBytes: 1000 },
    { capacityBitsPerSecond: Infinity }, { allowanceAt: byNight(30e6, 0) }
  ]
  for (const one of changes.map((change) => site(change))) {
    const [, ...lines] = formatPlan(one, planSite(one)).split('\n')
    assert.match(lines.join('\n'), /^[\n\x20-\x7e]*$/)
    assert.doesNotMatch(lines.join('\n'), /NaN|Infinity|undefined/)
    assert.deepEqual(lines.filter((line) => line.length > 80), [])
    assert.equal(lines.filter((line) => line.length === 80 && line.includes('+---')).length > 0, true)
  }
})

test('sluice plan needs no service, answers in its first sentence, and ends well where the site does not fit', async (t) => {
  const { code, stdout } = await runSluice(t, ['plan'])
  assert.equal(code, 0)
  assert.match(stdout, /^DOES NOT FIT: 33\.3 images\/s come in and 18\.7 can go out; /)
  assert.match(stdout, /\+13\.3 images\/s .*\n.*\+12 GB\/h /)
  assert.match(stdout, /a share of +>= 35% /)
  const options = { env: { SLUICE_SPOOL_LIMIT: '1TB' } }
  const { stdout: json } = await runSluice(t, ['plan', '--devices', '500', '--json'], options)
  const plan = JSON.parse(json) as { fits: boolean, site: Site, day: unknown[] }
  assert.deepEqual([plan.fits, plan.site.spoolBytes, plan.site.devices, plan.day.length], [true, 1e12, 500, 72])
})

test('what a plan cannot read is refused in a sentence that shows how it is written', () => {
  const config = readConfig({})
  const wrong: ReadonlyArray<readonly [name: string, value: string, sentence: RegExp]> = [
    ['devices', '0', /^--devices "0" is not a number of devices; write it in digits, like 1000$/],
    ['interval', '30', /^--interval "30" is not a time between two images; write it like 30s/],
    ['perMinute', '0', /^--per-minute "0" is not a number of images a minute/],
    ['size', '250kb', /^--size "250kb" is not a size/],
    ['hours', '25', /^--hours "25" is not a number of hours a day/],
    ['from', '24:00', /^--from "24:00" is not a time of day; write it like 06:00$/],
    ['capacity', '200', /^--capacity "200" is not a rate/],
    ['share', '0%', /^--share "0%" is not a share of the line/],
    ['overhead', '90%', /^--overhead "90%" is not a share/],
    ['disk', 'big', /^--disk "big" is not a size/],
    ['outage', '8', /^--outage "8" is not a duration; write it like 8h/]
  ]
  for (const [name, value, message] of wrong) {
    assert.throws(() => readSite({ [name]: value }, config, MIDNIGHT), { message, code: 64 })
  }
})
