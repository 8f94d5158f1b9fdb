// A real small disk, filled to its last block: by somebody else, and by the backlog itself. The store lies outside.

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { createRandom, type Random } from '../../device-sim/random.ts'
import { assertCounted, assertStored, devicesOf, drained, fastLine, ledgerOf, sampleLedger } from '../helpers/custody.ts'
import { acknowledgedBy, capturedBy, type Device } from '../helpers/device.ts'
import { eventually } from '../helpers/eventually.ts'
import { bucket, credentials, startTestStore, type TestStore } from '../helpers/local-store.ts'
import { connectReader } from '../helpers/mqtt.ts'
import { startService, type Service } from '../helpers/process.ts'
import { tempDirectory } from '../helpers/sluice.ts'
import { mounting, testWith } from './needs.ts'
import { rounds } from './rounds.ts'
import { seedOf } from './seed.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const MB = 1_000_000
const RESERVE = 24 * MB
/** Of which so much is a file. */
const HELD = RESERVE / 2 - 1.1 * MB
/** With so much, images are taken again. */
const ROOM = RESERVE + 8.5 * MB

interface Scene {
  readonly disk: SmallDisk
  readonly store: TestStore
  /** `objects/` in it is the store's. */
  readonly outside: string
  readonly devices: readonly Device[]
  readonly random: Random
  readonly figures: Figures
  start (env?: Readonly<Record<string, string>>): Promise<Service>
}

/** What was measured over the rounds, ms each. */
interface Figures {
  readonly notReadyMs: number[]
  readonly readyMs: number[]
  readonly pubackMs: number[]
  /** Rounds in which a write of the service's own met the full disk. */
  noRoom: number
  starts: number
}

async function setScene (t: TestContext, { mebibytes = 96 } = {}): Promise<Scene> {
  const random = createRandom(seedOf(t))
  const disk = await mountSmallDisk(t, mebibytes)
  const outside = await tempDirectory(t)
  const store = await startTestStore(t, { dir: join(outside, 'objects') })
  const figures: Figures = { notReadyMs: [], readyMs: [], pubackMs: [], noRoom: 0, starts: 0 }
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<Service> => {
    figures.starts++
    return await startService(t, {
      dataDir: join(disk.directory, 'data'),
      env: {
        ...fastLine,
        SLUICE_SPOOL_RESERVE: `${RESERVE / MB}MB`,
        SLUICE_INTAKE_WITHHOLD: '60s',
        SLUICE_S3_ENDPOINT: store.endpoint,
        SLUICE_S3_BUCKET: bucket,
        SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
        SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        ...env
      }
    })
  }
  return { disk, store, outside, devices: devicesOf(random), random, figures, start }
}

/** The milliseconds until `/readyz` answers so. */
async function untilReadyz (service: Service, status: 200 | 503, timeoutMs: number): Promise<number> {
  const startedAt = performance.now()
  await eventually(async () => (await fetch(`${service.url}/readyz`)).status === status,
    { timeoutMs, what: `${status} of /readyz` })
  return performance.now() - startedAt
}

/** The milliseconds until a device has a PUBACK that it has not now. */
async function untilPuback (devices: readonly Device[], timeoutMs: number): Promise<number> {
  const startedAt = performance.now()
  const before = acknowledgedBy(devices).size
  await eventually(() => acknowledgedBy(devices).size > before, { timeoutMs, what: 'a PUBACK' })
  return performance.now() - startedAt
}

/** What a device is told on its acks topic, from now on. */
async function listen (t: TestContext, service: Service): Promise<() => readonly string[]> {
  const { device, messages } = await connectReader(t, service.mqttPort)
  await device.subscribeAsync('devices/+/acks', { qos: 1 })
  return () => messages.map(({ payload }) => (JSON.parse(payload.toString()) as { status: string }).status)
}

function publishAll (service: Service, devices: readonly Device[]): Promise<unknown> {
  return Promise.all(devices.map((device) => device.publishUntilCut(service.mqttPort)))
}

/** Nobody gets a PUBACK once those of what was already written are out, and the devices are told why. */
async function assertWithheld (devices: readonly Device[], statuses: () => readonly string[]): Promise<void> {
  await eventually(() => statuses().includes('paused'), { what: 'a note to a device that waits' })
  await eventually(async () => {
    const before = acknowledgedBy(devices).size
    await delay(300)
    return acknowledgedBy(devices).size === before
  }, { what: 'the end of the PUBACKs of what had been written' })
}

async function assertAllKept ({ start, devices, outside, figures }: Scene): Promise<void> {
  const service = await start()
  assertCounted(await ledgerOf(service), devices)
  await Promise.all(devices.map((device) => device.publishKept(service.mqttPort)))
  const { failed, dropped } = await drained(service)
  assert.deepEqual([failed, dropped], [0, 0])
  await assertStored(outside, devices) // before all is sent again, or what was lost would come back unnoticed
  await Promise.all(devices.map((device) => // one that is cut off resends
    device.publishAllAgain(service.mqttPort).catch(() => device.publishKept(service.mqttPort))))
  assertCounted(await drained(service), devices)
  await assertStored(outside, devices)
  assert.equal((await service.kill('SIGTERM')).code, 0)
  assert.ok(figures.starts > 0)
}

