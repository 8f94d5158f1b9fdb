// What a start tells its operator: from the spool alone, before anything has been measured.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FailedElsewhere } from '../bridge/failed-elsewhere.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import { constantPace, type PaceAt } from '../bridge/plan/pace.ts'
import type { Spool } from '../bridge/spool/spool.ts'
import { adviseAtStart, seenPace } from '../bridge/start-advice.ts'
import { storeIdentity } from '../bridge/store-identity.ts'
import { startTestBridge, type TestBridge } from './helpers/bridge.ts'
import { eventually } from './helpers/eventually.ts'
import { keep } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { arrivalOf, makeTempDirectory, openTestSpool } from './helpers/spool.ts'

const NOW = Date.now()

/** `count` images of 1 kB that were accepted a second apart, the last of them just now. */
async function fill (spool: Spool, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const payload = jpegOf(1000)
    await spool.append({ ...arrivalOf('cam-1', `i${i}`, payload), receivedAt: NOW - (count - 1 - i) * 1000 }, payload)
  }
  await eventually(async () => (await spool.waiting(0, count)).length === count)
}

async function advice (spool: Spool, allowanceAt: PaceAt): Promise<readonly string[]> {
  return await adviseAtStart({ spool, failedElsewhere: new FailedElsewhere(spool, 'this'), allowanceAt }, NOW)
}

test('a start whose last images came faster than anything may go out says when the spool is full', async (t) => {
  const { spool } = await openTestSpool(t, { limitBytes: 10_000_000 })
  await fill(spool, 121)
  const [sentence = ''] = await advice(spool, constantPace(500))
  assert.match(sentence, /^the last 121 images came in at 1 images\/s \(8\.1 kbit\/s\), and 4 kbit\/s may go out: /)
  assert.match(sentence, /full in about \d(\.\d)? h; "sluice plan" shows/)
  assert.deepEqual(await advice(spool, constantPace(2000)), [])
})

test('a timetable that is off for longer than the spool lasts is told at the start, one that is not is not', async (t) => {
  const { spool } = await openTestSpool(t, { limitBytes: 10_000_000 })
  await fill(spool, 121)
  const offFor = (hours: number): PaceAt => (ms) => {
    const until = NOW + hours * 3_600_000
    return ms < until ? { bytesPerSecond: 0, until } : { bytesPerSecond: 1e6, until: undefined }
  }
  assert.deepEqual(await advice(spool, offFor(1)), []) // 3.6 MB
  assert.equal((await advice(spool, offFor(5))).length, 1) // 18 MB
})

test('a pace is known only where the spool remembers a minute of it, and an old one does not count', async (t) => {
  const { spool } = await openTestSpool(t)
  assert.equal(await seenPace(spool), undefined)
  const old = jpegOf(1000)
  await spool.append({ ...arrivalOf('cam-1', 'old', old), receivedAt: NOW - 7_200_000 }, old)
  await fill(spool, 30)
  assert.equal(await seenPace(spool), undefined)
  assert.deepEqual(await advice(spool, constantPace(1)), [])
})

test('only what failed under another configuration of the store is offered again, and no more once it is', async (t) => {
  const { spool } = await openTestSpool(t)
  const failures = [{ store: 'other' }, { store: 'other' }, { store: 'this' }, {}, { store: 'other', reason: 'corrupt' }]
  for (const [i, failure] of failures.entries()) {
    const entry = await keep(spool, 'cam-1', `i${i}`, jpegOf(1000))
    await spool.setAside(entry, { failedAt: NOW, reason: 'auth', detail: 'no', attempts: 1, ...failure })
  }
  const elsewhere = new FailedElsewhere(spool, 'this')
  assert.equal(await elsewhere.look(), 2)
  const { held } = await spool.list({ state: 'failed', limit: 10 })
  for (const { entry } of held) await spool.retry(entry)
  await eventually(() => elsewhere.count === 0)
})

test('a store is another one with another place, bucket or key, and its identity does not show the secret', () => {
  const env = { SLUICE_S3_ENDPOINT: 'http://10.0.0.9:9000', SLUICE_S3_ACCESS_KEY_ID: 'a', SLUICE_S3_SECRET_ACCESS_KEY: 'hush' }
  const identity = (changes: Readonly<Record<string, string>>): string =>
    storeIdentity(readConfig({ env: { ...env, ...changes } }))
  const others = [
    {}, { SLUICE_S3_ENDPOINT: 'http://10.0.0.8:9000' }, { SLUICE_S3_BUCKET: 'photos' }, { SLUICE_S3_ACCESS_KEY_ID: 'b' },
    { SLUICE_S3_SECRET_ACCESS_KEY: 'other' }
  ].map(identity)
  assert.equal(new Set(others).size, others.length)
  assert.equal(identity({ SLUICE_UPLINK_SHARE: '30%', SLUICE_S3_KEY: '{deviceId}/{imageId}' }), others[0])
  assert.ok(others.every((one) => /^[0-9a-f]{12}$/.test(one)))
})

test('after a start with another store, log and status offer what failed under the one before', async (t) => {
  const [spoolDir, image] = [await makeTempDirectory(t), jpegOf(5000)]
  const start = async (t: TestContext): Promise<TestBridge> =>
    await startTestBridge(t, { SLUICE_SPOOL_DIR: join(spoolDir, 'spool') })
  const before = await start(t)
  before.store.faults.refuseKeys(/cam-bad/, { status: 400, code: 'InvalidArgument' })
  const url = `http://127.0.0.1:${before.bridge.http.port}/api/v1/images?device=cam-bad&id=one`
  await fetch(url, { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(image) })
  await eventually(async () => (await before.status()).ledger.failed === 1, { timeoutMs: 20_000 })
  await before.close()
  const after = await start(t) // in a data directory of its own, and so with a store of its own
  const offer = '1 image failed under another configuration of the store: sluice images retry --all --dry-run'
  await eventually(() => after.events.some((event) => event.kind === 'operator-advised' && event.detail === offer))
  const { failedUnderOtherStore } = await after.status() as unknown as { failedUnderOtherStore: number }
  assert.equal(failedUnderOtherStore, 1)
  await fetch(`http://127.0.0.1:${after.bridge.http.port}/api/v1/images/retry`, { method: 'POST' })
  await eventually(async () => (await after.status()).ledger.uploaded === 1, { timeoutMs: 20_000 })
})
