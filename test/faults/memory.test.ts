// Memory is bounded by configuration: whatever the devices do at once, mqtt.memoryBudget holds. It is counted by the
// budget's own account, and by what the process of the service really has.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { connectRaw, header } from '../helpers/mqtt.ts'
import { startService, type Service } from '../helpers/process.ts'
import { readBudget, readResident, readSeries, watchMemory, type MemoryWatch } from './memory-watch.ts'
import { mounting, testWith } from './needs.ts'
import { rounds } from './rounds.ts'
import { acknowledgedOf, openShutters, type Shutter } from './shutters.ts'
import { mountStallingDisk } from './stalling-disk.ts'

const MB = 1e6
const IMAGE_BYTES = 250_000
const PIPELINED = 8
const STALL_FLEET = rounds({ fast: 60, long: 2000 })
const STALL_MS = rounds({ fast: 500, long: 5000 })
const SHUTTERS = rounds({ fast: 60, long: 1000 })
const SHOTS = rounds({ fast: 4, long: 8 })
const DECLARING = rounds({ fast: 100, long: 1000 })
const DECLARED_BYTES = 268_435_455 // the most that four bytes can say [MQTT-2.2.3]
/** In the long form as it is by default. */
const BUDGET_BYTES = rounds({ fast: 8 * MB, long: 128 * MB })
/** What of it those have who are not slow (broker/budget.ts). */
const QUICK_BYTES = BUDGET_BYTES * 3 / 16
const SEGMENT_BYTES = rounds({ fast: 4, long: 64 }) * 2 ** 20
/**
 * Beside what the process has anyway: a part of the budget and the packets kept for reuse, the segments being filled
 * and closed, in LevelDB's memory, and what the allocator keeps ready in its two arenas (bridge/sluice).
 */
const GROWTH_BYTES_MAX = 2 * QUICK_BYTES + 2 * SEGMENT_BYTES + 2 * 64 * 2 ** 20

const env = {
  SLUICE_S3_ENDPOINT: 'http://127.0.0.1:9', // discard: nobody listens there, and everything waits
  SLUICE_S3_ACCESS_KEY_ID: 'nobody',
  SLUICE_S3_SECRET_ACCESS_KEY: 'nothing',
  SLUICE_MQTT_MEMORY_BUDGET: `${BUDGET_BYTES / MB}MB`,
  SLUICE_MQTT_MAX_PACKET_SIZE: `${rounds({ fast: 1, long: 8 })}MB`,
  SLUICE_SPOOL_SEGMENT_SIZE: `${SEGMENT_BYTES / 2 ** 20}MiB`,
  SLUICE_SPOOL_RESERVE: `${rounds({ fast: 8, long: 256 })}MB`
}
const image = jpegOf(IMAGE_BYTES)

testWith(mounting, `the memory budget holds with ${STALL_FLEET} devices x ${PIPELINED} images in a disk's stall`, async (t) => {
  const disk = await mountStallingDisk(t, `${rounds({ fast: 1, long: 12 })}G`)
  const service = await startService(t, { dataDir: join(disk.directory, 'data'), env })
  const fleet = await openShutters(t, service.mqttPort, { prefix: 'stall', count: STALL_FLEET })
  const { now: before } = readResident(service)
  const watch = watchMemory(service)
  await disk.stall()
  for (const device of fleet) device.shoot({ image, count: PIPELINED, window: PIPELINED })
  await eventually(async () => (await readBudget(service)).heldBytes > QUICK_BYTES - 2 * IMAGE_BYTES,
    { timeoutMs: 30_000, what: 'a spent part of the budget' })
  await delay(STALL_MS)
  assert.equal(acknowledgedOf(fleet), 0)
  const { waiting } = await readBudget(service)
  assert.ok(waiting >= STALL_FLEET - Math.ceil(BUDGET_BYTES / IMAGE_BYTES), `${waiting} devices wait`)
  await disk.goOn()
  await allAcknowledged(fleet, PIPELINED)
  const grown = await assertBounded(service, watch, before)
  t.diagnostic(`${STALL_FLEET * PIPELINED * IMAGE_BYTES / MB} MB at once: ${grown}`)
})

const CLAIMS: ReadonlyArray<readonly [claim: string, play: (t: TestContext, service: Service) => Promise<void>]> = [
  [`${DECLARING} devices that declare 256 MB are cut on what they declare, and cost no memory`, declare],
  [`the memory budget holds with ${SHUTTERS} synchronised shutters, and none waits twice as long as the median`, shootAtOnce],
  ['beside devices that send ahead, and devices with larger images, none waits twice as long as the median', shootUnevenly]
]

test('whatever devices do at once, memory is bounded and each has its turn', async (t) => {
  const service = await startService(t, { env })
  for (const [claim, play] of CLAIMS) await t.test(claim, (t) => play(t, service))
})

