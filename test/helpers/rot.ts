// A spool as it is found after a while of work, and what a disk can do to it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, open, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Entry } from '../../bridge/entry.ts'
import type { BridgeEvent } from '../../bridge/events.ts'
import { EntryCorrupt } from '../../bridge/spool/errors.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import type { Random } from '../../device-sim/random.ts'
import { eventually } from './eventually.ts'
import { arrivalOf, makeTempDirectory, spoolOptions } from './spool.ts'

export const options = { segmentBytes: 250_000, openSegmentsMax: 2, activeSegmentsMax: 1, batchBytesMax: 100_000 }
export const upload = { uploadedAt: 1, bucket: 'b', key: 'k', etag: 'e', sha256: 's' }
const refused = { failedAt: 1, reason: 'store_refused', detail: 'no', attempts: 1 }
const IMAGES = 24

export interface Worked {
  readonly directory: string
  /** What was acknowledged, by image id. */
  readonly payloads: ReadonlyMap<string, Buffer>
  /** Image ids of what left, and of what failed, before anything rotted. */
  readonly left: ReadonlySet<string>
  readonly failed: ReadonlySet<string>
}

/**
 * Images wait in several segments, some have left, two have failed, and the index has tables and a log. Closed, or
 * as kill -9 leaves it.
 */
export async function workedSpool (t: TestContext, end: 'closed' | 'killed' = 'closed'): Promise<Worked> {
  const directory = await makeTempDirectory(t)
  const payloads = new Map<string, Buffer>()
  const append = async (spool: Spool, from: number, to: number): Promise<void> => {
    for (let nth = from; nth < to; nth++) payloads.set(`i${nth}`, randomBytes(20_000 + nth * 1500))
    await Promise.all([...payloads].slice(from).map(([id, payload]) => spool.append(arrivalOf('cam-1', id, payload), payload)))
  }
  const first = await Spool.open(spoolOptions(directory, options), () => {})
  await append(first, 0, IMAGES / 2)
  await first.close()
  const empty = (await readdir(join(directory, 'segments'))).sort().at(-1) ?? '' // opened ahead, and never needed
  const second = await Spool.open(spoolOptions(directory, options), () => {})
  await append(second, IMAGES / 2, IMAGES)
  const [a, b, , c, , d] = await second.waiting(0, 10)
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined)
  for (const entry of [a, c]) await second.markUploaded(entry, upload)
  for (const entry of [b, d]) await second.setAside(entry, refused)
  const names = (entries: readonly Entry[]) => new Set(entries.map(({ imageId }) => String(imageId)))
  const worked = { payloads, left: names([a, c]), failed: names([b, d]) }
  if (end === 'closed') {
    await second.close()
    return { ...worked, directory }
  }
  const gone = async (): Promise<boolean> =>
    !(await readdir(join(directory, 'segments'))).some((name) => name.startsWith(empty))
  await eventually(gone, { what: 'the removal of the empty segment', timeoutMs: 20_000 }) // nothing moves afterwards
  const killed = await copyOf(t, { ...worked, directory }) // what is written is on the page cache, as after kill -9
  await second.close()
  return killed
}

export async function copyOf (t: TestContext, worked: Worked): Promise<Worked> {
  const directory = await makeTempDirectory(t)
  await cp(worked.directory, directory, { recursive: true })
  return { ...worked, directory }
}

/** Flips one bit, and proves it. */
export async function flip (path: string, at: number, bit: number): Promise<void> {
  const before = await readFile(path)
  const file = await open(path, 'r+')
  try {
    await file.write(Buffer.from([before.readUInt8(at) ^ (1 << bit)]), 0, 1, at)
  } finally {
    await file.close()
  }
  assert.notDeepEqual(await readFile(path), before)
}

export type Harm = (path: string, random: Random) => Promise<string>

export const harms: Readonly<Record<'flipped' | 'cut' | 'gone', Harm>> = {
  async flipped (path, random) {
    const { length } = await readFile(path)
    const at = Math.floor(random() * length)
    await flip(path, at, Math.floor(random() * 8))
    return `a bit of byte ${at} of ${length} is flipped`
  },
  async cut (path, random) {
    const { length } = await readFile(path)
    const left = Math.floor(random() * length)
    await truncate(path, left)
    assert.equal((await readFile(path)).length, left)
    return `${left} of ${length} bytes are left`
  },
  async gone (path) {
    await rm(path)
    await assert.rejects(readFile(path), { code: 'ENOENT' })
    return 'it is gone'
  }
}

/** Files that hold something, below a directory of the spool. */
export async function filesBelow (directory: string, pattern: RegExp): Promise<string[]> {
  const paths = (await readdir(directory, { recursive: true })).filter((path) => pattern.test(path)).sort()
  const sizes = await Promise.all(paths.map(async (path) => (await readFile(join(directory, path))).length))
  return paths.filter((_, nth) => (sizes[nth] ?? 0) > 0).map((path) => join(directory, path))
}

export interface Outcome {
  readonly spool: Spool
  readonly events: readonly BridgeEvent[]
  /** Image ids. */
  readonly sent: ReadonlySet<string>
  readonly corrupt: ReadonlySet<string>
  close (): Promise<void>
}

/** Starts on the spool and sends what waits, as the uplink does. */
export async function sendAll (t: TestContext, { directory, payloads }: Worked): Promise<Outcome> {
  const events: BridgeEvent[] = []
  const spool = await Spool.open(spoolOptions(directory, options), (event) => { events.push(event) })
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => { await (closing ??= spool.close()) }
  t.after(close)
  const sent = new Set<string>()
  const corrupt = new Set<string>()
  for (const entry of await spool.waiting(0, 1000)) {
    try {
      const payload = await spool.payload(entry)
      assert.ok(payloads.get(entry.imageId)?.equals(payload), `${entry.imageId} would be sent altered`)
      sent.add(entry.imageId)
      await spool.markUploaded(entry, upload)
    } catch (error) {
      if (!(error instanceof EntryCorrupt)) throw error
      await spool.setAside(entry, { failedAt: 1, reason: error.code, detail: error.message, attempts: 1 })
      corrupt.add(entry.imageId)
    }
  }
  return { spool, events, sent, corrupt, close }
}

/** Each image with a PUBACK is in the store byte for byte, or failed in the ledger by its name. */
export async function assertHeld ({ payloads, left, failed }: Worked, outcome: Outcome, what: string): Promise<void> {
  const { spool, sent } = outcome
  const { held } = await spool.list({ state: 'failed', limit: 1000 })
  const named = new Set(held.map(({ entry }) => String(entry.imageId)))
  const lost = [...payloads.keys()].filter((id) => !left.has(id) && !sent.has(id) && !named.has(id))
  assert.deepEqual(lost, [], what)
  for (const id of failed) assert.ok(named.has(id) || sent.has(id), `${what}: ${id} had failed`)
  const ledger = spool.ledger
  assert.equal(ledger.acknowledged, ledger.uploaded + ledger.waiting + ledger.failed + ledger.dropped, what)
  assert.equal(ledger.failed, named.size, what)
  assert.equal(ledger.waiting, 0, what)
}
