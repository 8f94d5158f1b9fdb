// A store that somebody else wrote, and that can be killed.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import type { Status } from '../../bridge/status.ts'
import { openLink } from '../../device-sim/devices/link.ts'
import { sha256 } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { startService, type Service } from '../helpers/process.ts'
import { missing } from './peers.ts'
import { CEPH_COMMANDS, GATEWAY_KEYS, GATEWAY_REGION, gatewayEnv, startRadosgw, type Gateway } from './radosgw.ts'

const IMAGES = 40
const IMAGE_BYTES = 100_000

interface Published {
  /** SHA-256 by image id. */
  readonly hashes: ReadonlyMap<string, string>
  /** From PUBLISH to PUBACK, in ms. */
  readonly median: number
}

/** One image after the other, each with its PUBACK. */
async function publish ({ mqttPort }: Service, prefix: string, count: number): Promise<Published> {
  const opening = await openLink({ host: '127.0.0.1', port: mqttPort, clientId: 'cam-1' })
  if (opening.kind === 'failed') throw new Error(opening.reason)
  const hashes = new Map<string, string>()
  const delays: number[] = []
  for (let i = 0; i < count; i++) {
    const image = jpegOf(IMAGE_BYTES)
    const startedAt = performance.now()
    await opening.link.publish(`devices/cam-1/images/${prefix}-${i}`, image)
    delays.push(performance.now() - startedAt)
    hashes.set(`${prefix}-${i}`, sha256(image))
  }
  opening.link.close(false)
  return { hashes, median: delays.sort((a, b) => a - b)[count >> 1] ?? 0 }
}

/** SHA-256 of every object, by image id. */
async function storedIn (client: S3Client, bucket: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    for (const { Key = '' } of Contents) {
      const { Body, ContentType, Metadata } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
      const hash = sha256(Buffer.from(await Body?.transformToByteArray() ?? []))
      assert.deepEqual([ContentType, Metadata?.['device-id'], Metadata?.['sha256']], ['image/jpeg', 'cam-1', hash])
      hashes.set(/([^/]+)\.jpg$/.exec(Key)?.[1] ?? Key, hash)
    }
  }
  return hashes
}

async function statusWhere (service: Service, what: string, holds: (status: Status) => boolean): Promise<Status> {
  return await eventually(async () => {
    const status = await service.status()
    return holds(status) ? status : undefined
  }, { timeoutMs: 60_000, what })
}

async function drained (service: Service): Promise<Status['ledger']> {
  return (await statusWhere(service, 'the end of the backlog', ({ ledger }) => ledger.waiting === 0)).ledger
}

async function survivesKill (t: TestContext, gateway: Gateway, client: S3Client): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: 'killed' }))
  const service = await startService(t, { env: gatewayEnv(gateway.endpoint, 'killed') })
  const up = await publish(service, 'up', IMAGES)
  await statusWhere(service, 'a put under way', ({ images, ledger }) => images.uploading.count > 0 && ledger.uploaded > 0)
  await gateway.kill()
  const down = await publish(service, 'down', IMAGES)
  const { verdict, ledger, accepting } = await statusWhere(service, 'UPLINK DOWN', ({ uplink }) => uplink.state === 'down')
  assert.match(verdict.sentence, /^UPLINK DOWN: .*Nothing lost\.$/)
  assert.ok(accepting && ledger.exact && ledger.waiting >= IMAGES)
  t.diagnostic(`PUBACK after ${up.median.toFixed(1)} ms, and ${down.median.toFixed(1)} ms while the gateway is down`)
  assert.ok(down.median < Math.max(3 * up.median, 50))

  await gateway.start()
  const all = 2 * IMAGES
  assert.deepEqual(await drained(service),
    { acknowledged: all, uploaded: all, waiting: 0, failed: 0, dropped: 0, exact: true })
  assert.deepEqual(await storedIn(client, 'killed'), new Map([...up.hashes, ...down.hashes]))
}

async function survivesWrongSecret (t: TestContext, gateway: Gateway, client: S3Client): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: 'secret' }))
  const env = gatewayEnv(gateway.endpoint, 'secret')
  const first = await startService(t, { env: { ...env, SLUICE_S3_SECRET_ACCESS_KEY: 'not-the-secret' } })
  const { hashes } = await publish(first, 'shot', 3)
  const { uplink, ledger } = await statusWhere(first, 'UPLINK DOWN', ({ uplink }) => uplink.state === 'down')
  assert.equal(uplink.reason, 'auth')
  assert.match(uplink.detail ?? '', /s3\.secretAccessKey/)
  assert.deepEqual([ledger.waiting, ledger.failed], [3, 0])
  assert.equal((await first.kill('SIGTERM')).code, 0)
  const second = await startService(t, { dataDir: first.dataDir, env })
  await drained(second)
  assert.deepEqual(await storedIn(client, 'secret'), hashes)
  await second.kill('SIGTERM')
}

async function survivesNoBucket (t: TestContext, gateway: Gateway, client: S3Client): Promise<void> {
  const service = await startService(t, { env: gatewayEnv(gateway.endpoint, 'later') })
  const { hashes } = await publish(service, 'shot', 3)
  const { uplink } = await statusWhere(service, 'UPLINK DOWN', ({ uplink }) => uplink.state === 'down')
  assert.equal(uplink.reason, 'no_bucket')
  assert.match(uplink.detail ?? '', /^bucket "later" does not exist at .*: create it, or set s3\.bucket$/)
  await client.send(new CreateBucketCommand({ Bucket: 'later' }))
  assert.equal((await drained(service)).failed, 0)
  assert.deepEqual(await storedIn(client, 'later'), hashes)
}

test('radosgw as the store', { skip: missing(...CEPH_COMMANDS) }, async (t) => {
  const gateway = await startRadosgw(t)
  const client = new S3Client({
    endpoint: gateway.endpoint, region: GATEWAY_REGION, forcePathStyle: true, credentials: GATEWAY_KEYS
  })
  t.after(() => { client.destroy() })
  await t.test('with a wrong secret images are kept, and uploaded once it is right', (t) =>
    survivesWrongSecret(t, gateway, client))
  await t.test('without the bucket images are kept, and uploaded once somebody creates it', (t) =>
    survivesNoBucket(t, gateway, client))
  // Last, since a gateway that follows a killed one waits for it now and then, about half a minute long.
  await t.test('a gateway killed in the middle of uploads moves no PUBACK and loses nothing', (t) =>
    survivesKill(t, gateway, client))
})
