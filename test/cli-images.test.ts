import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { bucket, credentials, startTestStore } from './helpers/local-store.ts'
import { runSluice, startService } from './helpers/sluice.ts'

test('what the store refused is listed with its reason, and goes when it is retried', async (t) => {
  const store = await startTestStore(t)
  store.faults.refuseKeys(/cam-bad/, { status: 400, code: 'InvalidArgument' })
  const { url } = await startService(t, [], {
    env: {
      SLUICE_S3_ENDPOINT: store.endpoint,
      SLUICE_S3_BUCKET: bucket,
      SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey
    }
  })
  const image = jpegOf(5_000)
  for (const device of ['cam-bad', 'cam-good']) {
    const response = await fetch(`${url}/api/v1/images?device=${device}&id=one`,
      { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(image) })
    assert.equal(response.status, 201)
  }
  const failed = await eventually(async () => {
    const { stdout } = await runSluice(t, ['images', 'list', '--state', 'failed', '--url', url])
    return stdout.includes('cam-bad') ? stdout : undefined
  }, { timeoutMs: 30_000 })
  assert.match(failed, /InvalidArgument|rejected|refused/i)
  assert.doesNotMatch(failed, /cam-good/)
  const early = await runSluice(t, ['images', 'prioritize', 'cam-bad:one', '--url', url])
  assert.equal(early.code, 64)
  assert.match(early.stderr, /only an image that waits.*this one is failed/)
  await store.faults.clear()
  const retried = await runSluice(t, ['images', 'retry', 'cam-bad:one', '--url', url])
  assert.equal(retried.code, 0, retried.stderr)
  const key = await eventually(async () => {
    const { stdout } = await runSluice(t, ['images', 'show', 'cam-bad:one', '--json', '--url', url])
    return (JSON.parse(stdout) as { key?: string }).key
  }, { timeoutMs: 30_000 })
  assert.deepEqual(await readFile(join(store.dir, bucket, key)), image)
  const again = await runSluice(t, ['images', 'retry', '--all', '--url', url])
  assert.equal(again.code, 0, again.stderr)
})
