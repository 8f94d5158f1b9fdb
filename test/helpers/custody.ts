// The property that every fault is held to: each image with a PUBACK is in the store byte for byte under one key
// after restart and drain, and the ledger adds up at every sample taken meanwhile. What was acknowledged is what the
// devices say, never the service.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger } from '../../bridge/entry.ts'
import type { Random } from '../../device-sim/random.ts'
import { hashFiles } from './bridge.ts'
import { acknowledgedBy, capturedBy, Device } from './device.ts'
import { eventually } from './eventually.ts'
import type { Service } from './process.ts'

/**
 * About 20 images/s go out, so that a backlog waits at every fault and some puts are under way; small segments
 * are filled, sealed and dropped all the time.
 */
export const slowLine = {
  SLUICE_UPLINK_CAPACITY: '8Mbit',
  SLUICE_UPLINK_SHARE: '100%',
  SLUICE_MQTT_MAX_PACKET_SIZE: '1MB',
  SLUICE_SPOOL_SEGMENT_SIZE: '2MiB'
}
export const fastLine = { ...slowLine, SLUICE_UPLINK_CAPACITY: '10Gbit' }

export function devicesOf (random: Random, count = 4): Device[] {
  return Array.from({ length: count }, (_, i) => new Device(`cam-${i}`, random))
}

export async function ledgerOf (service: Service): Promise<Ledger> {
  const { exact, ...ledger } = (await service.status()).ledger
  assertAddsUp(ledger)
  assert.equal(exact, true, JSON.stringify(ledger))
  return ledger
}

function assertAddsUp (ledger: Ledger): void {
  const { acknowledged, uploaded, waiting, failed, dropped } = ledger
  assert.equal(acknowledged, uploaded + waiting + failed + dropped, JSON.stringify(ledger))
}

/** What the service says it acknowledged, against what the devices know: a PUBACK may die on its way. */
export function assertCounted (ledger: Ledger, devices: readonly Device[]): void {
  const known = acknowledgedBy(devices).size
  const captured = capturedBy(devices)
  assert.ok(known <= ledger.acknowledged && ledger.acknowledged <= captured,
    `${known} of ${captured} images have a PUBACK, and the ledger says ${ledger.acknowledged}`)
  assert.deepEqual([ledger.failed, ledger.dropped], [0, 0])
}

/** Looks at the ledger again and again until the service is gone; resolves with how often. */
export function sampleLedger (service: Service, devices: readonly Device[]): Promise<number> {
  const sampling = sample(service, devices)
  sampling.catch(() => {}) // whoever waits for it is told
  return sampling
}

async function sample (service: Service, devices: readonly Device[]): Promise<number> {
  for (let samples = 0; ; samples++) {
    const known = acknowledgedBy(devices).size // before the question, since PUBACKs come meanwhile
    const status = await service.status().catch(() => undefined) // killed in the middle of an answer
    if (status === undefined) return samples
    assertAddsUp(status.ledger)
    const { acknowledged } = status.ledger
    assert.ok(known <= acknowledged, `${known} images have a PUBACK, and the ledger says ${acknowledged}`)
    await delay(50)
  }
}

/** SHA-256 of every file in the local store, by `deviceId/imageId`: of each image under one key, whatever its date. */
export async function storedIn (dataDir: string): Promise<Map<string, string>> {
  const stored = new Map<string, string>()
  for (const [path, hash] of await hashFiles(join(dataDir, 'objects', 'images'))) {
    const name = path.replace(/^images\/([^/]+)\/.*\/([^/]+)\.jpg$/, '$1/$2')
    assert.equal(stored.has(name), false, `${name} is stored under two keys, one of them ${path}`)
    stored.set(name, hash)
  }
  return stored
}

/** The images with a PUBACK that are not in the store. */
export async function lostFrom (dataDir: string, devices: readonly Device[]): Promise<string[]> {
  const stored = await storedIn(dataDir)
  return [...acknowledgedBy(devices).keys()].filter((name) => !stored.has(name))
}

/** Every image with a PUBACK is there with the bytes that were sent, and nothing else is. */
export async function assertStored (dataDir: string, devices: readonly Device[]): Promise<void> {
  const [stored, acknowledged] = [await storedIn(dataDir), acknowledgedBy(devices)]
  const lost = [...acknowledged.keys()].filter((name) => !stored.has(name))
  const altered = [...acknowledged].filter(([name, hash]) => stored.has(name) && stored.get(name) !== hash)
  const unknown = [...stored.keys()].filter((name) => !acknowledged.has(name))
  assert.deepEqual({ lost, altered, unknown }, { lost: [], altered: [], unknown: [] })
}

/** Takes as long as it takes, provided that the backlog gets smaller all the time. */
export async function drained (service: Service): Promise<Ledger> {
  for (let least = Infinity; ;) {
    const ledger = await eventually(async () => {
      const ledger = await ledgerOf(service)
      return ledger.waiting < least ? ledger : undefined
    }, { timeoutMs: 60_000, what: `an upload of the ${least} images that wait` })
    if (ledger.waiting === 0) return ledger
    least = ledger.waiting
  }
}

/** Until some images of this connection have their PUBACK, and a random while longer. */
export async function publishUntilEnd (
  service: Service, devices: readonly Device[], end: () => Promise<unknown>, random: Random
): Promise<void> {
  const before = acknowledgedBy(devices).size + Math.floor(random() * 40)
  const publishing = Promise.all(devices.map((device) => device.publishUntilCut(service.mqttPort)))
  await eventually(() => acknowledgedBy(devices).size > before, { timeoutMs: 20_000, what: 'a PUBACK' })
  await delay(random() * 300)
  await end()
  await publishing
}
