// Clients that cameras really use, with photos that cameras really take.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import sharp from 'sharp'
import { hashFiles, sha256 } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { startService, type Service } from '../helpers/process.ts'
import { makeDirectory, missing, pahoPython, readPhotos, run, runWell, type Photo } from './peers.ts'

/** As files of their own, for programs that want a path. */
async function writePhotos (t: TestContext): Promise<Array<Photo & { readonly path: string }>> {
  const directory = await makeDirectory(t)
  return await Promise.all((await readPhotos()).map(async ({ name, bytes }) => {
    const path = join(directory, name)
    await writeFile(path, bytes)
    return { name, bytes, path }
  }))
}

/** SHA-256 of the files in the store by path, once there are so many of them. */
async function stored ({ dataDir }: Service, count: number): Promise<Map<string, string>> {
  return await eventually(async () => {
    const files = await hashFiles(join(dataDir, 'objects', 'images'))
    return files.size >= count ? files : undefined
  }, { timeoutMs: 30_000, what: `the arrival of ${count} images` })
}

const fast = { SLUICE_UPLINK_SHARE: '100%' }

test('photos that mosquitto_pub sends become files that a person can open, byte for byte', { skip: missing('mosquitto_pub') }, async (t) => {
  const photos = await writePhotos(t)
  const service = await startService(t, { env: fast })
  for (const { path } of photos) {
    await runWell('mosquitto_pub', ['-p', `${service.mqttPort}`, '-t', 'devices/cam-1/images', '-q', '1', '-f', path])
  }
  const files = await stored(service, photos.length)
  assert.deepEqual([...files.values()].sort(), photos.map(({ bytes }) => sha256(bytes)).sort())
  for (const path of files.keys()) {
    assert.match(path, /^images\/cam-1\/\d{4}\/\d\d\/\d\d\/[0-9a-f]{32}\.jpg$/)
    const picture = await readFile(join(service.dataDir, 'objects', 'images', path))
    assert.ok((await sharp(picture, { failOn: 'warning' }).raw().toBuffer()).length > 0)
  }
  const { ledger } = await service.status()
  assert.deepEqual([ledger.acknowledged, ledger.exact], [photos.length, true])
})

for (const [qos, answer] of [[1, 'PUBACK'], [2, 'PUBCOMP']] as const) {
  const skip = pahoPython === undefined ? 'python3-paho-mqtt not installed' : false
  test(`a device with paho gets ${answer} and a note for every photo it sends with QoS ${qos}`, { skip }, async (t) => {
    const photos = await writePhotos(t)
    const service = await startService(t, { env: fast })
    const script = join(import.meta.dirname, 'paho-device.py')
    const said = await runWell(pahoPython ?? '',
      [script, '127.0.0.1', `${service.mqttPort}`, 'cam-2', `${qos}`, ...photos.map(({ path }) => path)])
    const { published, notes } = JSON.parse(said) as Record<'published' | 'notes', Record<string, string>>
    assert.deepEqual(published, Object.fromEntries(photos.map(({ name, bytes }) => [name.replace('.jpg', ''), sha256(bytes)])))
    assert.deepEqual(new Set(Object.values(notes)), new Set(['uploaded']))
    const files = await stored(service, photos.length)
    const byName = [...files].map(([path, hash]) => [/([^/]+)\.jpg$/.exec(path)?.[1], hash])
    assert.deepEqual(Object.fromEntries(byName), published)
  })
}

test('a device that speaks MQTT 5 is refused, and the log says what to change', { skip: missing('mosquitto_pub') }, async (t) => {
  const [photo] = await writePhotos(t)
  const service = await startService(t)
  const { code, stderr } = await run('mosquitto_pub',
    ['-V', 'mqttv5', '-p', `${service.mqttPort}`, '-t', 'devices/cam-3/images', '-q', '1', '-f', photo?.path ?? ''])
  assert.notEqual(code, 0)
  assert.match(stderr, /unacceptable protocol version|unsupported protocol version/i)
  await eventually(() => /refused a connection .*MQTT 5.*3\.1\.1/.test(service.stderr()), { what: 'a line in the log' })
  assert.equal((await service.status()).ledger.acknowledged, 0)
})

test('curl sends a photo as a form, and is told 201 and the SHA-256 of its bytes', { skip: missing('curl') }, async (t) => {
  const [photo] = await writePhotos(t)
  const service = await startService(t, { env: fast })
  const said = await runWell('curl',
    ['-s', '-w', '\n%{http_code}', '-F', `file=@${photo?.path}`, `${service.url}/?device=cam-4&id=one`])
  const [, body = '', code] = /^(.*)\n(\d+)$/s.exec(said) ?? []
  assert.equal(code, '201', body)
  assert.equal((JSON.parse(body) as { sha256: string }).sha256, sha256(photo?.bytes ?? Buffer.of()))
  assert.deepEqual([...(await stored(service, 1)).values()], [sha256(photo?.bytes ?? Buffer.of())])
})
