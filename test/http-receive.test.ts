import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from './helpers/eventually.ts'
import { ask, openRaw, startSite, type TestSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const JPEG = { 'content-type': 'image/jpeg' }
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly json: Readonly<Record<string, unknown>>
}

async function post (
  site: TestSite, path: string, body: Buffer | string | FormData, headers: Record<string, string> = {}
): Promise<Answer> {
  const response = await fetch(site.url + path, { method: 'POST', body, headers })
  return { status: response.status, headers: response.headers, json: await response.json() as Record<string, unknown> }
}

function formOf (image: Buffer, fields: Record<string, string> = {}, name = 'file'): FormData {
  const form = new FormData()
  form.set(name, new Blob([image], { type: 'image/jpeg' }), 'photo.jpg')
  for (const [field, value] of Object.entries(fields)) form.set(field, value) // after the file, as some devices do
  return form
}

/** As a device writes it on its socket. */
function head (bytes: number, more = ''): string {
  return 'POST /?device=cam-1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n' +
    `Content-Length: ${bytes}\r\n${more}\r\n`
}

test('201 is answered once the spool has the image, byte for byte', async (t) => {
  const site = await startSite(t)
  const image = jpegOf(50_000)
  const { status, headers, json } = await post(site, '/api/v1/images?device=cam-1&id=a1.jpg', image, JPEG)
  assert.equal(status, 201)
  assert.deepEqual({ ...json, message: '' }, {
    id: 'a1', device: 'cam-1', sha256: sha256(image), bytes: 50_000, state: 'waiting', message: ''
  })
  assert.equal(headers.get('location'), '/api/v1/images/cam-1:a1')
  const [entry] = await eventually(async () => {
    const waiting = await site.spool.waiting(0, 10)
    return waiting.length === 1 ? waiting : undefined
  })
  assert.deepEqual(entry && await site.spool.payload(entry), image)
})

test('nothing is answered before intake has settled who has the image', async (t) => {
  let open = (): void => {}
  const site = await startSite(t, { gate: new Promise((resolve) => { open = resolve }) })
  const { socket, received } = await openRaw(t, site.port)
  socket.write(head(2000))
  socket.write(jpegOf(2000))
  await eventually(() => site.spool.ledger.acknowledged === 1)
  assert.equal(received(), '')
  assert.equal(site.budget.levels.heldBytes, 2000)
  open()
  await eventually(() => received().startsWith('HTTP/1.1 201 Created'))
})

test('device and id may stand in headers, in a form, or in a JSON envelope', async (t) => {
  const site = await startSite(t)
  const [first, second, third] = [jpegOf(2000), jpegOf(3000), jpegOf(4000)]
  const inHeaders = await post(site, '/', first, { ...JPEG, 'x-device-id': 'cam-1', 'x-image-id': 'h1' })
  const inForm = await post(site, '/', formOf(second, { device: 'cam-2', id: 'f1' }))
  const envelope = JSON.stringify({ image: third.toString('base64'), device: 'cam-3', id: 'j1', meta: { gate: 'north' } })
  const inJson = await post(site, '/api/v1/images', envelope, { 'content-type': 'application/json' })
  const told = [inHeaders, inForm, inJson].map(({ status, json }) => [status, json['device'], json['id'], json['sha256']])
  assert.deepEqual(told, [
    [201, 'cam-1', 'h1', sha256(first)], [201, 'cam-2', 'f1', sha256(second)], [201, 'cam-3', 'j1', sha256(third)]
  ])
  assert.equal(site.spool.ledger.acknowledged, 3)
})

test('the lane may stand in a form, too, and the one in the URL comes before it', async (t) => {
  const site = await startSite(t)
  const [first, second] = [jpegOf(2000), jpegOf(3000)]
  const fields = { device: 'cam-1', lane: 'bulk' }
  assert.equal((await post(site, '/', formOf(first, { ...fields, id: 'one' }))).status, 201)
  assert.equal((await post(site, '/?lane=alarm', formOf(second, { ...fields, id: 'two' }))).status, 201)
  const entries = await eventually(async () => {
    const waiting = await site.spool.waiting(0, 10)
    return waiting.length === 2 ? waiting : undefined
  })
  assert.deepEqual(entries.map(({ imageId, lane }) => [imageId, lane]), [['one', 'bulk'], ['two', 'alarm']])
})

