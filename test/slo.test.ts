import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Entry, Failure } from '../bridge/entry.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import type { Conditions } from '../bridge/slo/causes.ts'
import { Slo, type SloLevels } from '../bridge/slo/slo.ts'
import { Acceptance } from '../bridge/spool/acceptance.ts'
import type { Spool } from '../bridge/spool/spool.ts'
import { SpoolIndex } from '../bridge/spool/spool-index.ts'
import { rounds } from './faults/rounds.ts'
import { entryWith, upload } from './helpers/exposition.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { arrivalOf, makeTempDirectory, openTestSpool } from './helpers/spool.ts'

const START = Date.parse('2026-11-22T12:00:00Z')
const TARGET_MS = 10_000
const failure: Failure = { failedAt: START + 2000, reason: 'store_refused', detail: '', attempts: 1 }
const allWell: Conditions = { accepting: true, storeAway: false, paused: false, oldestReceivedAt: undefined }

interface Site {
  readonly spool: Spool
  readonly dataDir: string
  readonly events: BridgeEvent[]
  /** Ms since the beginning. */
  at: number
  conditions: Conditions
  slo: Slo
  /** Ends without a word, as a kill does, and starts anew. */
  restart (): Promise<void>
  lookAt (ms: number): Promise<SloLevels['verdicts']>
  append (ms: number, count?: number): Promise<Entry[]>
  upload (entry: Entry, ms: number): Promise<void>
}

async function siteOf (t: TestContext): Promise<Site> {
  const { spool } = await openTestSpool(t)
  const dataDir = await makeTempDirectory(t)
  const events: BridgeEvent[] = []
  const open = (): Promise<Slo> => Slo.open({
    acceptance: spool.acceptance,
    conditions: () => site.conditions,
    observe: (event) => { events.push(event) },
    now: () => START + site.at
  }, { dataDir, targetMs: TARGET_MS, objective: 0.99, everyMs: 0 })
  let images = 0
  const site: Site = {
    spool,
    dataDir,
    events,
    at: 0,
    conditions: allWell,
    slo: undefined as unknown as Slo, // set below, once there is a site to look at
    async restart () { site.slo = await open() },
    async lookAt (ms) {
      site.at = ms
      await site.slo.look()
      return site.slo.levels.verdicts
    },
    async append (ms, count = 1) {
      const entries = await Promise.all(Array.from({ length: count }, () => {
        const payload = jpegOf(500)
        return spool.append({ ...arrivalOf('cam-1', `i${images++}`, payload), receivedAt: START + ms }, payload)
      }))
      await eventually(() => spool.acceptance.last >= images) // the index follows the segments
      return entries
    },
    async upload (entry, ms) {
      const uploaded = { ...upload, uploadedAt: START + ms }
      await spool.markUploaded(entry, uploaded)
      site.slo.observe({ kind: 'entry-uploaded', entry, upload: uploaded, seconds: (START + ms - entry.receivedAt) / 1000 })
    }
  }
  await site.restart()
  t.after(() => site.slo.close())
  return site
}

test('with the store away an image is late at its deadline, once, while nothing is uploaded', async (t) => {
  const site = await siteOf(t)
  await site.append(0, 3)
  await site.append(500)
  assert.deepEqual(await site.lookAt(9_999), { good: 0, late: 0, failed: 0 })
  assert.deepEqual(await site.lookAt(10_000), { good: 0, late: 3, failed: 0 })
  assert.deepEqual(await site.lookAt(10_500), { good: 0, late: 4, failed: 0 })
  assert.deepEqual(await site.lookAt(60_000), { good: 0, late: 4, failed: 0 })
})

test('a late image that is uploaded after all is not good as well, and its latency is known', async (t) => {
  const site = await siteOf(t)
  const [late, lost] = await site.append(0, 2)
  assert.ok(late !== undefined && lost !== undefined)
  await site.lookAt(10_000)
  await site.upload(late, 40_000)
  assert.deepEqual(await site.lookAt(60_000), { good: 0, late: 2, failed: 0 })
  const { images, latencySeconds, share } = await site.slo.describe('2026-11', 1)
  assert.deepEqual(images, { judged: 2, good: 0, late: 2, failed: 0, notArrived: 1 })
  assert.equal(share, 0)
  assert.ok(Math.abs((latencySeconds.p50 ?? 0) - 40) < 1.5, `${latencySeconds.p50}`)
  assert.equal(latencySeconds.p99, null) // one of the two never came
})

test('a restart neither counts an image twice nor leaves one out, whatever happened before it and meanwhile', async (t) => {
  const site = await siteOf(t)
  const [good] = await site.append(0, 3)
  assert.ok(good !== undefined)
  await site.upload(good, 3_000)
  assert.deepEqual(await site.lookAt(10_000), { good: 1, late: 2, failed: 0 })
  const [young] = await site.append(11_000, 2)
  assert.ok(young !== undefined)
  await site.upload(young, 12_000)
  site.at = 15_000
  await site.restart() // no verdict on the last two yet
  assert.deepEqual(site.slo.levels.verdicts, { good: 0, late: 0, failed: 0 })
  site.at = 90_000
  await site.restart() // by now both have reached their deadline
  assert.deepEqual(site.slo.levels.verdicts, { good: 1, late: 1, failed: 0 })
  assert.deepEqual(site.slo.levels.causes, { store_away: 0, paused: 0, stopped: 1, line: 0 })
  assert.deepEqual(await site.lookAt(200_000), { good: 1, late: 1, failed: 0 })
  const { images } = await site.slo.describe('2026-11', 3)
  assert.deepEqual(images, { judged: 5, good: 2, late: 3, failed: 0, notArrived: 3 })
})

