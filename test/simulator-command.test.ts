import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { parseDeviceTopic } from '../broker/topics.ts'
import { EXIT, runCommand, type Flags } from '../device-sim/command.ts'
import type { Acknowledged } from '../device-sim/events.ts'
import type { Verdict } from '../device-sim/inspection.ts'
import { DEFAULTS } from '../device-sim/options.ts'
import type { Report } from '../device-sim/report.ts'
import { bucket, credentials, makeFolder, startTestStore, type TestStore } from './helpers/local-store.ts'
import { startPlainBroker, type Publication } from './helpers/plain-broker.ts'

const signal = new AbortController().signal

test('the command exits with 99 where images are lost, doubled and damaged between broker and store', async (t) => {
  const store = await startTestStore(t)
  const { port } = await startPlainBroker(t, createPath(store.client, true))
  const file = await writeStoreFile(store)
  const { code, output } = await simulate(['--port', String(port), '--s3-file', file, '--verify-timeout', '2s',
    '--devices', '3', '--limit', '12', '--rate', '20/s', '--size', '16KB', '--verify', '--quiet', '--json'])
  const { verdict } = JSON.parse(output) as { verdict: Verdict }
  assert.deepEqual([verdict.lost.count, verdict.duplicated.count, verdict.corrupted.count], [2, 1, 1])
  assert.equal(code, 99)
})

test('the command exits with 0 where every image gets from broker to store', async (t) => {
  const store = await startTestStore(t)
  const { port } = await startPlainBroker(t, createPath(store.client, false))
  const printed: string[] = []
  const code = await runCommand(flags({ port, verify: true, s3File: await writeStoreFile(store) }),
    { print: (text) => printed.push(text), tell: () => {}, env: {} }, signal)
  assert.match(printed.join('\n'), /PUBACKed 12[^]*held: 12 of 12[^]*lost 0, duplicated 0, corrupted 0, foreign 0/)
  assert.equal(code, EXIT.ok)
})

test('the command exits with 64 for a remote store, and with 69 without a broker', async () => {
  const codes = await Promise.all([
    ['--verify', '--s3-endpoint', 'http://192.0.2.1', '--s3-bucket', 'images'],
    ['--port', '9']
  ].map(async (flags) => (await simulate([...flags, '--size', '16KB', '--devices', '1'])).code))
  assert.deepEqual(codes, [64, 69])
})

test('the command writes a manifest line for every PUBACK, and its report as JSON', async (t) => {
  const directory = await makeFolder(t)
  const { port } = await startPlainBroker(t)
  const [out, manifest] = [join(directory, 'report.json'), join(directory, 'manifest.jsonl')]
  const printed: string[] = []
  const code = await runCommand(flags({ port, json: true, out, manifest }),
    { print: (text) => printed.push(text), tell: () => {}, env: {} }, signal)
  const lines = (await readFile(manifest, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as Acknowledged)
  assert.equal(code, EXIT.ok)
  assert.equal(lines.length, 12)
  assert.deepEqual(Object.keys(lines[0] ?? {}), ['device', 'imageId', 'bytes', 'sha256', 'plannedAt', 'ackedAt'])
  assert.equal((JSON.parse(printed.join('')) as Report).counts.acknowledged, 12)
  assert.deepEqual(JSON.parse(await readFile(out, 'utf8')), JSON.parse(printed.join('')))
})

function flags (chosen: Partial<Flags>): Flags {
  const { images, ...defaults } = DEFAULTS
  const load = { devices: 3, rate: 20, size: 16_000, limit: 12, ramp: 500, drainTimeout: 5000, verifyTimeout: 10_000 }
  return { ...defaults, ...load, ...chosen }
}

// A path from the broker to the store, of the kind the judge is there for: of the first device's images
// the first is lost, the second doubled and the third damaged.
function createPath (client: S3Client, isFaulty: boolean): (publication: Publication) => Promise<void> {
  const put = async (key: string, body: Buffer): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  }
  return async ({ topic, payload }) => {
    const name = parseDeviceTopic(topic, 'devices')
    if (name?.kind !== 'image') return
    const key = `images/${name.deviceId}/${name.imageId}`
    const fault = isFaulty && name.deviceId === 'sim-0001' ? name.imageId?.slice(-1) : undefined
    if (fault === '1') return
    if (fault === '2') await put(`${key}-again`, payload)
    if (fault === '3') payload.writeUInt8(payload.readUInt8(9000) ^ 1, 9000)
    await put(key, payload)
  }
}

async function writeStoreFile ({ dir, endpoint }: TestStore): Promise<string> {
  const file = join(dir, 'local-store.json')
  await writeFile(file, JSON.stringify({ endpoint, bucket, ...credentials }))
  return file
}

async function simulate (flags: readonly string[]): Promise<{ readonly code: number, readonly output: string }> {
  const main = join(import.meta.dirname, '../device-sim/main.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => { output += String(chunk) })
  const [code] = await once(child, 'close') as [number]
  return { code, output }
}
