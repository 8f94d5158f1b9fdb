import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createAgents } from '../bridge/objects/paced-agent.ts'
import { pieces, type Pacing } from '../bridge/objects/paced-socket.ts'
import { eventually } from './helpers/eventually.ts'
import { evenLine, freeLine, heldLine, listen, startMeter } from './helpers/line.ts'

const KB = 1000

test('every byte that crosses the wire is counted, and no other', async (t) => {
  const { meter, agents } = await startSink(t, freeLine(1000))
  const sizes = [0, 1, 999, 1000, 1001, 250 * KB]
  await Promise.all(sizes.map((bytes) => put(meter.port, agents.http, randomBytes(bytes))))
  await put(meter.port, agents.http)
  await eventually(() => meter.bytes() >= agents.sentBytes(), { what: 'the last byte' })
  assert.equal(agents.sentBytes(), meter.bytes())
})

test('a body arrives whole and in order, in whatever pieces and encodings it leaves', async (t) => {
  let turns = 0
  const line = { pace: nextTick, paceBytesMax: () => 1 + (turns++ * 37) % 700 }
  const { meter, agents } = await startSink(t, line)
  const request = http.request({ port: meter.port, agent: agents.http, method: 'PUT' }) // chunked
  const [head, tail] = [randomBytes(50 * KB), randomBytes(20 * KB)]
  request.write(head)
  request.write('grüße 📷')
  request.write('c3bc', 'hex')
  request.end(tail)
  const body = Buffer.concat([head, Buffer.from('grüße 📷'), Buffer.from('c3bc', 'hex'), tail])
  assert.equal(await answerTo(request), sha256(body))
  assert.equal(agents.sentBytes(), meter.bytes())
})

test('pieces are never larger than allowed, and miss nothing', () => {
  const buffers = [0, 7, 20, 0, 1, 33].map((length) => randomBytes(length))
  for (const bytesMax of [1, 2, 7, 10, 1000]) {
    const cut = [...pieces(buffers, () => bytesMax)]
    assert.ok(cut.every((piece) => Buffer.concat(piece).length <= bytesMax))
    assert.ok(cut.flat().every(({ length }) => length > 0))
    assert.ok(Buffer.concat(cut.flat()).equals(Buffer.concat(buffers)))
  }
})

test('what is sent back when the line becomes thinner leaves in smaller pieces, whole and in order', async (t) => {
  let bytesMax = 40 * KB
  const served: number[] = []
  const line: Pacing = {
    paceBytesMax: () => bytesMax,
    async pace (bytes) {
      await nextTick()
      if (served.length === 1) bytesMax = 2 * KB
      if (bytes > bytesMax) return false
      served.push(bytes)
      return true
    }
  }
  const { meter, agents } = await startSink(t, line)
  await put(meter.port, agents.http, randomBytes(200 * KB))
  assert.ok(Math.max(...served.slice(1)) <= 2 * KB, `${Math.max(...served.slice(1))} bytes at once`)
  assert.equal(served.reduce((sum, bytes) => sum + bytes, 0), agents.sentBytes())
})

test('no stretch of time carries more than the line was given', async (t) => {
  const [bytesPerSecond, pieceBytes] = [400 * KB, 4 * KB]
  const { meter, agents } = await startSink(t, evenLine(bytesPerSecond, pieceBytes))
  await Promise.all([200, 100, 100].map((size) => put(meter.port, agents.http, randomBytes(size * KB))))
  for (const ms of [100, 250, 500]) {
    const bytesMax = bytesPerSecond * ms / 1000 * 1.05 + 4 * pieceBytes
    assert.ok(meter.most(ms) <= bytesMax, `${meter.most(ms)} bytes in ${ms} ms`)
  }
})

test('puts at the same time share the line', async (t) => {
  const { meter, agents } = await startSink(t, evenLine(400 * KB, 4 * KB))
  const startedAt = performance.now()
  const seconds = await Promise.all([1, 2].map(async () => {
    await put(meter.port, agents.http, randomBytes(120 * KB))
    return (performance.now() - startedAt) / 1000
  }))
  assert.ok(Math.min(...seconds) > 0.85 * Math.max(...seconds), seconds.join(' and '))
})

test('a request that is destroyed gives its turn back at once and sends no more', async (t) => {
  const line = heldLine(1000)
  const { meter, agents } = await startSink(t, line)
  const request = http.request({ port: meter.port, agent: agents.http, method: 'PUT' })
  const failed = once(request, 'error')
  request.end(randomBytes(50 * KB))
  await eventually(() => line.waiting() === 1)
  line.release()
  await eventually(() => line.waiting() === 1 && meter.bytes() === 1000)
  request.destroy(new Error('enough'))
  await failed
  await eventually(() => line.waiting() === 0)
  assert.equal(agents.sentBytes(), 1000)
  const next = put(meter.port, agents.http, randomBytes(100))
  await eventually(() => line.waiting() === 1)
  line.release()
  await next
})

