import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { createRandom } from '../device-sim/random.ts'
import type { Month } from '../bridge/slo/month.ts'
import { rounds } from './faults/rounds.ts'
import { eventually } from './helpers/eventually.ts'
import { parseExposition } from './helpers/exposition.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { connectDevice } from './helpers/mqtt.ts'
import { startService, type Service } from './helpers/process.ts'

/** A store that nobody answers for, and a target that is soon reached. */
const env = {
  SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1',
  SLUICE_S3_ACCESS_KEY_ID: 'key',
  SLUICE_S3_SECRET_ACCESS_KEY: 'secret',
  SLUICE_SLO_TARGET: '1s'
}
const random = createRandom(7)

async function publish (t: TestContext, service: Service, names: readonly string[]): Promise<void> {
  const device = await connectDevice(t, service.mqttPort)
  await Promise.all(names.map((name) => device.publishAsync(`devices/cam-1/images/${name}`, jpegOf(2000), { qos: 1 })))
}

async function judgedBy ({ url }: Service): Promise<Month['images']> {
  const { images } = await (await fetch(`${url}/api/v1/slo`)).json() as Month
  return images
}

async function lateSince ({ url }: Service): Promise<number | undefined> {
  const { series } = parseExposition(await (await fetch(`${url}/metrics`)).text())
  return series.get('sluice_slo_messages_total{verdict="late"}')
}

test('kill -9 around the deadline: every acknowledged image is judged once, and no late one twice', async (t) => {
  for (let round = 0; round < rounds({ fast: 1, long: 20 }); round++) {
    const service = await startService(t, { env })
    const names = Array.from({ length: 30 }, (_, n) => `i${n}`)
    await publish(t, service, names)
    await delay(600 + random() * 1400) // the kill falls before, while or after they are judged: any moment will do
    const seen = await lateSince(service) ?? 0
    await service.kill('SIGKILL')
    const next = await startService(t, { dataDir: service.dataDir, env })
    await publish(t, next, ['later-1', 'later-2'])
    const judged = await eventually(async () => {
      const images = await judgedBy(next)
      return images.judged >= 32 ? images : undefined
    }, { timeoutMs: 15_000, what: '32 verdicts' })
    assert.deepEqual(judged, { judged: 32, good: 0, late: 32, failed: 0, notArrived: 32 })
    const after = await lateSince(next) ?? 0
    assert.ok(after >= 2 && seen + after <= 32, `${seen} before and ${after} after`)
    await next.kill('SIGKILL')
  }
})
