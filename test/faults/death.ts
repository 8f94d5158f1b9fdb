// A site whose service is killed again and again over the same data, and what has to be true of it in the end.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { Ledger } from '../../bridge/entry.ts'
import type { Random } from '../../device-sim/random.ts'
import {
  assertCounted, assertStored, drained, fastLine, ledgerOf, publishUntilEnd, sampleLedger, slowLine
} from '../helpers/custody.ts'
import { capturedBy, type Device } from '../helpers/device.ts'
import { serviceEnv, startService, type Service } from '../helpers/process.ts'
import { startSluice } from '../helpers/sluice.ts'

export interface Site {
  readonly dataDir: string
  readonly devices: readonly Device[]
  readonly random: Random
  /** Of every start but the last. */
  readonly env?: Readonly<Record<string, string>>
}

/** Under load, at a random moment after the first PUBACK; resolves with the ledger of its start. */
export async function killInLoad (t: TestContext, { dataDir, devices, random, env }: Site): Promise<Ledger> {
  const service = await startService(t, { dataDir, env: { ...slowLine, ...env } })
  const ledger = await ledgerOf(service)
  assertCounted(ledger, devices)
  const sampling = sampleLedger(service)
  await publishUntilEnd(service, devices, async () => {
    assert.equal((await service.kill('SIGKILL')).signal, 'SIGKILL')
  }, random)
  assert.ok(await sampling > 0)
  return ledger
}

/** Before it has said where it listens, or soon after. */
export async function killInStart (t: TestContext, { dataDir, random, env }: Site): Promise<void> {
  const running = await startSluice(t, ['serve'], { env: serviceEnv(dataDir, { ...slowLine, ...env }) })
  await delay(300 + random() * 700)
  running.process.kill('SIGKILL')
  assert.equal((await running.ended).signal, 'SIGKILL')
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

/** The last start, over a line on which everything goes out. */
export async function assertRecovered (t: TestContext, { dataDir, devices }: Site): Promise<number> {
  const last = await startService(t, { dataDir, env: fastLine })
  const size = await assertCustody(last, devices, dataDir)
  assert.equal((await last.kill('SIGTERM')).code, 0)
  return size
}
