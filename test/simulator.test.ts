import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import sharp from 'sharp'
import { parseDeviceTopic } from '../broker/topics.ts'
import { backoffMs } from '../device-sim/devices/backoff.ts'
import { hintOf } from '../device-sim/report/hint.ts'
import { judgeOutcome } from '../device-sim/report/outcome.ts'
import { formatOutcome } from '../device-sim/report/text.ts'
import { parseDurationMs, parseRatePerSecond, parseSizeBytes } from '../device-sim/units.ts'
import { startPlainBroker, type Publication } from './helpers/plain-broker.ts'
import { simulate } from './helpers/simulate.ts'

const backoff = { firstMs: 500, maxMs: 30_000 }

test('every image captured is published once, at QoS 1, under the topic of its device and its own name', async (t) => {
  const published: Publication[] = []
  const { port } = await startPlainBroker(t, (publication) => { published.push(publication) })
  const { counts, evidence: { acknowledged } } = await simulate({ port })
  const names = published.map(({ topic }) => parseDeviceTopic(topic, 'devices'))
  assert.deepEqual(counts, { planned: 12, captured: 12, sent: 12, acknowledged: 12, dropped: 0, unfinished: 0 })
  assert.deepEqual(
    names.map((name) => name?.kind === 'image' && `${name.deviceId} ${name.imageId}`).sort(),
    acknowledged.map(({ device, imageId }) => `${device} ${imageId}`).sort())
  assert.equal(new Set(published.map(({ client }) => client.id)).size, 3)
  assert.deepEqual(
    published.map(({ payload }) => sha256(payload)).sort(),
    acknowledged.map((image) => image.sha256).sort())
})

test('a JSON envelope carries the image, its name, its SHA-256 and the time of its capture', async (t) => {
  const published: Publication[] = []
  const { port } = await startPlainBroker(t, (publication) => { published.push(publication) })
  const { evidence } = await simulate({ port, limit: 1, devices: { format: 'json' } })
  const envelope = JSON.parse(String(published[0]?.payload)) as Record<string, string>
  const image = Buffer.from(envelope['image'] ?? '', 'base64')
  assert.equal((await sharp(image).metadata()).format, 'jpeg')
  assert.equal(sha256(image), evidence.acknowledged[0]?.sha256)
  assert.deepEqual([envelope['id'], envelope['sha256']], [evidence.acknowledged[0]?.imageId, sha256(image)])
  assert.equal(Date.parse(envelope['capturedAt'] ?? ''), Math.floor(evidence.acknowledged[0]?.plannedAt ?? 0))
})

test('without ids an image has no name, neither in its topic nor in its envelope', async (t) => {
  const published: Publication[] = []
  const { port } = await startPlainBroker(t, (publication) => { published.push(publication) })
  await simulate({ port, limit: 2, topicPrefix: 'site/a', devices: { count: 1, ids: false, format: 'json', prefix: 'cam' } })
  assert.deepEqual(published.map(({ topic }) => topic), ['site/a/cam0001/images', 'site/a/cam0001/images'])
  assert.equal('id' in (JSON.parse(String(published[0]?.payload)) as object), false)
})

test('a broker that holds every PUBACK for 2 s shows it in the latency from the planned capture', async (t) => {
  const openAt = Date.now() + 2500
  const { port } = await startPlainBroker(t, async () => { await delay(Math.max(0, openAt - Date.now())) })
  const { counts, fromPlan, fromSend, lag } = await simulate({ port, limit: 30, devices: { count: 2, rate: '10/s', inflight: 1, queue: 100 } })
  assert.equal(counts.acknowledged, 30)
  assert.ok(fromPlan.p50 > 700, `from planned capture: p50 ${fromPlan.p50} ms`)
  assert.ok(fromSend.p50 < 300, `from send: p50 ${fromSend.p50} ms`) // what closed-loop tools would report
  assert.ok(lag.p99 < 700, `lag p99 ${lag.p99} ms`)
})

test('devices capture on while the broker acknowledges nothing; what overflows is dropped at the device', async (t) => {
  const held: Publication[] = []
  const { port } = await startPlainBroker(t, async (publication) => {
    held.push(publication)
    await new Promise(() => {})
  })
  const { counts, evidence } = await simulate({
    port, limit: 10, drainTimeout: '100ms', devices: { count: 1, inflight: 2, queue: 3 }
  })
  assert.deepEqual(counts, { planned: 10, captured: 10, sent: 2, acknowledged: 0, dropped: 5, unfinished: 5 })
  assert.equal(held.length, 2)
  assert.deepEqual([...evidence.unacknowledged.keys()], held.map(({ payload }) => sha256(payload)))
})

