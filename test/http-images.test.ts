import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from './helpers/eventually.ts'
import { ask, keep, startSite, type TestSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { startTestStore } from './helpers/s3.ts'
import type { ImageJson } from '../bridge/http/image-json.ts'

const FAILURE = { failedAt: Date.now(), reason: 'store_refused', detail: 'EntityTooLarge', attempts: 3 }
const UPLOAD = { uploadedAt: Date.now(), bucket: 'images', key: 'images/k.jpg', etag: 'e', sha256: 'ab'.repeat(32) }

interface Page {
  readonly images: readonly ImageJson[]
  readonly next?: string
}

async function get<T> (site: TestSite, path: string): Promise<T> {
  const response = await fetch(site.url + path)
  assert.equal(response.status, 200, path)
  return await response.json() as T
}

/** Ten images of two devices: 0 and 5 failed, 1 and 6 uploaded, 2 dropped, the others wait. */
async function fill (site: TestSite): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const entry = await keep(site.spool, i < 5 ? 'cam-1' : 'cam-2', `i${i}`, jpegOf(1000))
    if (i % 5 === 0) await site.spool.setAside(entry, FAILURE)
    if (i % 5 === 1) await site.spool.markUploaded(entry, UPLOAD)
    if (i === 2) await site.spool.drop(entry)
  }
}

const names = ({ images }: Page): string => images.map(({ id }) => id).join(' ')

test('images are listed newest first, of all states, and can be asked for by state, device and time', async (t) => {
  const site = await startSite(t)
  const before = new Date(Date.now() - 60_000).toISOString()
  await fill(site)
  const after = new Date(Date.now() + 60_000).toISOString()
  const listed = async (query: string): Promise<string> => names(await get<Page>(site, `/api/v1/images${query}`))
  assert.equal(await listed(''), 'i9 i8 i7 i6 i5 i4 i3 i2 i1 i0')
  assert.equal(await listed('?state=failed'), 'i5 i0')
  assert.equal(await listed('?state=uploaded'), 'i6 i1')
  assert.equal(await listed('?state=dropped'), 'i2')
  assert.equal(await listed('?state=uploading'), '')
  assert.equal(await listed('?state=waiting&device=cam-1'), 'i4 i3')
  assert.equal(await listed(`?from=${before}&to=${after}&device=cam-2`), 'i9 i8 i7 i6 i5')
  assert.equal(await listed(`?to=${before}`), '')
  assert.equal(await listed(`?from=${after}`), '')
})

test('pages follow each other by their cursor, without gap or repeat, over states that are mixed', async (t) => {
  const site = await startSite(t)
  await fill(site)
  for (const limit of [1, 3, 4]) {
    const seen: string[] = []
    let path: string | undefined = `/api/v1/images?limit=${limit}`
    while (path !== undefined) {
      const page: Page = await get<Page>(site, path)
      assert.ok(page.images.length <= limit)
      seen.push(...page.images.map(({ id }) => id))
      path = page.next
    }
    assert.equal(seen.join(' '), 'i9 i8 i7 i6 i5 i4 i3 i2 i1 i0')
  }
})

test('a page ends where the look at the index does, and goes on from there', async (t) => {
  const site = await startSite(t)
  await Promise.all(Array.from({ length: 2300 }, async (_, i) =>
    await keep(site.spool, i < 3 ? 'rare' : 'common', `i${i}`, Buffer.from(`image ${i}`))))
  const [oldest] = await site.spool.waiting(0, 1)
  assert.ok(oldest?.deviceId === 'rare' && await site.spool.markUploaded(oldest, UPLOAD))
  const pages: Page[] = []
  for (let path: string | undefined = '/api/v1/images?device=rare'; path !== undefined; path = pages.at(-1)?.next) {
    pages.push(await get<Page>(site, path))
  }
  assert.deepEqual(pages.map(names), ['', 'i2 i1 i0'])
})

test('a query that cannot be understood is 400 and says what is wrong', async (t) => {
  const site = await startSite(t)
  const wrong = [
    'state=refused', 'device=a/b', 'device=', 'from=yesterday', 'to=2026-13-45T00:00:00Z', 'limit=0', 'limit=501', 'limit=ten',
    'cursor=nonsense', 'sort=asc', 'from=2026-11-04&to=2026-11-03'
  ]
  for (const query of wrong) {
    const { status, headers, body } = await ask(`${site.url}/api/v1/images?${query}`)
    assert.deepEqual([status, headers['content-type']], [400, 'application/problem+json'], query)
    assert.match(body, new RegExp(query.split('=')[0] ?? ''))
  }
})

test('an image is shown with all that is known of it, by its name alone or with its device', async (t) => {
  const site = await startSite(t)
  await fill(site)
  const failed = await get<ImageJson>(site, '/api/v1/images/i5')
  assert.deepEqual(failed, await get<ImageJson>(site, '/api/v1/images/cam-2:i5'))
  assert.deepEqual(failed, await get<ImageJson>(site, '/api/v1/images/cam-2%3Ai5.jpg'))
  const { id, device, state, bytes, reason, detail, attempts, links } = failed
  assert.deepEqual({ id, device, state, bytes, reason, detail, attempts, links }, {
    id: 'i5',
    device: 'cam-2',
    state: 'failed',
    bytes: 1000,
    reason: 'store_refused',
    detail: 'EntityTooLarge',
    attempts: 3,
    links: {
      self: '/api/v1/images/cam-2:i5',
      content: '/api/v1/images/cam-2:i5/content',
      retry: '/api/v1/images/cam-2:i5/retry'
    }
  })
  assert.match(failed.crc32, /^[0-9a-f]{8}$/)
  assert.equal(new Date(failed.receivedAt).toISOString(), failed.receivedAt)
  const { key, etag, sha256 } = await get<ImageJson>(site, '/api/v1/images/i6')
  assert.deepEqual({ key, etag, sha256 }, { key: UPLOAD.key, etag: UPLOAD.etag, sha256: UPLOAD.sha256 })
})

