// Refusals of a store that somebody else wrote, as it words them.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { sha256 } from '../helpers/bridge.ts'
import { drained } from '../helpers/custody.ts'
import { eventually } from '../helpers/eventually.ts'
import { startService } from '../helpers/process.ts'
import { publishShots } from '../helpers/shots.ts'
import { missing } from './peers.ts'
import { CEPH_COMMANDS, GATEWAY_KEYS, GATEWAY_REGION, gatewayEnv, startRadosgw, type Gateway } from './radosgw.ts'

const SHOTS = { device: 'cam-1', count: 10, bytes: 100_000 }

/** SHA-256 of every object, by `deviceId/imageId`. */
async function storedIn (client: S3Client, bucket: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    for (const { Key = '' } of Contents) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
      const name = Key.replace(/^images\/([^/]+)\/.*\/([^/]+)\.jpg$/, '$1/$2')
      hashes.set(name, sha256(Buffer.from(await Body?.transformToByteArray() ?? [])))
    }
  }
  return new Map([...hashes].sort())
}

async function outliveQuota (t: TestContext, gateway: Gateway, client: S3Client): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: 'small' }))
  await gateway.admin('quota', 'set', '--quota-scope=bucket', '--uid=site', '--max-objects=3')
  await gateway.admin('quota', 'enable', '--quota-scope=bucket', '--uid=site')
  const service = await startService(t, { env: gatewayEnv(gateway.endpoint, 'small') })
  const published = await publishShots(service.mqttPort, { ...SHOTS, prefix: 'full' })
  const { uplink, ledger } = await eventually(async () => {
    const status = await service.status()
    return status.uplink.state === 'down' ? status : undefined
  }, { timeoutMs: 30_000, everyMs: 100, what: 'QuotaExceeded' })
  assert.match(uplink.detail ?? '', /bucket "small" at .* is full: raise its quota, or remove objects .*QuotaExceeded/)
  assert.deepEqual([ledger.failed, ledger.exact], [0, true])

  await gateway.admin('quota', 'disable', '--quota-scope=bucket', '--uid=site')
  assert.equal((await drained(service)).failed, 0)
  assert.deepEqual(await storedIn(client, 'small'), new Map([...published].sort()))
}

async function outliveSlowDown (t: TestContext, gateway: Gateway, client: S3Client): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: 'busy' }))
  const busy = await gateway.startSecond('--rgw-max-concurrent-requests', '1', '--rgw-scheduler-type', 'throttler')
  const env = { ...gatewayEnv(busy, 'busy'), SLUICE_UPLINK_CAPACITY: '1Gbit', SLUICE_UPLINK_CONCURRENCY: '16' }
  const service = await startService(t, { env })
  const published = await publishShots(service.mqttPort, { ...SHOTS, count: 60, prefix: 'busy' })
  assert.deepEqual((await drained(service)).failed, 0)
  assert.match(service.stderr(), /uplink down \(throttled\): .* asks for fewer requests \(HTTP 503 SlowDown/)
  assert.deepEqual(await storedIn(client, 'busy'), new Map([...published].sort()))
}

test('refusals of radosgw', { skip: missing(...CEPH_COMMANDS) }, async (t) => {
  const gateway = await startRadosgw(t)
  const client = new S3Client({
    endpoint: gateway.endpoint, region: GATEWAY_REGION, forcePathStyle: true, credentials: GATEWAY_KEYS
  })
  t.after(() => { client.destroy() })
  await t.test('a bucket over its quota sets no image aside, and is filled further once the quota is raised', (t) =>
    outliveQuota(t, gateway, client))
  await t.test('a gateway that asks to slow down gets every image in the end', (t) =>
    outliveSlowDown(t, gateway, client))
})
