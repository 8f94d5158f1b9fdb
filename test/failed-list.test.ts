// The failed list: why an image failed, first and last, and what is done with many at once.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ImageJson } from '../bridge/http/image-json.ts'
import { Spool } from '../bridge/spool/spool.ts'
import { runSluice } from './helpers/command.ts'
import { ask, keep, startSite, type TestSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { makeTempDirectory, openTestSpool, spoolOptions } from './helpers/spool.ts'

/** Six failed images of two devices, three of them too large, and one that waits. */
async function failSome (t: TestContext): Promise<TestSite> {
  const site = await startSite(t)
  for (let i = 0; i < 6; i++) {
    const entry = await keep(site.spool, i < 4 ? 'cam-1' : 'cam-2', `i${i}`, jpegOf(1000))
    const reason = i % 2 === 0 ? 'too_large' : 'store_server_error'
    await site.spool.setAside(entry, { failedAt: Date.now(), reason, detail: 'it says so', attempts: 8 })
  }
  await keep(site.spool, 'cam-1', 'waits', jpegOf(1000))
  return site
}

async function request (
  site: TestSite, method: string, path: string, body?: string
): Promise<{ status: number, json: Record<string, unknown> }> {
  const { status, body: text } = await ask(`${site.url}${path}`, { method }, body)
  return { status, json: JSON.parse(text) as Record<string, unknown> }
}

/** What it printed and what it said. */
async function command (args: readonly string[]): Promise<{ code: number, said: string }> {
  const { code, stdout, stderr } = await runSluice(args)
  return { code, said: stdout + stderr }
}

test('a dry run says how many would be tried again and for which reasons, and does nothing', async (t) => {
  const site = await failSome(t)
  const expected = { dryRun: true, matched: 4, bytes: 4000, reasons: { too_large: 2, store_server_error: 2 } }
  const asked = await request(site, 'POST', '/api/v1/images/retry?device=cam-1&dryRun=true')
  assert.deepEqual([asked.status, asked.json], [200, expected])
  const told = await request(site, 'POST', '/api/v1/images/retry', JSON.stringify({ device: 'cam-1', dryRun: true }))
  assert.deepEqual([told.status, told.json], [200, expected])
  assert.equal(site.spool.ledger.failed, 6)
})

test('only what the filter matches is tried again, and without a filter all that has failed', async (t) => {
  const site = await failSome(t)
  const retried = async (query: string): Promise<unknown> =>
    (await request(site, 'POST', `/api/v1/images/retry${query}`)).json['retried']
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  assert.equal(await retried('?reason=no_such_reason'), 0)
  assert.equal(await retried(`?from=${tomorrow}`), 0)
  assert.equal(await retried('?state=failed&reason=too_large&device=cam-2'), 1)
  assert.equal(await retried('?reason=too_large'), 2)
  assert.equal(await retried(`?to=${tomorrow}&device=cam-1`), 2)
  assert.equal(await retried(''), 1)
  assert.deepEqual([site.spool.ledger.failed, site.spool.ledger.waiting], [0, 7])
})

test('a filter that is not understood is refused, and nothing happens to what it did not name', async (t) => {
  const site = await failSome(t)
  const wrong = [
    '?raeson=too_large', '?reason=', '?reason=a&reason=b', '?state=waiting', '?dryRun=yes', '?device=a/b', '?limit=5'
  ]
  for (const query of wrong) {
    const { status } = await request(site, 'POST', `/api/v1/images/retry${query}`)
    assert.equal(status, 400, query)
    assert.equal((await request(site, 'DELETE', `/api/v1/images${query}`)).status, 400, query)
  }
  const long = `{"reason":"${'x'.repeat(20_000)}"}`
  for (const body of ['[]', '{', '"too_large"', '{"reason":{}}', '{"raeson":"too_large"}', long]) {
    assert.equal((await request(site, 'POST', '/api/v1/images/retry', body)).status, 400, body.slice(0, 40))
  }
  assert.equal((await request(site, 'DELETE', '/api/v1/images?confirm=many')).status, 400)
  assert.equal(site.spool.ledger.failed, 6)
})

test('many are deleted only where the number that was confirmed is the number that matches', async (t) => {
  const site = await failSome(t)
  for (const query of ['?reason=too_large', '?reason=too_large&confirm=2', '?reason=too_large&confirm=0', '?confirm=3']) {
    const { status, json } = await request(site, 'DELETE', `/api/v1/images${query}`)
    assert.equal(status, 409, query)
    assert.match(String(json['detail']), query === '?confirm=3' ? /^6 images match/ : /^3 images match \(3 too_large\)/)
  }
  assert.equal(site.spool.ledger.failed, 6)
  const { status, json } = await request(site, 'DELETE', '/api/v1/images?reason=too_large&confirm=3')
  assert.deepEqual([status, json], [200, { dropped: 3 }])
  assert.deepEqual(site.spool.ledger, { acknowledged: 7, uploaded: 0, waiting: 1, failed: 3, dropped: 3 })
  const left = (await request(site, 'GET', '/api/v1/images?state=failed')).json['images'] as ImageJson[]
  assert.deepEqual(left.map(({ reason }) => reason), Array(3).fill('store_server_error'))
})

test('whoever may not delete one image may not retry or delete many', async (t) => {
  const site = await startSite(t, { http: { token: 'opensesame' } })
  const many = [['POST', '/api/v1/images/retry?dryRun=true'], ['DELETE', '/api/v1/images?confirm=0']] as const
  for (const [method, path] of many) {
    assert.equal((await request(site, method, path)).status, 401, path)
    const headers = { authorization: 'Bearer opensesame' }
    assert.equal((await ask(`${site.url}${path}`, { method, headers })).status, 200, path)
  }
})

test('first and last failure are kept with an image, over a restart, and shown', async (t) => {
  const directory = await makeTempDirectory(t)
  const { spool } = await openTestSpool(t, { directory })
  const entry = await keep(spool, 'cam-1', 'one', jpegOf(1000))
  const first = { failedAt: Date.parse('2026-11-03T06:00:00Z'), reason: 'timeout', detail: 'no answer' }
  const failure = { failedAt: Date.now(), reason: 'too_large', detail: 'EntityTooLarge', attempts: 9, first, store: 'abc' }
  await spool.setAside(entry, failure)
  await spool.close()
  const again = await Spool.open(spoolOptions(directory), () => {})
  t.after(() => again.close())
  const held = await again.find(entry.deviceId, entry.imageId)
  assert.deepEqual(held?.state === 'failed' && held.failure, failure)
})

test('the command says what a dry run found, deletes by a counted confirmation, and refuses what is unclear', async (t) => {
  const site = await failSome(t)
  const images = async (...args: string[]): Promise<{ code: number, said: string }> =>
    await command(['images', ...args, '--url', site.url])
  const dry = await images('retry', '--state', 'failed', '--reason', 'too_large', '--dry-run')
  const found = '3 images match (3 too_large), 3 kB in all; nothing was tried again, this was a dry run'
  assert.deepEqual(dry, { code: 0, said: found })
  const uncounted = await images('delete', '--reason', 'too_large', '--confirm', '12')
  assert.equal(uncounted.code, 64)
  assert.match(uncounted.said, /3 images match \(3 too_large\), and 12 were confirmed; .*--confirm 3/)
  assert.deepEqual(await images('delete', '--reason', 'too_large', '--confirm', '3'), { code: 0, said: '3 images deleted' })
  assert.deepEqual(await images('retry', '--device', 'cam-1'), { code: 0, said: '2 images to be tried again' })
  const one = 'cam-1:i1'
  for (const unclear of [['delete'], ['retry'], ['delete', one, '--reason', 'x'], ['retry', one, '--dry-run']]) {
    assert.equal((await images(...unclear)).code, 64, unclear.join(' '))
  }
  assert.deepEqual(site.spool.ledger, { acknowledged: 7, uploaded: 0, waiting: 3, failed: 1, dropped: 3 })
})