test('what was set aside or deleted before its deadline failed, and a retry does not count it again', async (t) => {
  const site = await siteOf(t)
  const [aside, again, deleted] = await site.append(0, 3)
  assert.ok(aside !== undefined && again !== undefined && deleted !== undefined)
  await site.spool.setAside(aside, failure)
  await site.spool.setAside(again, failure)
  await site.spool.drop(deleted)
  assert.deepEqual(await site.lookAt(10_000), { good: 0, late: 0, failed: 3 })
  await site.spool.retry(again)
  await site.upload(again, 30_000)
  assert.deepEqual(await site.lookAt(60_000), { good: 0, late: 0, failed: 3 })
  assert.equal((await site.slo.describe('2026-11', 2)).images.notArrived, 2)
})

test('lateness has a cause, and what an outage has left behind is late because of it', async (t) => {
  const site = await siteOf(t)
  await site.append(0)
  site.conditions = { ...allWell, storeAway: true, oldestReceivedAt: START }
  await site.lookAt(10_000)
  await site.append(11_000)
  site.conditions = { ...allWell, oldestReceivedAt: START } // the store is back, its backlog is not gone
  await site.lookAt(21_000)
  await site.append(22_000)
  site.conditions = allWell // caught up with
  await site.lookAt(31_900)
  await site.lookAt(32_000)
  assert.deepEqual(site.slo.levels.causes, { store_away: 2, paused: 0, stopped: 0, line: 1 })
})

test('where what is counted cannot be kept it goes on, says so once, and is kept later', async (t) => {
  const site = await siteOf(t)
  await site.append(0, 2)
  await rm(join(site.dataDir, 'slo'), { recursive: true })
  await writeFile(join(site.dataDir, 'slo'), 'in the way')
  assert.deepEqual(await site.lookAt(10_000), { good: 0, late: 2, failed: 0 })
  await site.lookAt(11_000)
  assert.deepEqual(site.events.map(({ kind }) => kind), ['slo-not-kept'])
  await rm(join(site.dataDir, 'slo'))
  await mkdir(join(site.dataDir, 'slo'))
  await site.lookAt(12_000)
  await site.restart()
  assert.deepEqual(await site.lookAt(60_000), { good: 0, late: 0, failed: 0 })
})

test('a book that is damaged is put aside and begun anew, with nothing of before judged again', async (t) => {
  const site = await siteOf(t)
  await site.append(0, 2)
  await site.lookAt(10_000)
  await writeFile(join(site.dataDir, 'slo', 'state.json'), '{"v":1,"cursor":0')
  await site.restart()
  await site.append(11_000)
  assert.deepEqual(await site.lookAt(60_000), { good: 0, late: 1, failed: 0 })
  assert.match(JSON.stringify(site.events), /state\.json\.damaged/)
})

test('a month that is over is read from its file, and an hour that was written twice counts once', async (t) => {
  const site = await siteOf(t)
  const hour = 3_600_000
  await site.append(0, 2)
  await site.lookAt(10_000)
  await site.lookAt(3 * hour) // the first hour is over
  await site.append(3 * hour)
  await site.lookAt(3 * hour + 10_000)
  await site.lookAt(14 * 24 * hour)
  const { images, worstHours, seconds } = await site.slo.describe('2026-11', 3)
  assert.deepEqual(images, { judged: 3, good: 0, late: 3, failed: 0, notArrived: 3 })
  assert.deepEqual(worstHours.map(({ at, missed, cause }) => [at, missed, cause]), [
    ['2026-11-22T12:00:00.000Z', 2, 'line'], ['2026-11-22T15:00:00.000Z', 1, 'line']
  ])
  assert.equal(seconds.known, (8 * 24 + 12) * 3600)
  assert.equal((await site.slo.describe('2026-12', 3)).images.judged, 0)
})

/** The figures of docs and reports are those of the long run. */
const many = rounds({ fast: 10_000, long: 100_000 })

test('one look costs the same however many images wait', async (t) => {
  const looked = await Promise.all([100, many].map((waiting) => costOf(t, waiting)))
  t.diagnostic(looked.map(({ rows, ms }) => `${rows} rows, ${ms.toFixed(2)} ms`).join('; '))
  assert.deepEqual(looked.map(({ rows }) => rows), [10, 10])
  assert.deepEqual(looked.map(({ late }) => late), [110, many + 10])
})

/** What a look reads once all that waited before is judged, and ten images more have come to their deadline. */
async function costOf (t: TestContext, waiting: number): Promise<{ rows: number, ms: number, late: number }> {
  const index = await SpoolIndex.open(await makeTempDirectory(t), () => {})
  t.after(() => index.close())
  let at = START
  let rows = 0
  const page = new Acceptance({
    readable: () => index.readable(),
    nextRow: (after) => index.nextRow(after),
    get lastSequence () { return index.lastSequence },
    locate (sequence) {
      rows++
      return index.locate(sequence)
    }
  }, new Set())
  const dataDir = await makeTempDirectory(t)
  const slo = await Slo.open({ acceptance: page, conditions: () => allWell, observe: () => {}, now: () => at },
    { dataDir, targetMs: TARGET_MS, objective: 0.99, everyMs: 0 })
  t.after(() => slo.close())
  const take = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () =>
      index.taken(entryWith({ sequence: index.nextSequence(), receivedAt: at }), 1)))
  }
  for (let taken = 0; taken < waiting; taken += 2000) await take(Math.min(2000, waiting))
  at += TARGET_MS
  await slo.look()
  await take(10)
  at += TARGET_MS
  rows = 0
  const startedAt = performance.now()
  await slo.look()
  const ms = performance.now() - startedAt
  return { rows, ms, late: slo.levels.verdicts.late }
}
