// A site whose service is killed again and again over the same data, and what has to be true of it in the end.

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { Ledger } from '../../bridge/entry.ts'
import { createRandom, type Random } from '../../device-sim/random.ts'
import {
  assertCounted, assertStored, devicesOf, drained, fastLine, ledgerOf, lostFrom, publishUntilEnd, sampleLedger, slowLine
} from '../helpers/custody.ts'
import { capturedBy, type Device } from '../helpers/device.ts'
import { eventually } from '../helpers/eventually.ts'
import { serviceEnv, startService, tryService, type Service } from '../helpers/process.ts'
import { startSluice, tempDirectory } from '../helpers/sluice.ts'
import type { Point } from './points.ts'
import { seedOf } from './seed.ts'
import { dyingAt } from './tampered.ts'

const ATTEMPTS_MAX = 5
const POINT_MS_MAX = 60_000
/** Of each device between two images: what comes in until a segment is drained has to go out again. */
const REST_MS = 50

export interface Site {
  readonly dataDir: string
  readonly devices: readonly Device[]
  readonly random: Random
  /** Of every start but the last. */
  readonly env?: Readonly<Record<string, string>>
}

export async function newSite (t: TestContext, random: Random, env: Site['env'] = {}): Promise<Site> {
  return { dataDir: join(await tempDirectory(t), 'data'), devices: devicesOf(random), random, env }
}

/** Under load, at a random moment after the first PUBACK; resolves with the ledger of its start. */
export async function killInLoad (t: TestContext, { dataDir, devices, random, env }: Site): Promise<Ledger> {
  const service = await startService(t, { dataDir, env: { ...slowLine, ...env } })
  const ledger = await ledgerOf(service)
  assertCounted(ledger, devices)
  // One that is tampered with acknowledges what it has not counted, and is seen to lose it at the end.
  const sampling = sampleLedger(service, Object.keys(env ?? {}).length === 0 ? devices : [])
  await publishUntilEnd(service, devices, async () => {
    assert.equal((await service.kill('SIGKILL')).signal, 'SIGKILL')
  }, random)
  assert.ok(await sampling > 0)
  return ledger
}

/** Once it has opened its index, before it has said where it listens or soon after. */
export async function killInStart (t: TestContext, { dataDir, random, env }: Site): Promise<void> {
  const opened = await indexOpened(dataDir)
  const running = await startSluice(t, ['serve'], { env: serviceEnv(dataDir, { ...slowLine, ...env }) })
  await eventually(async () => await indexOpened(dataDir) !== opened, { timeoutMs: 20_000, what: 'a look at the index' })
  await delay(random() * 200)
  running.process.kill('SIGKILL')
  assert.equal((await running.ended).signal, 'SIGKILL')
}

/** LevelDB begins another LOG each time it opens a database. */
export async function indexOpened (dataDir: string): Promise<number | undefined> {
  return (await stat(join(dataDir, 'spool', 'index', 'LOG')).catch(() => undefined))?.ino
}

/** Under load, or in the start, when it comes to the point for the Nth time. */
export async function killAt (
  t: TestContext, { dataDir, devices, env }: Site, point: Point, nth: number
): Promise<void> {
  const service = await tryService(t, { dataDir, env: { ...fastLine, ...env, ...dyingAt(point, nth) } })
  if ('ended' in service) {
    assertCounted(await ledgerOf(service), devices)
    const sampling = sampleLedger(service, devices)
    const tooLate = setTimeout(() => { process.kill(service.pid, 'SIGKILL') }, POINT_MS_MAX) // without the line below
    await Promise.all(devices.map((device) => device.publishUntilCut(service.mqttPort, REST_MS)))
    clearTimeout(tooLate)
    await sampling
  }
  const { signal, stderr } = 'ended' in service ? await service.ended : service
  assert.equal(signal, 'SIGKILL', stderr)
  assert.match(stderr, new RegExp(`^died at ${point}$`, 'm'))
}

/**
 * The devices send what they have no PUBACK for and nothing else, so that what is lost stays lost. Then they send
 * everything again, and none of it is stored a second time. Resolves with how many images there are.
 */
export async function assertCustody (service: Service, devices: readonly Device[], storeRoot: string): Promise<number> {
  assertCounted(await ledgerOf(service), devices)
  await Promise.all(devices.map((device) => device.publishKept(service.mqttPort)))
  const size = capturedBy(devices)
  const whole = { acknowledged: size, uploaded: size, waiting: 0, failed: 0, dropped: 0 }
  assert.deepEqual(await drained(service), whole)
  await assertStored(storeRoot, devices)
  await Promise.all(devices.map((device) => device.publishAllAgain(service.mqttPort)))
  assert.deepEqual(await ledgerOf(service), whole)
  return size
}

/**
 * What a service that is tampered with has lost after restart and drain, and `assertCustody` notices it. How many
 * images that is, 0 where nothing was under way when the process ended.
 */
export async function countLost (service: Service, devices: readonly Device[], storeRoot: string): Promise<number> {
  await drained(service)
  const { length: lost } = await lostFrom(storeRoot, devices)
  if (lost > 0) await assert.rejects(assertCustody(service, devices, storeRoot), { name: 'AssertionError' })
  await service.kill('SIGKILL')
  return lost
}

/** Plays until something is lost. */
export async function assertNoticed (t: TestContext, play: (random: Random) => Promise<number>): Promise<void> {
  const seed = seedOf(t)
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const lost = await play(createRandom(seed + attempt))
    if (lost > 0) return t.diagnostic(`${lost} images with a PUBACK were lost`)
  }
  assert.fail(`nothing was lost in ${ATTEMPTS_MAX} attempts`)
}

/** The last start, over a line on which everything goes out. */
export async function startLast (t: TestContext, { dataDir }: Site): Promise<Service> {
  return await startService(t, { dataDir, env: fastLine })
}

/** After a last start over a line on which everything goes out. */
export async function assertRecovered (t: TestContext, site: Site): Promise<number> {
  const last = await startLast(t, site)
  const size = await assertCustody(last, site.devices, site.dataDir)
  assert.equal((await last.kill('SIGTERM')).code, 0)
  return size
}
