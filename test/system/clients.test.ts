// S3 clients of other people, reading the local store of a running service.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sha256 } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { startService } from '../helpers/process.ts'
import { makeDirectory, missing, readPhotos, runWell } from './peers.ts'

interface Access {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
}

interface Stored {
  readonly access: Access
  /** The images by key. */
  readonly objects: ReadonlyMap<string, Buffer>
}

/** A service with photos in its local store, and what a client has to know to read them. */
async function startWithPhotos (t: TestContext): Promise<Stored> {
  const service = await startService(t, { env: { SLUICE_UPLINK_SHARE: '100%' } })
  const photos = await readPhotos()
  for (const { name, bytes } of photos) {
    const query = new URLSearchParams({ device: 'cam-1', id: name })
    const { status } = await fetch(`${service.url}/api/v1/images?${query}`,
      { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(bytes) })
    assert.equal(status, 201)
  }
  const uploaded = await eventually(async () => {
    const answer = await fetch(`${service.url}/api/v1/images?state=uploaded`)
    const { images } = await answer.json() as { images: Array<{ id: string, key: string }> }
    return images.length === photos.length ? images : undefined
  }, { timeoutMs: 30_000, what: 'the upload of the photos' })
  const keys = new Map(uploaded.map(({ id, key }) => [id, key]))
  return {
    access: JSON.parse(await readFile(join(service.dataDir, 'local-store.json'), 'utf8')) as Access,
    objects: new Map(photos.map(({ name, bytes }) => [keys.get(name.replace('.jpg', '')) ?? name, bytes]))
  }
}

test('awscli lists the images and fetches them byte for byte, with what is known of each', { skip: missing('aws') }, async (t) => {
  const { access: { accessKeyId, secretAccessKey, endpoint, region, bucket }, objects } = await startWithPhotos(t)
  const home = await makeDirectory(t)
  const aws = (...args: string[]): Promise<string> => runWell('aws', ['--endpoint-url', endpoint, ...args], {
    HOME: home,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: ''
  })
  const listed = (await aws('s3', 'ls', '--recursive', `s3://${bucket}/`)).trim().split('\n')
  assert.deepEqual(listed.map((line) => line.split(/\s+/).slice(2)).sort(),
    [...objects].map(([key, { length }]) => [`${length}`, key]).sort())
  await aws('s3', 'sync', '--only-show-errors', `s3://${bucket}/`, join(home, 'all'))
  for (const [key, bytes] of objects) assert.ok((await readFile(join(home, 'all', key))).equals(bytes), key)
  const [[key, bytes] = ['', Buffer.of()]] = objects
  const head = JSON.parse(await aws('s3api', 'head-object', '--output', 'json', '--bucket', bucket, '--key', key)) as
    { ContentType: string, Metadata: Record<string, string> }
  assert.deepEqual([head.ContentType, head.Metadata['device-id'], head.Metadata['sha256']],
    ['image/jpeg', 'cam-1', sha256(bytes)])
})

test('s3cmd lists the images and fetches them byte for byte', { skip: missing('s3cmd') }, async (t) => {
  const { access: { accessKeyId, secretAccessKey, endpoint, region, bucket }, objects } = await startWithPhotos(t)
  const home = await makeDirectory(t)
  const { host } = new URL(endpoint)
  const s3cmd = (...args: string[]): Promise<string> => runWell('s3cmd', [
    '--config=/dev/null', `--host=${host}`, `--host-bucket=${host}`, '--no-ssl', `--region=${region}`, '--no-progress', ...args
  ], { HOME: home, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey })
  const listed = (await s3cmd('ls', '--recursive', `s3://${bucket}/`)).trim().split('\n')
  assert.deepEqual(listed.map((line) => line.split(/\s+/).slice(2)).sort(),
    [...objects].map(([key, { length }]) => [`${length}`, `s3://${bucket}/${key}`]).sort())
  for (const [key, bytes] of objects) {
    const path = join(home, 'one.jpg')
    await s3cmd('get', '--force', `s3://${bucket}/${key}`, path)
    assert.ok((await readFile(path)).equals(bytes), key)
  }
})