function report (t: TestContext, { figures, devices }: Scene): void {
  const most = (ms: readonly number[]): string => `${Math.round(Math.max(0, ...ms))} ms`
  t.diagnostic(`not ready after at most ${most(figures.notReadyMs)} of a full disk; with room again ready after ` +
    `at most ${most(figures.readyMs)}, the first PUBACK after at most ${most(figures.pubackMs)}`)
  t.diagnostic(`${capturedBy(devices)} images, ${figures.starts} starts, ` +
    `the service itself met the full disk in ${figures.noRoom} rounds`)
}

/** There is room again: ready and PUBACKing within five seconds, and killed a while after that. */
async function assertGoesOn ({ devices, figures, random }: Scene, service: Service): Promise<void> {
  const [readyMs, pubackMs] = await Promise.all([untilReadyz(service, 200, 5000), untilPuback(devices, 5000)])
  figures.readyMs.push(readyMs)
  figures.pubackMs.push(pubackMs)
  await delay(random() * 500)
  await service.kill('SIGKILL')
}

type Often = Parameters<typeof rounds>[0] & { readonly noRoomMin?: Parameters<typeof rounds>[0] }
const NONE = { fast: 0, long: 0 }

/** Rounds of one fault on one disk, and the property after them. */
function play (
  name: string, round: (scene: Scene, t: TestContext) => Promise<void>, often: Often
): void {
  testWith(mounting, name, async (t) => {
    const scene = await setScene(t)
    for (let left = rounds(often); left > 0; left--) await round(scene, t)
    await assertAllKept(scene)
    report(t, scene)
    assert.ok(scene.figures.noRoom >= rounds(often.noRoomMin ?? NONE), 'no write of the service met the full disk')
  })
}

/** One round: the disk is filled under load, made free, and the process killed a while after that. */
async function fillUnderLoad (scene: Scene, t: TestContext): Promise<void> {
  const { disk, devices, random, figures, start } = scene
  const service = await start()
  assertCounted(await ledgerOf(service), devices)
  await eventually(async () => (await service.status()).backlog.bytes < 10 * MB, { timeoutMs: 30_000 })
  await untilReadyz(service, 200, 5000)
  const statuses = await listen(t, service)
  const sampling = sampleLedger(service, devices)
  const publishing = publishAll(service, devices)
  await untilPuback(devices, 20_000)
  await delay(random() * 300)

  const filler = await disk.fill(Math.max(0, random() - 0.5) * 500_000)
  assert.ok(filler.bytes > 0)
  figures.notReadyMs.push(await untilReadyz(service, 503, 1000))
  assert.ok(await disk.freeBytes() < RESERVE)
  await assertWithheld(devices, statuses)
  if (/No space left on device/.test(service.stderr())) figures.noRoom++

  await filler.remove()
  await assertGoesOn(scene, service)
  await publishing
  assert.ok(await sampling > 0)
}

play('a disk that somebody else fills to the last block costs no image, and all goes on by itself', fillUnderLoad,
  { fast: 2, long: 50, noRoomMin: { fast: 0, long: 1 } }) // a write may end just before the disk is full

async function reserveOf (disk: SmallDisk): Promise<number> {
  const found = await stat(join(disk.directory, 'data', 'spool', 'reserve')).catch(() => undefined)
  return found?.size ?? 0
}

/** One round: the store does not answer until the backlog has filled the disk. */
async function fillByBacklog (scene: Scene, t: TestContext): Promise<void> {
  const { disk, store, devices, random, start } = scene
  const others = await disk.fill(RESERVE + (13 + random() * 6) * MB)
  await store.faults.set({ stall: true })
  const service = await start()
  const statuses = await listen(t, service)
  const sampling = sampleLedger(service, devices)
  const publishing = publishAll(service, devices)
  await untilReadyz(service, 503, 40_000)
  assert.match(await (await fetch(`${service.url}/readyz`)).text(), /"disk_low"/)
  await assertWithheld(devices, statuses)
  const keptBytes = await disk.freeBytes() + await reserveOf(disk)
  assert.ok(keptBytes > RESERVE * 0.8 && keptBytes < RESERVE + 4 * MB, `${keptBytes} bytes are left for recovery`)

  await store.faults.clear()
  await eventually(async () => await disk.freeBytes() + await reserveOf(disk) > ROOM, { timeoutMs: 60_000, what: 'room' })
  await assertGoesOn(scene, service)
  await publishing
  assert.ok(await sampling > 0)
  await others.remove()
}

play('a backlog that fills the disk leaves the reserve alone, and all goes on once the line is open', fillByBacklog, { fast: 1, long: 20 })

/** One round: killed on a disk that somebody else has filled, started on it, and drained while it is full. */
async function startOnFull (scene: Scene): Promise<void> {
  const { disk, store, devices, random, figures, start } = scene
  await store.faults.set({ stall: true })
  const killed = await start()
  await eventually(async () => await reserveOf(disk) > HELD, { timeoutMs: 10_000, what: 'the reserve' })
  const publishing = publishAll(killed, devices)
  await untilPuback(devices, 20_000)
  const filler = await disk.fill()
  await delay(random() * 300)
  await killed.kill('SIGKILL')
  await publishing

  const service = await start()
  assert.equal((await fetch(`${service.url}/readyz`)).status, 503)
  const ledger = await ledgerOf(service)
  assertCounted(ledger, devices)
  assert.ok(ledger.waiting > 0, 'nothing waited on the full disk')
  await store.faults.clear()
  await drained(service)
  await filler.remove()
  figures.readyMs.push(await untilReadyz(service, 200, 5000))
  await service.kill('SIGKILL')
}

play('a start on a full disk comes up not ready, drains what waits there, and goes on when there is room', startOnFull, { fast: 1, long: 10 })
