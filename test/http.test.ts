import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Status } from '../bridge/status.ts'
import { eventually } from './helpers/eventually.ts'
import { ask, keep, openRaw, startSite, type TestSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const requests = ({ events }: TestSite): Array<[string, number]> =>
  events.flatMap((event) => event.kind === 'http-request' ? [[event.route, event.code] as [string, number]] : [])

test('the status is exact: what was acknowledged is uploaded, waiting, failed or dropped', async (t) => {
  const site = await startSite(t)
  for (let i = 0; i < 6; i++) {
    const entry = await keep(site.spool, 'cam-1', `i${i}`, jpegOf(1000))
    if (i === 0) await site.spool.drop(entry)
    if (i === 1) await site.spool.setAside(entry, { failedAt: 1, reason: 'r', detail: 'd', attempts: 1 })
  }
  const status = JSON.parse((await ask(`${site.url}/api/v1/status`)).body) as Status
  assert.deepEqual(status.ledger, { acknowledged: 6, uploaded: 0, waiting: 4, failed: 1, dropped: 1, exact: true })
  assert.deepEqual(status.images.waiting, { count: 4, bytes: 4000 })
  assert.deepEqual(status.images.failed, { count: 1, bytes: 1000 })
  assert.equal(status.version, '1.2.3')
  assert.equal(status.accepting, true)
  assert.equal(status.verdict.word, 'KEEPING UP')
})

test('ready means that devices can be served: not when the spool is full, and not while stopping', async (t) => {
  const site = await startSite(t, { spool: { limitBytes: 1_000_000 } })
  assert.deepEqual([(await ask(`${site.url}/readyz`)).status, (await ask(`${site.url}/livez`)).status], [200, 200])
  for (let i = 0; site.spool.levels.paused === undefined; i++) {
    await keep(site.spool, 'cam-1', `i${i}`, jpegOf(450_000)).catch(() => {})
  }
  const full = await ask(`${site.url}/readyz`)
  assert.equal(full.status, 503)
  assert.match(full.body, /"reason": "spool_full"/)
  site.stop()
  const stopping = await ask(`${site.url}/readyz`)
  assert.equal(stopping.status, 503)
  assert.match(stopping.body, /"reason": "shutdown"/)
  assert.equal((await ask(`${site.url}/livez`)).status, 200)
})

test('every request is counted under a route of a fixed set, whatever path was asked for', async (t) => {
  const site = await startSite(t)
  for (const path of ['/livez', '/api/v1/images/cam-1:x?y=1', '/api/v1/images/x/content', '/api/v1/images/%zz', '/etc/passwd', '//']) {
    await ask(site.url + path)
  }
  await eventually(() => requests(site).length === 6)
  assert.deepEqual(requests(site), [
    ['/livez', 200], ['/api/v1/images/{id}', 404], ['/api/v1/images/{id}/content', 404],
    ['other', 404], ['other', 404], ['other', 404]
  ])
})

test('a method that a route does not have is 405 with Allow, OPTIONS tells them, HEAD is GET without a body', async (t) => {
  const site = await startSite(t)
  await keep(site.spool, 'cam-1', 'a1', jpegOf(5000))
  const put = await ask(`${site.url}/api/v1/images/cam-1:a1`, { method: 'PUT' })
  assert.deepEqual([put.status, put.headers.allow], [405, 'GET, DELETE, HEAD, OPTIONS'])
  const options = await ask(`${site.url}/api/v1/images`, { method: 'OPTIONS' })
  assert.deepEqual([options.status, options.headers.allow], [204, 'GET, POST, DELETE, HEAD, OPTIONS'])
  const head = await ask(`${site.url}/api/v1/images/cam-1:a1/content`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '5000', ''])
})

test('problems have a title, a detail and a hint, and every answer the headers of a careful server', async (t) => {
  const site = await startSite(t)
  const { status, headers, body } = await ask(`${site.url}/nowhere`)
  assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json'])
  const problem = JSON.parse(body) as Record<string, unknown>
  assert.deepEqual(Object.keys(problem), ['type', 'title', 'status', 'detail', 'hint'])
  assert.equal(problem['status'], 404)
  for (const path of ['/', '/livez', '/api/v1/status', '/nowhere']) {
    const { headers } = await ask(site.url + path)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
  }
})

test('a reading that fails is 500 with a sentence and no stack, and the next request is answered', async (t) => {
  const site = await startSite(t)
  await site.spool.close()
  const { status, body } = await ask(`${site.url}/api/v1/images`)
  assert.equal(status, 500)
  assert.doesNotMatch(body, /at .*\.ts/)
  assert.equal((await ask(`${site.url}/livez`)).status, 200)
})

test('metrics are handed through with their own content type', async (t) => {
  const site = await startSite(t)
  const { status, headers, body } = await ask(`${site.url}/metrics`)
  assert.deepEqual([status, headers['content-type'], body], [200, 'text/plain; version=0.0.4', 'sluice_build_info 1\n'])
})

test('closing answers what runs, then takes nothing more', async (t) => {
  const site = await startSite(t, { http: { limits: { closeMsMax: 2000 } } })
  const { socket, received } = await openRaw(t, site.port)
  const image = jpegOf(1000)
  socket.write('POST /?device=cam-1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n')
  socket.write(image.subarray(0, 500))
  await eventually(() => site.budget.levels.heldBytes === 1000)
  const closed = site.close()
  await assert.rejects(ask(`${site.url}/livez`))
  socket.write(image.subarray(500))
  await closed
  await eventually(() => received().startsWith('HTTP/1.1 201 Created'))
  assert.match(received(), /connection: close/i)
  assert.equal(site.spool.ledger.acknowledged, 1)
})

test('an address that is taken rejects with the error of the listen', async (t) => {
  const { port } = await startSite(t)
  await assert.rejects(startSite(t, { http: { port } }), { code: 'EADDRINUSE' })
})
