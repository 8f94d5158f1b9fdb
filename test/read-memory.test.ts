// The memory that images are read into is used again, and no image has the bytes of another for that.

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Entry } from '../bridge/entry.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import { BodyCount } from '../bridge/objects/body-count.ts'
import type { PutOutcome } from '../bridge/objects/object-store.ts'
import type { Spool } from '../bridge/spool/spool.ts'
import { Adaptive } from '../bridge/uplink/adaptive.ts'
import { Allowance } from '../bridge/uplink/allowance.ts'
import { putEntry } from '../bridge/uplink/put.ts'
import { Uplink } from '../bridge/uplink/uplink.ts'
import { sha256 } from './helpers/bridge.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { startTestStore, storeAt } from './helpers/s3.ts'
import { arrivalOf, openTestSpool } from './helpers/spool.ts'

const IMAGE_BYTES = 100_000
const key = 'images/{deviceId}/{imageId}.{ext}'
const { signal } = new AbortController()

/** So many images in segments that are not filled any more: after a restart none is in LevelDB's memory. */
async function openFilledSpool (
  t: TestContext, count: number
): Promise<{ spool: Spool, entries: Entry[], images: Buffer[] }> {
  const { spool: first, directory } = await openTestSpool(t)
  const images = Array.from({ length: count }, () => jpegOf(IMAGE_BYTES))
  for (const [nth, image] of images.entries()) await first.append(arrivalOf('cam-1', `shot-${nth}`, image), image)
  await first.close()
  assert.ok((await readdir(join(directory, 'segments'))).length > 1)
  const { spool } = await openTestSpool(t, { directory })
  return { spool, images, entries: await spool.waiting(0, count) }
}

test('memory that was given back is read into again, and what was not given back keeps its image', async (t) => {
  const { spool, entries: [first, second, third], images } = await openFilledSpool(t, 12)
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  const one = await spool.payload(first)
  spool.giveBack(one)
  const two = await spool.payload(second)
  assert.equal(two.buffer, one.buffer)
  const three = await spool.payload(third)
  assert.notEqual(three.buffer, two.buffer)
  assert.deepEqual([two, three], images.slice(1, 3))
})

const ENDS: ReadonlyArray<readonly [what: string, outcome: PutOutcome, sentBytes: number, isSpent: boolean]> = [
  ['is free once the store has all of it', { kind: 'stored', etag: 'e' }, IMAGE_BYTES, true],
  ['stays where a store answers before it has all', { kind: 'stored', etag: 'e' }, IMAGE_BYTES - 1, false],
  ['stays where a put failed, for its bytes may still be on their way',
    { kind: 'unavailable', reason: 'timeout', detail: 'late' }, IMAGE_BYTES, false]
]

for (const [what, outcome, sentBytes, isSpent] of ENDS) {
  test(`the memory of an image ${what}`, async (t) => {
    const body = jpegOf(IMAGE_BYTES)
    const allowance = new Allowance(1e9)
    t.after(() => { allowance.close() })
    const countBody = (): BodyCount => {
      const count = new BodyCount()
      count.add(sentBytes)
      return count
    }
    const [store, adaptive] = [{ put: async () => outcome }, new Adaptive(1)]
    const deps = { store, allowance, adaptive, observe: () => {}, countBody }
    const entry = { sequence: 1, ...arrivalOf('cam-1', 'shot-1', body) }
    const end = await putEntry(deps, { entry, body, attempt: 1, template: key }, signal)
    assert.equal(end.isSpent, isSpent)
  })
}

test('of images that leave side by side each has its own bytes in the store', async (t) => {
  const { endpoint } = await startTestStore(t)
  const { store, agents } = storeAt(t, endpoint)
  const { spool, entries, images } = await openFilledSpool(t, 60)
  const memories = new Set<ArrayBufferLike>()
  const countBody = (body: Buffer): BodyCount | undefined => {
    memories.add(body.buffer)
    return agents.countBody(body)
  }
  const allowance = new Allowance(1e9)
  const outcomes = new Set<string>()
  const observe = (event: BridgeEvent): void => { if (event.kind === 'put-ended') outcomes.add(event.outcome) }
  const uplink = new Uplink({ spool, store, allowance, observe, countBody }, { key, concurrency: 4, retryShare: 0.1 })
  const stop = new AbortController()
  const running = uplink.run(stop.signal, stop.signal)
  await eventually(() => spool.ledger.uploaded === entries.length)
  stop.abort()
  await running
  allowance.close()
  assert.deepEqual([...outcomes], ['stored'], 'each was right when it came')
  assert.ok(memories.size < 20, `${entries.length} images went through ${memories.size} pieces of memory`)
  for (const [nth, image] of images.entries()) {
    const stored = await store.get(`images/cam-1/shot-${nth}.jpg`, signal)
    assert.equal(sha256(stored ?? Buffer.alloc(0)), sha256(image), `shot-${nth}`)
  }
})
