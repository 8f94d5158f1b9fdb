import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from '../bridge/crc32.ts'
import type { StoreObject } from '../bridge/objects/object-store.ts'
import { createAgents } from '../bridge/objects/paced-agent.ts'
import { freeLine } from './helpers/line.ts'
import { startServer, startTestStore, storeAt } from './helpers/s3.ts'

function objectOf (body: Buffer): StoreObject {
  const sha256 = createHash('sha256').update(body).digest('hex')
  return { key: 'images/one.jpg', body, contentType: 'image/jpeg', metadata: {}, sha256, crc32: crc32(body) }
}

const { signal } = new AbortController()

test('of a body that was put all bytes are counted as sent, whole or in parts, and nothing else', async (t) => {
  const { endpoint } = await startTestStore(t)
  for (const bytes of [200_000, 12_000_000]) {
    const { store, agents } = storeAt(t, endpoint, { partBytes: 5 * 2 ** 20 })
    const body = Buffer.alloc(bytes, 7)
    const sent = agents.countBody(body)
    const outcome = await store.put(objectOf(body), signal)
    assert.equal(outcome.kind, 'stored')
    assert.equal(sent?.bytes, bytes)
    assert.ok(agents.sentBytes() > bytes)
  }
})

test('of a put that is cut what was sent by then is counted', async (t) => {
  let cut: () => void = () => {}
  const endpoint = await startServer(t, (request) => { cut = () => request.socket.destroy() })
  const line = freeLine(10_000)
  let given = 0
  const pace = async (bytes: number): Promise<void> => {
    given += bytes
    if (given > 50_000) await new Promise((resolve) => setImmediate(resolve)).then(cut)
  }
  const { store, agents } = storeAt(t, endpoint, {}, { ...line, pace })
  const body = Buffer.alloc(1_000_000, 7)
  const sent = agents.countBody(body)
  const outcome = await store.put(objectOf(body), signal)
  assert.equal(outcome.kind, 'unavailable')
  assert.ok(Number(sent?.bytes) > 40_000 && Number(sent?.bytes) < 1_000_000, `${sent?.bytes} bytes`)
  assert.ok(Number(sent?.bytes) < agents.sentBytes())
})

test('a body that lies in memory with others is not counted, rather than wrongly', () => {
  const agents = createAgents({ ...freeLine(), maxSockets: 1 })
  assert.equal(agents.countBody(Buffer.from('a few bytes out of a pool')), undefined)
  assert.ok(agents.countBody(Buffer.alloc(100_000)) !== undefined)
})
