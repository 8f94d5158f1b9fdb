// What deciding on the next image costs, by how many wait: a scheduler over a real index, without payloads.

import { join } from 'node:path'
import { parseDeviceId, parseImageId } from '../broker/topics.ts'
import type { Entry } from '../bridge/entry.ts'
import { Backlog } from '../bridge/spool/backlog.ts'
import { SpoolIndex } from '../bridge/spool/spool-index.ts'
import type { Order } from '../bridge/uplink/lane-queue.ts'
import { Scheduler, SCHEDULER_DEFAULTS } from '../bridge/uplink/scheduler.ts'
import { withTempDirectory } from './subject.ts'

export interface PickRow {
  readonly order: Order
  readonly rows: number
  /** Of one pick, what it reads ahead included: the median over the rounds. */
  readonly microseconds: number
  /** Of the cost at the fewest rows. */
  readonly ratio: number
}

const ORDERS: readonly Order[] = ['fair', 'oldest', 'newest', 'newest-per-device']
const DEVICES = 100
const ROUNDS = 40
const PICKS = 5 // a round; the images of all rounds and orders are fewer than the fewest rows
const WRITTEN_TOGETHER = 1000

/** Every size is measured in turn in each round, so that what else the machine does falls on all of them. */
export async function benchPick (sizes: readonly number[]): Promise<PickRow[]> {
  return await withTempDirectory(async (directory) => {
    const locations = sizes.map((rows) => join(directory, String(rows)))
    for (const [at, rows] of sizes.entries()) await fill(locations[at] ?? '', rows)
    const results: PickRow[] = []
    for (const order of ORDERS) { // opened for each, because a scheduler is told once what there is
      const indexes = await Promise.all(locations.map((location) => SpoolIndex.open(location, () => {})))
      const times = await measure(indexes, order)
      for (const index of indexes) await index.close()
      const costs = times.map((one) => one.sort((a, b) => a - b)[Math.floor(one.length / 2)] ?? NaN)
      results.push(...sizes.map((rows, at) =>
        ({ order, rows, microseconds: costs[at] ?? NaN, ratio: (costs[at] ?? NaN) / (costs[0] ?? NaN) })))
    }
    return results
  })
}

async function fill (location: string, rows: number): Promise<void> {
  const index = await SpoolIndex.open(location, () => {})
  for (let from = 1; from <= rows; from += WRITTEN_TOGETHER) {
    const count = Math.min(WRITTEN_TOGETHER, rows + 1 - from)
    await Promise.all(Array.from({ length: count }, (_, nth) => index.taken(entryOf(from + nth), 1)))
  }
  await index.close()
}

async function measure (indexes: readonly SpoolIndex[], order: Order): Promise<number[][]> {
  const subjects = indexes.map((index) => ({ index, scheduler: schedulerOf(index, order), times: [] as number[] }))
  for (let round = -3; round < ROUNDS; round++) { // the first rounds warm up what is compiled and cached
    for (const { index, scheduler, times } of subjects) {
      const picked: Entry[] = []
      const startedAt = performance.now()
      for (let nth = 0; nth < PICKS; nth++) picked.push(await next(scheduler))
      if (round >= 0) times.push((performance.now() - startedAt) * 1000 / PICKS)
      await Promise.all(picked.map((entry) => index.uploaded(entry.sequence, UPLOAD)))
      for (const entry of picked) scheduler.done(entry)
    }
  }
  return subjects.map(({ times }) => times)
}

function schedulerOf (index: SpoolIndex, order: Order): Scheduler {
  const backlog = new Backlog({
    index,
    active: { segment: () => undefined },
    shelf: { use: async () => {} }
  })
  return new Scheduler({ changes: 0, changed: async () => {}, backlog }, { ...SCHEDULER_DEFAULTS, order })
}

async function next (scheduler: Scheduler): Promise<Entry> {
  const entry = await scheduler.next(new AbortController().signal)
  if (entry === undefined) throw new Error('nothing waits any more')
  return entry
}

const UPLOAD = { uploadedAt: 1, bucket: 'images', key: 'images/cam-1/2026/11/03/i.jpg', etag: 'e', sha256: 'ab'.repeat(32) }

function entryOf (sequence: number): Entry {
  const deviceId = parseDeviceId(`cam-${sequence % DEVICES}`)
  const imageId = parseImageId(`20261103-060000-${sequence}`)
  if (deviceId === undefined || imageId === undefined) throw new Error('not an id')
  return {
    sequence,
    deviceId,
    imageId,
    bytes: 250_000,
    crc32: 123_456_789,
    sha256: undefined,
    contentType: 'image/jpeg',
    sourceTopic: `devices/${deviceId}/images/${imageId}`,
    capturedAt: undefined,
    receivedAt: 1_793_685_600_000 + sequence,
    meta: undefined
  }
}