test('an image without an id is named by its content, and a repeat is taken once', async (t) => {
  const site = await startSite(t)
  const image = jpegOf(5000)
  const first = await post(site, '/?device=cam-1', image, JPEG)
  const again = await post(site, '/', formOf(image, { device: 'cam-1' }))
  assert.deepEqual([first.status, again.status], [201, 200])
  assert.equal(first.json['id'], sha256(image).slice(0, 32))
  assert.deepEqual([again.json['id'], again.json['duplicate']], [first.json['id'], true])
  assert.equal(site.spool.ledger.acknowledged, 1)
})

test('what is wrong with an image is answered as a problem with its own status', async (t) => {
  const site = await startSite(t)
  const image = jpegOf(2000)
  await post(site, '/?device=cam-1&id=one', image, JPEG)
  const json = { 'content-type': 'application/json' }
  const envelope = (fields: object): string => JSON.stringify({ device: 'cam-1', ...fields })
  const base64 = image.toString('base64')
  const wrong: Array<[number, string, string, Buffer | string | FormData, Record<string, string>]> = [
    [400, 'bad_id', '/', image, JPEG],
    [400, 'bad_id', '/?device=../etc', image, JPEG],
    [400, 'bad_id', '/?device=cam-1&id=a/b', image, JPEG],
    [400, 'empty', '/?device=cam-1', formOf(Buffer.alloc(0)), {}],
    [400, 'bad_form', '/?device=cam-1', 'hello', { 'content-type': 'multipart/form-data; boundary=x' }],
    [400, 'bad_form', '/?device=cam-1', 'hello', { 'content-type': 'multipart/form-data' }],
    [400, 'bad_json', '/', '{"image": ', json],
    [415, 'not_an_image', '/?device=cam-1', Buffer.from('%PDF-1.4 and so on'), JPEG],
    [415, 'unsupported_type', '/?device=cam-1', image, { 'content-type': 'text/plain' }],
    [422, 'missing_image', '/?device=cam-1', formOf(image, {}, 'photo'), {}],
    [422, 'bad_meta', '/?device=cam-1', formOf(image, { lane: 'express' }), {}],
    [422, 'missing_image', '/', envelope({ id: 'x' }), json],
    [422, 'bad_base64', '/', envelope({ image: '@@@@' }), json],
    [422, 'checksum_mismatch', '/', envelope({ image: base64, sha256: '00'.repeat(32) }), json],
    [422, 'bad_meta', '/', envelope({ image: base64, meta: 'x' }), json],
    [422, 'id_mismatch', '/?device=cam-9', envelope({ image: base64 }), json],
    [422, 'id_conflict', '/?device=cam-1&id=one', jpegOf(2000), JPEG]
  ]
  for (const [status, code, path, body, headers] of wrong) {
    const answer = await post(site, path, body, headers)
    assert.deepEqual([answer.status, answer.json['type']], [status, `urn:sluice:problem:${code}`], code)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    assert.ok(answer.json['title'] !== '' && answer.json['detail'] !== '')
  }
  assert.equal(site.spool.ledger.acknowledged, 1)
  assert.equal(site.budget.levels.heldBytes, 0)
})

test('a body over the limit is answered 413 on its declared length, before any of it is read', async (t) => {
  const site = await startSite(t, { http: { bodyBytesMax: 1000, limits: { lingerMsMax: 100 } } })
  const { socket, received } = await openRaw(t, site.port)
  socket.write(head(100_000_000))
  await eventually(() => received().includes('\r\n\r\n'))
  assert.match(received(), /^HTTP\/1\.1 413 /)
  assert.match(received(), /connection: close/i)
  assert.equal(site.budget.levels.heldBytes, 0)
})

