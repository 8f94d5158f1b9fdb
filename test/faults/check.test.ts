// `sluice check` reads a spool that nobody has open, tells the truth about it and changes nothing.

import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Level } from 'level'
import { inspectSpool, isWell, type SpoolReport } from '../../bridge/spool/inspect.ts'
import { formatSequence } from '../../bridge/spool/segment.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { repairSpool } from '../../bridge/spool/repair.ts'
import { createRandom } from '../../device-sim/random.ts'
import { hashFiles } from '../helpers/bridge.ts'
import { startService } from '../helpers/process.ts'
import { assertHeld, copyOf, filesBelow, flip, harms, options, sendAll, workedSpool, type Worked } from '../helpers/rot.ts'
import { spoolOptions } from '../helpers/spool.ts'
import { runSluice } from '../helpers/sluice.ts'
import { rounds } from './rounds.ts'
import { seedOf } from './seed.ts'

interface Finding {
  readonly verdict: string
  readonly what: string
  readonly detail: string
  readonly spool?: SpoolReport
}

async function check (
  t: TestContext, directory: string, more: readonly string[] = []
): Promise<{ code: number | null, findings: readonly Finding[], report: SpoolReport | undefined }> {
  const { code, stdout, stderr } = await runSluice(t, ['check', '--json', '--spool-dir', directory,
    '--mqtt-listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0', ...more])
  assert.notEqual(stdout, '', stderr)
  const findings = JSON.parse(stdout) as Finding[]
  return { code, findings, report: findings.find(({ spool }) => spool !== undefined)?.spool }
}

/** Flips a bit of an image that waits; answers which. */
async function rotOne ({ directory, payloads, left, failed }: Worked): Promise<string> {
  const id = [...payloads.keys()].find((id) => !left.has(id) && !failed.has(id)) ?? ''
  const head = payloads.get(id)?.subarray(0, 64) ?? ''
  for (const log of await filesBelow(join(directory, 'segments'), /\.log$/)) {
    const at = (await readFile(log)).indexOf(head)
    if (at >= 0) await flip(log, at + 7, 3)
  }
  return id
}

test('a check of a sound spool ends with 0, counts every image and changes no byte of it', async (t) => {
  for (const end of ['closed', 'killed'] as const) {
    const { directory } = await workedSpool(t, end)
    const before = await hashFiles(directory)
    const { code, report } = await check(t, directory)
    assert.equal(code, 0)
    assert.deepEqual(report?.ledger, { acknowledged: 24, uploaded: 2, waiting: 20, failed: 2, dropped: 0, exact: true })
    assert.equal(report.sound, 24)
    assert.deepEqual(await hashFiles(directory), before)
  }
})

test('a check names the image, the device and the segment that rotted, ends with 74 and changes no byte', async (t) => {
  const worked = await workedSpool(t)
  const id = await rotOne(worked)
  const before = await hashFiles(worked.directory)
  const { code, report } = await check(t, worked.directory)
  assert.equal(code, 74)
  assert.deepEqual(report?.damaged.map(({ deviceId, imageId }) => `${deviceId}/${imageId}`), [`cam-1/${id}`])
  assert.equal(report.sound, 23)
  assert.deepEqual(await hashFiles(worked.directory), before)
})

test('a repair does what a start would do and says so; what it leaves is well, and nothing but the rot has failed', async (t) => {
  const worked = await workedSpool(t)
  const id = await rotOne(worked)
  await rm(join(worked.directory, 'index', 'CURRENT'))
  assert.equal((await check(t, worked.directory)).code, 74)
  const { code, findings } = await check(t, worked.directory, ['--repair'])
  assert.equal(code, 0, JSON.stringify(findings))
  const said = findings.filter(({ what }) => what === 'repair').map(({ detail }) => detail).join('\n')
  assert.match(said, /index\): CURRENT is not there; it is made again from the segments/)
  assert.match(said, new RegExp(`set cam-1/${id} aside as failed \\(corrupt`))
  const after = await check(t, worked.directory)
  assert.equal(after.code, 0)
  const ledger = { acknowledged: 24, uploaded: 0, waiting: 21, failed: 3, dropped: 0, exact: true }
  assert.deepEqual(after.report?.ledger, ledger)
  assert.ok(after.findings.some(({ what, detail }) => what === 'kept' && detail.includes('index.damaged')))
  const outcome = await sendAll(t, worked)
  assert.equal(outcome.corrupt.size, 0)
  await assertHeld(worked, outcome, id)
})

