// kill -9 in the middle of an object that goes in parts: the next start goes on where it was cut off.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3'
import { sha256 } from '../helpers/bridge.ts'
import { storedIn } from '../helpers/custody.ts'
import { eventually } from '../helpers/eventually.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { bucket, credentials, startTestStore } from '../helpers/local-store.ts'
import { startService } from '../helpers/process.ts'
import { tempDirectory } from '../helpers/sluice.ts'
import { rounds } from './rounds.ts'

const PART_BYTES = 5 * 2 ** 20
const PARTS = rounds({ fast: 3, long: 9 })
const KILLS = rounds({ fast: 1, long: 4 })
const BYTES = (PARTS - 1) * PART_BYTES + 1_000_000

test(`an object of ${PARTS} parts goes over the line once, and a part at most for each of ${KILLS} times kill -9`, async (t) => {
  const [dataDir, place] = [await tempDirectory(t), await tempDirectory(t)]
  const { endpoint, client, faults } = await startTestStore(t, { dir: join(place, 'objects') })
  const env = {
    SLUICE_S3_ENDPOINT: endpoint,
    SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    SLUICE_S3_PART_SIZE: '5MiB',
    SLUICE_MQTT_MAX_PACKET_SIZE: '60MB',
    SLUICE_UPLINK_CAPACITY: '100Mbit',
    SLUICE_UPLINK_SHARE: '100%'
  }
  const partsThere = async (): Promise<number> => {
    const { Uploads: [upload] = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    if (upload === undefined) return 0
    const named = { Bucket: bucket, Key: upload.Key, UploadId: upload.UploadId }
    return (await client.send(new ListPartsCommand(named))).Parts?.length ?? 0
  }
  const image = jpegOf(BYTES)
  let service = await startService(t, { dataDir, env })
  const taken = await fetch(`${service.url}/?device=cam-1&id=large`,
    { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(image) })
  assert.equal(taken.status, 201, await taken.text())
  const sent: number[] = []
  for (let kill = 1; kill <= KILLS; kill++) {
    await eventually(async () => await partsThere() >= kill, { timeoutMs: 30_000, everyMs: 20 })
    await service.kill('SIGKILL')
    assert.ok(await partsThere() < PARTS, 'it was over before it was killed')
    service = await startService(t, { dataDir, env })
  }
  await eventually(async () => {
    const { ledger, uplink } = await service.status()
    sent.push(uplink.sentBytes)
    return ledger.uploaded === 1
  }, { timeoutMs: 30_000, everyMs: 50 })
  assert.deepEqual([...(await storedIn(place)).values()], [sha256(image)])
  const crossed = faults.counts().bodyBytes
  t.diagnostic(`${(crossed / BYTES).toFixed(3)} of its bytes crossed, ${((sent.at(-1) ?? 0) / BYTES).toFixed(3)} after the last start`)
  assert.ok(crossed < BYTES + KILLS * PART_BYTES + 100_000, `${crossed} bytes crossed for ${BYTES}`)
  assert.ok((sent.at(-1) ?? 0) < BYTES - KILLS * PART_BYTES + 10_000, `${sent.at(-1)} bytes after the last start`)
  assert.equal(await partsThere(), 0)
})