test('a device that is cut sends the same bytes under the same name again, and the image counts once', async (t) => {
  const published: Publication[] = []
  const { port } = await startPlainBroker(t, (publication) => {
    published.push(publication)
    if (published.length <= 2) throw new Error('cut')
  })
  const { counts, reconnects } = await simulate({ port, limit: 4, devices: { count: 1, inflight: 1, rate: '100/s' } })
  assert.equal(counts.sent, 4)
  assert.equal(counts.acknowledged, 4)
  assert.equal(reconnects, 2)
  assert.deepEqual(published.slice(1, 3).map(({ topic }) => topic), [published[0]?.topic, published[0]?.topic])
  assert.equal(new Set(published.slice(0, 3).map(({ payload }) => sha256(payload))).size, 1)
})

test('devices cut off together come back at different times, and later each time up to 30 s', () => {
  const returns = Array.from({ length: 100 }, () => backoffMs(3, backoff))
  assert.ok(Math.max(...returns) - Math.min(...returns) > 1000)
  assert.equal(backoffMs(3, backoff, () => 1), 4000)
  assert.equal(backoffMs(100, backoff, () => 1), 30_000)
})

test('an interrupted run ends at once, with its report', async (t) => {
  const { port } = await startPlainBroker(t)
  const stop = new AbortController()
  const startedAt = performance.now()
  const report = await simulate({ port, limit: undefined, duration: '60s' }, { progress: () => stop.abort() }, stop.signal)
  assert.equal(report.isInterrupted, true)
  assert.ok(report.counts.captured > 0 && report.counts.captured < report.counts.planned)
  assert.ok(performance.now() - startedAt < 10_000)
})

test('a simulator that lagged says first of all that its results are not valid', async (t) => {
  const { port } = await startPlainBroker(t)
  const block = (): void => { for (const until = Date.now() + 80; Date.now() < until;); }
  const report = await simulate({ port }, { observe: ({ kind }) => { if (kind === 'acknowledged') block() } })
  assert.equal(report.isValid, false)
  const text = formatOutcome(judgeOutcome(report, undefined, []))
  assert.match(text, /^results are not valid: the simulator itself lagged \(p99 \d+ ms, over 50 ms\)\n/)
})

test('that images were lost is said first, also where the simulator lagged', async (t) => {
  const { port } = await startPlainBroker(t)
  const report = { ...await simulate({ port }), isValid: false }
  const [none, one] = [{ count: 0, examples: [] }, { count: 1, examples: ['sim-0001'] }]
  const verdict = {
    held: false,
    acknowledged: 12,
    exempt: 0,
    found: 11,
    lost: one,
    duplicated: none,
    corrupted: none,
    unexpected: none,
    foreign: none,
    unread: none,
    e2e: report.fromPlan,
    seconds: 1
  }
  assert.match(hintOf(judgeOutcome(report, verdict, [])), /^1 images had their PUBACK and are not in the store/)
  assert.match(hintOf(judgeOutcome(report, undefined, [])), /^The simulator could not keep its own plan/)
})

test('a broker that is not there is one sentence', async () => {
  await assert.rejects(simulate({ port: 9 }),
    { code: 'UNAVAILABLE', message: /^no MQTT broker answers at 127\.0\.0\.1:9 \(.*ECONNREFUSED.*\)/ })
})

test('units are read as people write them', () => {
  assert.deepEqual(['60s', '500ms', '1.5h', '5m', '5', 'x'].map(parseDurationMs),
    [60_000, 500, 5_400_000, 300_000, undefined, undefined])
  assert.deepEqual(['250KB', '250KiB', '1MB', '99', 'KB'].map(parseSizeBytes),
    [250_000, 256_000, 1_000_000, 99, undefined])
  assert.deepEqual(['2/min', '0.5/s', '36/h', '0/s', '2', '2/3/s'].map(parseRatePerSecond),
    [2 / 60, 0.5, 0.01, undefined, undefined, undefined])
})

function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