test('whatever rots, a check changes nothing, and after a repair it finds nothing and every image is held', async (t) => {
  const random = createRandom(seedOf(t))
  const worked = await workedSpool(t, 'killed')
  for (let round = 0; round < rounds({ fast: 3, long: 60 }); round++) {
    const copy = await copyOf(t, worked)
    const files = await filesBelow(copy.directory, /\.log$|\.ldb$|CURRENT$|MANIFEST-\d+$/)
    const path = files[Math.floor(random() * files.length)] ?? ''
    const harm = [harms.flipped, harms.cut, harms.gone][round % 3] ?? harms.cut
    const what = `${path}: ${await harm(path, random)}`
    const before = await hashFiles(copy.directory)
    await inspectSpool(copy.directory)
    assert.deepEqual(await hashFiles(copy.directory), before, what)
    await repairSpool(spoolOptions(copy.directory, options), () => {})
    const report = await inspectSpool(copy.directory)
    assert.ok(report !== undefined && isWell(report), `${what}: ${JSON.stringify(report)}`)
    const outcome = await sendAll(t, copy)
    assert.equal(outcome.corrupt.size, 0, what)
    await assertHeld(copy, outcome, what)
    await outcome.close()
  }
})

test('while the service runs a check and a repair refuse in a sentence, and the service goes on', async (t) => {
  const service = await startService(t)
  const directory = join(service.dataDir, 'spool')
  const { code, findings } = await check(t, directory)
  assert.equal(code, 69)
  assert.ok(findings.some(({ detail }) => /in use by another process: stop that one/.test(detail)))
  const repair = await runSluice(t, ['check', '--repair', '--spool-dir', directory])
  assert.equal(repair.code, 69)
  assert.match(repair.stderr, /in use by another process/)
  assert.equal((await service.status()).accepting, true)
})

test('a check sees the record of a waiting image that has rotted, and the bytes of a failed one that are gone', async (t) => {
  const worked = await workedSpool(t)
  const before = await inspectSpool(worked.directory)
  assert.ok(before !== undefined && isWell(before))
  const [failed = ''] = [...worked.failed]
  const [waiting = ''] = [...worked.payloads.keys()].filter((id) => !worked.left.has(id) && !worked.failed.has(id))
  for (const log of await filesBelow(join(worked.directory, 'segments'), /\.log$/)) {
    const at = (await readFile(log)).indexOf(`"imageId":"${waiting}"`)
    if (at >= 0) await flip(log, at + 12, 0)
  }
  const { spool, close } = await sendNothing(worked.directory)
  const entry = (await spool.list({ state: 'failed', limit: 9 })).held.find((held) => held.entry.imageId === failed)?.entry
  assert.ok(entry !== undefined)
  await close()
  const db = new Level(join(worked.directory, 'set-aside'))
  await db.del(`p${formatSequence(entry.sequence)}`, { sync: true })
  await db.close()
  const after = await inspectSpool(worked.directory)
  assert.ok(after?.damages.some((damage) => damage.includes(`the record of cam-1/${waiting} is damaged`)), after?.damages.join())
  assert.deepEqual(after?.damaged.map(({ imageId, segment }) => [String(imageId), segment]), [[failed, 0]])
})

async function sendNothing (directory: string): Promise<{ spool: Spool, close: () => Promise<void> }> {
  const spool = await Spool.open(spoolOptions(directory, options), () => {})
  return { spool, close: () => spool.close() }
}