async function declare (t: TestContext, service: Service): Promise<void> {
  const honest = await openShutters(t, service.mqttPort, { prefix: 'honest', count: 1 })
  const declaring = await Promise.all(Array.from({ length: DECLARING }, (_, i) =>
    connectRaw(t, service.mqttPort, { clientId: `declares-${i}` })))
  const { now: before } = readResident(service)
  const receivedBefore = (await readSeries(service)).get('sluice_mqtt_received_bytes_total') ?? NaN
  const watch = watchMemory(service)
  for (const device of declaring) device.send(header(0x32, DECLARED_BYTES), image)
  for (const device of honest) device.shoot({ image, count: 1, window: 1 })
  await allAcknowledged(honest, 1)
  await eventually(() => declaring.every(({ isClosed }) => isClosed), { timeoutMs: 20_000, what: 'the end of them all' })
  const series = await readSeries(service)
  assert.equal(series.get('sluice_mqtt_publishes_refused_total{reason="packet_too_large"}'), DECLARING)
  const received = (series.get('sluice_mqtt_received_bytes_total') ?? NaN) - receivedBefore - IMAGE_BYTES
  assert.ok(received < DECLARING * 8192, `${received} bytes were read of them`)
  const most = await watch.end()
  assert.ok(most.heldBytes < 2 * IMAGE_BYTES, `they held ${most.heldBytes} bytes of the budget`)
  const grown = most.residentBytes - before
  t.diagnostic(`resident +${(grown / MB).toFixed(1)} MB, ${(received / 1000).toFixed(0)} kB were read`)
  assert.ok(grown < GROWTH_BYTES_MAX - 2 * QUICK_BYTES)
}

async function shootAtOnce (t: TestContext, service: Service): Promise<void> {
  const fleet = await openShutters(t, service.mqttPort, { prefix: 'even', count: SHUTTERS })
  const { now: before } = readResident(service)
  const watch = watchMemory(service)
  for (const device of fleet) device.shoot({ image, count: SHOTS, window: 1 })
  await allAcknowledged(fleet, SHOTS)
  const grown = await assertBounded(service, watch, before)
  t.diagnostic(`${SHUTTERS * IMAGE_BYTES / MB} MB at once: ${grown}`)
  t.diagnostic(assertFair(fleet))
}

async function shootUnevenly (t: TestContext, service: Service): Promise<void> {
  const fleet = await openShutters(t, service.mqttPort, { prefix: 'uneven', count: SHUTTERS })
  const large = jpegOf(3 * IMAGE_BYTES)
  for (const [nth, device] of fleet.entries()) {
    if (nth % 4 === 0) device.shoot({ image, count: SHOTS, window: SHOTS })
    else device.shoot({ image: nth % 4 === 1 ? large : image, count: SHOTS, window: 1 })
  }
  await allAcknowledged(fleet, SHOTS)
  t.diagnostic(assertFair(fleet))
}

async function allAcknowledged (fleet: readonly Shutter[], count: number): Promise<void> {
  await eventually(() => {
    assert.equal(fleet.find(({ isCut }) => isCut)?.id, undefined, 'was cut off')
    return acknowledgedOf(fleet) === fleet.length * count
  }, { timeoutMs: 120_000, everyMs: 20, what: `${fleet.length * count} PUBACKs` })
}

async function assertBounded (service: Service, watch: MemoryWatch, before: number): Promise<string> {
  const { heldBytes, limitBytes, residentBytes, waiting, looks } = await watch.end()
  const mb = (bytes: number): string => `${(bytes / MB).toFixed(0)} MB`
  const seen = `held ${mb(heldBytes)} of ${mb(limitBytes)}, ${waiting} waiting, resident ${mb(before)} before and ` +
    `${mb(residentBytes)} at most (${looks} looks)`
  assert.equal(limitBytes, BUDGET_BYTES)
  assert.ok(heldBytes <= limitBytes && heldBytes > QUICK_BYTES - 2 * IMAGE_BYTES, seen)
  assert.ok(residentBytes - before < GROWTH_BYTES_MAX, seen)
  assert.deepEqual(await readBudget(service), { heldBytes: 0, limitBytes, waiting: 0 })
  return seen
}

/** By the mean wait of a device for a PUBACK, and by its longest. */
function assertFair (fleet: readonly Shutter[]): string {
  const measures = {
    mean: (waits: readonly number[]) => waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    longest: (waits: readonly number[]) => Math.max(...waits)
  }
  return Object.entries(measures).map(([name, measure]) => {
    const waits = fleet.map(({ waitsMs }) => measure(waitsMs)).sort((a, b) => a - b)
    const [median = NaN, most = NaN] = [waits[waits.length >> 1], waits.at(-1)]
    assert.ok(most <= 2 * median, `the ${name} wait of one device is ${most} ms, and of the median ${median} ms`)
    return `${name} wait: median ${median.toFixed(0)} ms, at most ${most.toFixed(0)} ms`
  }).join('; ')
}