test('a connection that is refused is charged nothing', async (t) => {
  const line = heldLine(1000)
  const { agents } = await startSink(t, line)
  const unused = await listen(t, http.createServer())
  await new Promise((resolve) => unused.server.close(resolve))
  await assert.rejects(put(unused.port, agents.http, randomBytes(1000)), { code: 'ECONNREFUSED' })
  assert.deepEqual([line.waiting(), agents.sentBytes()], [0, 0])
})

test('a line that is closed for now holds a request until it opens', async (t) => {
  const line = heldLine(0)
  const { meter, agents } = await startSink(t, line)
  const done = put(meter.port, agents.http, randomBytes(1000))
  await eventually(() => line.waiting() === 1)
  assert.equal(agents.sentBytes(), 0)
  line.open(64 * KB)
  await done
})

test('a pacer that fails ends the request with its error', async (t) => {
  const { meter, agents } = await startSink(t, {
    pace: async () => { throw new Error('no line') }, paceBytesMax: () => 1000
  })
  await assert.rejects(put(meter.port, agents.http, randomBytes(1000)), { message: 'no line' })
})

test('one request after the other goes over the same connection', async (t) => {
  const { meter, agents } = await startSink(t, evenLine(50_000 * KB, 64 * KB))
  for (let i = 0; i < 10; i++) await put(meter.port, agents.http, randomBytes(100 * KB))
  assert.equal(meter.connections(), 1)
})

test('waiting for a turn is no silence, waiting for the answer is', async (t) => {
  const line = heldLine(100 * KB)
  const { meter, agents, answer } = await startSink(t, line, { answers: false })
  const request = http.request({ port: meter.port, agent: agents.http, method: 'PUT' })
  let silentAt = Infinity
  request.setTimeout(200, () => { silentAt = performance.now() })
  request.end(randomBytes(1000))
  await eventually(() => line.waiting() === 1)
  await sleep(700) // more than three time-outs, in which nothing may happen
  const turnAt = performance.now()
  assert.equal(silentAt, Infinity)
  line.release()
  await once(request, 'timeout')
  assert.ok(silentAt - turnAt >= 195, `silent after ${silentAt - turnAt} ms`)
  answer()
  await answerTo(request)
})

test('over https what crosses is charged, records and handshake too, and hardly more', async (t) => {
  const options = await selfSigned(t)
  if (options === undefined) return
  const { meter, agents } = await startSink(t, evenLine(4000 * KB, 4 * KB), { tls: options })
  await Promise.all([1000, 250, 250].map((size) => put(meter.port, agents.https, randomBytes(size * KB))))
  assert.equal(meter.connections(), 3)
  const [crossed, sent] = [meter.bytes(), agents.sentBytes()]
  assert.ok(sent >= crossed && sent <= crossed * 1.03, `${sent} charged, ${crossed} crossed`)
})

test('a TLS handshake that fails is charged all the same', async (t) => {
  const options = await selfSigned(t)
  if (options === undefined) return
  const { meter, agents } = await startSink(t, freeLine(64 * KB), { tls: options })
  await assert.rejects(put(meter.port, agents.https, randomBytes(1000), { rejectUnauthorized: true }),
    { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const [crossed, sent] = [meter.bytes(), agents.sentBytes()]
  assert.ok(sent >= crossed && sent <= 2000, `${sent} charged, ${crossed} crossed`)
})

interface SinkOptions { readonly answers?: boolean, readonly tls?: https.ServerOptions }

/** A server that answers each request with the SHA-256 of its body, behind a meter, and agents on a line. */
async function startSink (t: TestContext, line: Pacing, { answers = true, tls }: SinkOptions = {}) {
  let answer = () => {}
  const handle: http.RequestListener = (request, response) => {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      answer = () => response.end(hash.digest('hex'))
      if (answers) answer()
    })
  }
  const server = tls === undefined ? http.createServer(handle) : https.createServer(tls, handle)
  const meter = await startMeter(t, (await listen(t, server)).port)
  const agents = createAgents({ ...line, maxSockets: 4 })
  t.after(() => agents.destroy())
  return { meter, agents, answer: () => answer() }
}

async function put (port: number, agent: http.Agent, body?: Buffer, options: https.RequestOptions = {}) {
  const { request } = agent instanceof https.Agent ? https : http
  const method = body === undefined ? 'GET' : 'PUT'
  const running = request({ port, agent, method, rejectUnauthorized: false, ...options })
  if (body !== undefined) running.setHeader('content-length', body.length)
  running.end(body)
  assert.equal(await answerTo(running), sha256(body ?? Buffer.alloc(0)))
}

async function answerTo (request: http.ClientRequest): Promise<string> {
  const [response] = await once(request, 'response') as [http.IncomingMessage]
  const chunks = await response.toArray() as Buffer[]
  return Buffer.concat(chunks).toString()
}

function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function nextTick (): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Undefined, and the test skipped by name, where there is no openssl. */
async function selfSigned (t: TestContext): Promise<https.ServerOptions | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'tls-'))
  t.after(() => rm(dir, { recursive: true }))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost']
  const args = ['req', '-x509', ...kind, '-days', '1', '-keyout', key, '-out', cert]
  try {
    await promisify(execFile)('openssl', args)
  } catch {
    t.skip('no openssl here to make a certificate with')
    return undefined
  }
  return { key: await readFile(key), cert: await readFile(cert) }
}
