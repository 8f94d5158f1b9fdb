// The judge against another path than Sluice's: mosquitto and a subscriber that puts what comes. The same
// scenario through Sluice is the other half of the comparison in the README.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../helpers/eventually.ts'
import { bucket, credentials, startTestStore, type TestStore } from '../helpers/local-store.ts'
import { startService } from '../helpers/process.ts'
import { runSimulator, type Ended } from '../helpers/simulate.ts'
import { freePort, makeDirectory, missing, run, startPeer, type Peer } from './peers.ts'

const SCENARIO = join(import.meta.dirname, 'restart.yaml')
const KILL_AFTER_MS = 6_000

test('mosquitto and a subscriber lose what was PUBACKed while the subscriber was away', {
  skip: missing('mosquitto', 'mosquitto_pub')
}, async (t) => {
  const store = await startTestStore(t)
  const port = await startMosquitto(t)
  const subscriber = await startSubscriber(t, port, store)
  const { code, stdout } = await simulate(t, { port, store }, async () => {
    await subscriber.end('SIGKILL')
    await startSubscriber(t, port, store)
  })
  t.diagnostic(stdout)
  const lost = Number(/lost (\d+)/.exec(stdout)?.[1])
  assert.ok(lost > 0, stdout)
  assert.match(stdout, /NOT held lost==0 +\d+/)
  assert.equal(code, 99)
})

test('Sluice loses nothing of the same, killed in the same second', async (t) => {
  const store = await startTestStore(t)
  const port = await freePort()
  const env = {
    SLUICE_MQTT_LISTEN: `127.0.0.1:${port}`,
    SLUICE_S3_ENDPOINT: store.endpoint,
    SLUICE_S3_BUCKET: bucket,
    SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey
  }
  const dataDir = await makeDirectory(t)
  const service = await startService(t, { dataDir, env })
  const { code, stdout } = await simulate(t, { port, store }, async () => {
    await service.kill('SIGKILL')
    await startService(t, { dataDir, env })
  })
  t.diagnostic(stdout)
  assert.match(stdout, /lost 0, duplicated 0, corrupted 0, unexpected 0/)
  assert.equal(code, 0, stdout)
})

interface Path {
  readonly port: number
  readonly store: TestStore
}

/** The scenario, and what happens in its middle. */
async function simulate (t: TestContext, { port, store }: Path, happen: () => Promise<void>): Promise<Ended> {
  const file = join(await makeDirectory(t), 'local-store.json')
  await writeFile(file, JSON.stringify({ endpoint: store.endpoint, bucket, ...credentials }))
  const running = runSimulator(['run', SCENARIO, '-p', String(port), '--verify', '--verify-timeout', '20s', '--s3-file', file,
    '--run-file', `${file}.run.json`])
  await delay(KILL_AFTER_MS)
  await happen()
  return await running
}

async function startMosquitto (t: TestContext): Promise<number> {
  const port = await freePort()
  const conf = join(await makeDirectory(t), 'mosquitto.conf')
  await writeFile(conf, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
  await startPeer(t, 'mosquitto', ['-c', conf], async () =>
    (await run('mosquitto_pub', ['-p', `${port}`, '-t', 'up', '-n'])).code === 0)
  return port
}

async function startSubscriber (t: TestContext, port: number, { endpoint }: TestStore): Promise<Peer> {
  const script = join(import.meta.dirname, 'subscriber.ts')
  const args = [String(port), endpoint, bucket, credentials.accessKeyId, credentials.secretAccessKey]
  const peer = await startPeer(t, process.execPath, ['--import', 'tsx', script, ...args], () => Promise.resolve(true))
  await eventually(() => peer.output().includes('subscribed'), { timeoutMs: 20_000, what: 'the subscription' })
  return peer
}
