// A mosquitto *bridge* as a device: another site's broker that hands its images on.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { hashFiles, sha256 } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { startService } from '../helpers/process.ts'
import { freePort, makeDirectory, missing, run, runWell, startPeer } from './peers.ts'

const skip = missing('mosquitto', 'mosquitto_pub')

/** A mosquitto whose every image goes on to Sluice; all else is as mosquitto has it. Gives its port. */
async function startBridging (t: TestContext, sluicePort: number): Promise<number> {
  const directory = await makeDirectory(t)
  const port = await freePort()
  const conf = join(directory, 'mosquitto.conf')
  await writeFile(conf, [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'connection sluice',
    `address 127.0.0.1:${sluicePort}`,
    'topic devices/# out 1',
    'cleansession false',
    'restart_timeout 1'
  ].join('\n'))
  await startPeer(t, 'mosquitto', ['-c', conf], async () =>
    (await run('mosquitto_pub', ['-p', `${port}`, '-t', 'up', '-n'])).code === 0)
  return port
}

async function publish (t: TestContext, port: number, names: readonly string[]): Promise<Map<string, string>> {
  const directory = await makeDirectory(t)
  const hashes = new Map<string, string>()
  for (const name of names) {
    const image = jpegOf(100_000)
    const path = join(directory, name)
    await writeFile(path, image)
    await runWell('mosquitto_pub', ['-p', `${port}`, '-t', `devices/far-1/images/${name}`, '-q', '1', '-f', path])
    hashes.set(name, sha256(image))
  }
  return hashes
}

async function arrived (dataDir: string, count: number): Promise<Map<string, string>> {
  const files = await eventually(async () => {
    const found = await hashFiles(join(dataDir, 'objects', 'images'))
    return found.size >= count ? found : undefined
  }, { timeoutMs: 30_000, what: `the arrival of ${count} images` })
  return new Map([...files].map(([path, hash]) => [/([^/]+)\.jpg$/.exec(path)?.[1] ?? path, hash]))
}

const names = (prefix: string): string[] => Array.from({ length: 5 }, (_, i) => `${prefix}-${i}`)

test('what is published to a mosquitto that is bridged here arrives byte for byte', { skip }, async (t) => {
  const service = await startService(t)
  const port = await startBridging(t, service.mqttPort)
  const published = await publish(t, port, names('shot'))
  assert.deepEqual(await arrived(service.dataDir, 5), published)
})

test('what is published while Sluice is down comes over the bridge once it is back', { skip }, async (t) => {
  const env = { SLUICE_MQTT_LISTEN: `127.0.0.1:${await freePort()}` }
  const first = await startService(t, { env })
  const { dataDir } = first
  const port = await startBridging(t, first.mqttPort)
  const published = await publish(t, port, names('before'))
  await arrived(dataDir, 5)
  await first.kill('SIGKILL')
  for (const [name, hash] of await publish(t, port, names('during'))) published.set(name, hash)
  const second = await startService(t, { dataDir, env })
  assert.deepEqual(await arrived(dataDir, 10), published)
  assert.equal((await second.status()).ledger.acknowledged, 10)
  await second.kill('SIGTERM')
})
