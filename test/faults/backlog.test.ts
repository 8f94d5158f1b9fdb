// A backlog costs disk, and neither memory nor handles nor time: nothing grows with what waits.
//
// The long run fills as many segments as 40 GB would with the default size of 64 MiB, each of 1 MiB: what a segment
// costs in memory, handles and at a start does not depend on how long its images are.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ledgerOf } from '../helpers/custody.ts'
import { eventually } from '../helpers/eventually.ts'
import { startService, type Service } from '../helpers/process.ts'
import { publishShots } from '../helpers/shots.ts'
import { tempDirectory } from '../helpers/sluice.ts'
import { rounds } from './rounds.ts'

const IMAGES = rounds({ fast: 2000, long: 100_000 })
const IMAGE_BYTES = rounds({ fast: 1000, long: 10_000 })
const SEGMENTS_MIN = rounds({ fast: 2, long: Math.ceil(40_000 / 67) })
const DEVICES = 5
const START_MS_MAX = 5000
const PAGE_MS_MAX = rounds({ fast: 500, long: 50 })
const WARM_UPS = 10
const LOOKS = rounds({ fast: 5, long: 15 })
/** 1.2 is wanted. One that has tried to send anything at all is 20 MiB larger than one that never has. */
const GROWTH_MAX = 1.4
const LOADED_MIB_MAX = 250
/** Beside those of an empty service: the segments that are open at a time, with the few files that each has. */
const HANDLES_MAX = 40

const env = {
  SLUICE_S3_ENDPOINT: 'http://127.0.0.1:9', // discard: nobody listens there
  SLUICE_S3_ACCESS_KEY_ID: 'nobody',
  SLUICE_S3_SECRET_ACCESS_KEY: 'nothing',
  SLUICE_MQTT_MAX_PACKET_SIZE: '1MB',
  SLUICE_SPOOL_SEGMENT_SIZE: '1MiB'
}

test(`with ${IMAGES} images waiting memory, handles, start and pages are those of an empty service`, async (t) => {
  const dataDir = join(await tempDirectory(t), 'data')
  const empty = await startTimed(t, dataDir)
  const before = await weigh(empty.service)
  await fill(empty.service)
  const loaded = await weigh(empty.service)
  await empty.service.kill('SIGTERM')
  const segments = (await readdir(join(dataDir, 'spool', 'segments'))).length
  assert.ok(segments >= SEGMENTS_MIN, `${segments} segments`)

  const full = await startTimed(t, dataDir)
  const after = await weigh(full.service)
  const { waiting } = await ledgerOf(full.service)
  assert.equal(waiting, IMAGES)
  await eventually(async () => (await full.service.status()).uplink.state === 'down', { what: 'a store out of reach' })
  const pages = await timePages(full.service)

  t.diagnostic(`${segments} segments; start ${empty.startMs.toFixed(0)} ms empty, ${full.startMs.toFixed(0)} ms full`)
  t.diagnostic(`resident ${before.mib} MiB empty, ${loaded.mib} right after the load, ${after.mib} started on it`)
  t.diagnostic(`handles ${before.handles} empty, ${loaded.handles} after the load, ${after.handles} started on it`)
  t.diagnostic(`pages ${JSON.stringify(pages)} ms`)
  assert.ok(full.startMs < Math.max(START_MS_MAX, 1.5 * empty.startMs)) // a machine may be busy with other things
  assert.ok(loaded.mib < LOADED_MIB_MAX, `${loaded.mib} MiB right after the load`)
  assert.ok(after.mib < before.mib * GROWTH_MAX)
  assert.ok(Math.max(loaded.handles, after.handles) < before.handles + HANDLES_MAX)
  for (const [page, ms] of Object.entries(pages)) assert.ok(ms < PAGE_MS_MAX, `the page ${page} took ${ms} ms`)
})

async function startTimed (t: TestContext, dataDir: string): Promise<{ service: Service, startMs: number }> {
  const startedAt = performance.now()
  const service = await startService(t, { dataDir, env })
  return { service, startMs: performance.now() - startedAt }
}

async function fill ({ mqttPort }: Service): Promise<void> {
  const count = IMAGES / DEVICES
  await Promise.all(Array.from({ length: DEVICES }, (_, i) =>
    publishShots(mqttPort, { device: `cam-${i}`, prefix: 'n', count, bytes: IMAGE_BYTES })))
}

interface Weight {
  readonly mib: number
  readonly handles: number
}

/** Once it has come to rest: the least of a few seconds, as a collection of garbage leaves it. */
async function weigh ({ pid }: Service): Promise<Weight> {
  const weights: Weight[] = []
  for (let i = 0; i < LOOKS; i++) {
    await delay(200)
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const mib = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
    weights.push({ mib, handles: (await readdir(`/proc/${pid}/fd`)).length })
  }
  const [mib, handles] = [weights.map(({ mib }) => mib), weights.map(({ handles }) => handles)]
  return { mib: Math.min(...mib), handles: Math.max(...handles) }
}

/** The median time of each page of the list, in ms. */
async function timePages ({ url }: Service): Promise<Record<'first' | 'middle' | 'filtered', number>> {
  const cursor = Buffer.from(`1.${IMAGES >> 1}`).toString('base64url') // as image-query.ts gives them out
  return {
    first: await timePage(`${url}/api/v1/images?limit=100`, 100),
    middle: await timePage(`${url}/api/v1/images?limit=100&cursor=${cursor}`, 100),
    filtered: await timePage(`${url}/api/v1/images?limit=50&device=cam-3`, 50)
  }
}

async function timePage (page: string, imagesMin: number): Promise<number> {
  const times: number[] = []
  for (let i = -WARM_UPS; i < 15; i++) {
    const startedAt = performance.now()
    const { images } = await (await fetch(page)).json() as { images: unknown[] }
    if (i >= 0) times.push(performance.now() - startedAt)
    assert.ok(images.length >= imagesMin, `${page} has ${images.length} images`)
  }
  return Math.round((times.sort((a, b) => a - b)[7] ?? Infinity) * 10) / 10
}