test('a device that waits for 100 Continue is told 413 instead, and never sends the body', async (t) => {
  const site = await startSite(t, { http: { bodyBytesMax: 1000, limits: { lingerMsMax: 100 } } })
  const { socket, received } = await openRaw(t, site.port)
  socket.write(head(2000, 'Expect: 100-continue\r\n'))
  await eventually(() => received().includes('413'))
  assert.doesNotMatch(received(), /100 Continue/)
  const second = await openRaw(t, site.port)
  const image = jpegOf(900)
  second.socket.write(head(900, 'Expect: 100-continue\r\n'))
  await eventually(() => second.received().includes('100 Continue'))
  second.socket.write(image)
  await eventually(() => second.received().includes('201 Created'))
})

test('a chunked body is answered 411: memory is set aside by the length before a body is read', async (t) => {
  const site = await startSite(t)
  const { status, headers } = await ask(`${site.url}/?device=cam-1`, {
    method: 'POST', headers: { ...JPEG, 'transfer-encoding': 'chunked' }
  }, jpegOf(500_000))
  assert.equal(status, 411)
  assert.equal(headers['content-type'], 'application/problem+json')
})

test('an upload holds its memory while it is read, and an aborted one gives it back', async (t) => {
  const site = await startSite(t)
  const { socket } = await openRaw(t, site.port)
  socket.write(`${head(500_000)}abc`)
  await eventually(() => site.budget.levels.heldBytes === 500_000)
  socket.destroy()
  await eventually(() => site.budget.levels.heldBytes === 0)
  assert.equal(site.spool.ledger.acknowledged, 0)
  await eventually(() => site.events.some((event) => event.kind === 'http-request' && event.code === 499))
})

test('an upload waits unread while other images fill the budget, and goes on when there is room', async (t) => {
  const site = await startSite(t, { budgetBytes: 100_000 })
  const others = await site.budget.acquire(100_000)
  const answer = post(site, '/?device=cam-1', jpegOf(50_000), JPEG)
  await eventually(() => site.budget.levels.waiting === 1)
  assert.equal(site.spool.ledger.acknowledged, 0)
  others.release()
  assert.equal((await answer).status, 201)
  await eventually(() => site.budget.levels.heldBytes === 0)
})

test('whoever finds no room for too long is told when to come again, and waits no longer', async (t) => {
  const site = await startSite(t, { budgetBytes: 100_000, http: { limits: { budgetMsMax: 50 } } })
  const others = await site.budget.acquire(100_000)
  const busy = await post(site, '/?device=cam-1', jpegOf(50_000), JPEG)
  assert.deepEqual([busy.status, busy.headers.get('retry-after')], [503, '5'])
  assert.equal(site.budget.levels.waiting, 0)
  others.release()
})

test('a stuck upload is cut, and so is one that trickles beyond its time', async (t) => {
  const site = await startSite(t, { http: { limits: { stallMsMax: 200, bodyMsMax: 600, lingerMsMax: 100 } } })
  const [stuck, slow] = [await openRaw(t, site.port), await openRaw(t, site.port)]
  stuck.socket.write(head(500_000))
  slow.socket.write(head(500_000))
  const trickle = setInterval(() => slow.socket.write('x'), 50)
  t.after(() => clearInterval(trickle))
  await eventually(() => stuck.received().includes('408 Request Timeout'))
  assert.match(stuck.received(), /no byte came/)
  assert.equal(slow.received(), '')
  await eventually(() => slow.received().includes('408 Request Timeout'))
  await eventually(() => site.budget.levels.heldBytes === 0)
})

test('with the spool full devices get 503 with Retry-After, and nothing of the body is read', async (t) => {
  const site = await startSite(t, { spool: { limitBytes: 2_000_000 } })
  const [image, more] = [jpegOf(900_000), jpegOf(900_000)]
  while ((await post(site, `/?device=cam-1&id=i${site.spool.ledger.acknowledged}`, image, JPEG)).status === 201);
  assert.equal(site.spool.levels.paused?.reason, 'spool_full')
  const { status, headers, json } = await post(site, '/?device=cam-2', more, JPEG)
  assert.deepEqual([status, json['type']], [503, 'urn:sluice:problem:spool_full'])
  assert.ok(Number(headers.get('retry-after')) > 0)
  assert.equal(site.budget.levels.heldBytes, 0)
})