test('a name that several devices use is 409 with the images it could mean', async (t) => {
  const site = await startSite(t)
  await keep(site.spool, 'cam-1', 'same', jpegOf(1000))
  await keep(site.spool, 'cam-2', 'same', jpegOf(1000))
  const { status, body } = await ask(`${site.url}/api/v1/images/same/content`)
  assert.equal(status, 409)
  const { candidates } = JSON.parse(body) as { candidates: Array<{ link: string }> }
  assert.deepEqual(candidates.map(({ link }) => link), ['/api/v1/images/cam-1:same', '/api/v1/images/cam-2:same'])
  assert.equal((await ask(`${site.url}/api/v1/images/cam-1:same`)).status, 200)
})

test('an unknown image is 404, whatever its name is made of', async (t) => {
  const site = await startSite(t)
  for (const name of ['nothing', 'cam-1:nothing', 'a:b:c', '%00', '%2e%2e%2f', '%', '__proto__', '..', 'x'.repeat(5000)]) {
    const { status, headers } = await ask(`${site.url}/api/v1/images/${name}`)
    assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json'], name)
  }
})

test('the content is read from the spool while it is ours, and from the store once that has it', async (t) => {
  const { endpoint } = await startTestStore(t)
  const site = await startSite(t, { endpoint })
  const image = jpegOf(20_000)
  await keep(site.spool, 'cam-1', 'a1', image)
  const path = `${site.url}/api/v1/images/cam-1:a1/content`
  await eventually(() => site.spool.ledger.uploaded === 1)
  const stored = await fetch(path)
  assert.deepEqual(Buffer.from(await stored.arrayBuffer()), image)
  const kept = await startSite(t)
  await keep(kept.spool, 'cam-1', 'a1', image)
  const ours = await fetch(`${kept.url}/api/v1/images/cam-1:a1/content`)
  assert.deepEqual(Buffer.from(await ours.arrayBuffer()), image)
  const { headers } = ours
  assert.equal(headers.get('content-type'), 'image/jpeg')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('content-disposition'), 'inline; filename="a1.jpeg"')
  assert.match(headers.get('content-security-policy') ?? '', /sandbox/)
  const etag = headers.get('etag') ?? ''
  assert.equal(stored.headers.get('etag'), etag)
  const again = await fetch(`${kept.url}/api/v1/images/cam-1:a1/content`, { headers: { 'if-none-match': etag } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
})

test('content that cannot be had is a problem that says why', async (t) => {
  const site = await startSite(t)
  await fill(site)
  const status = async (id: string): Promise<number> => (await ask(`${site.url}/api/v1/images/${id}/content`)).status
  assert.equal(await status('i6'), 502) // uploaded, and nobody answers at the store
  assert.equal(await status('i2'), 410)
  assert.equal(await status('i3'), 200)
})

test('a failed image can be tried again, any other cannot', async (t) => {
  const site = await startSite(t)
  await fill(site)
  const retry = async (id: string): Promise<[number, string]> => {
    const { status, body } = await ask(`${site.url}/api/v1/images/${id}/retry`, { method: 'POST' })
    return [status, (JSON.parse(body) as { state?: string }).state ?? '']
  }
  assert.deepEqual(await retry('i0'), [200, 'waiting'])
  assert.deepEqual(await retry('i0'), [409, ''])
  assert.deepEqual(await retry('i6'), [409, ''])
  assert.deepEqual(await retry('none'), [404, ''])
  assert.equal(site.spool.ledger.failed, 1)
  const all = await ask(`${site.url}/api/v1/images/retry`, { method: 'POST' })
  assert.deepEqual(JSON.parse(all.body), { retried: 1 })
  assert.equal(site.spool.ledger.failed, 0)
})

test('what waits or failed can be dropped and is counted as dropped, what the store has cannot', async (t) => {
  const site = await startSite(t)
  await fill(site)
  const drop = async (id: string): Promise<number> =>
    (await ask(`${site.url}/api/v1/images/${id}`, { method: 'DELETE' })).status
  assert.deepEqual([await drop('i0'), await drop('i3'), await drop('i3'), await drop('i6')], [200, 200, 200, 409])
  assert.equal((await get<ImageJson>(site, '/api/v1/images/i3')).state, 'dropped')
  assert.deepEqual(site.spool.ledger, { acknowledged: 10, uploaded: 2, waiting: 4, failed: 1, dropped: 3 })
})

test('GET /list names what is here or went to the store, the newest first, in pages', async (t) => {
  const site = await startSite(t)
  await fill(site)
  const { all_files: files } = await get<{ all_files: string[] }>(site, '/list')
  assert.deepEqual(files, [
    'cam-2:i9', 'cam-2:i8', 'cam-2:i7', 'cam-2:i6', 'cam-2:i5', 'cam-1:i4', 'cam-1:i3', 'cam-1:i1', 'cam-1:i0'
  ])
  const first = await get<{ all_files: string[], next: string }>(site, '/list?limit=4')
  const second = await get<{ all_files: string[] }>(site, first.next)
  assert.deepEqual([...first.all_files, ...second.all_files].slice(0, 8), files.slice(0, 8))
})
