import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SessionQueues, type QueueLimit } from '../broker/session-queues.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice, connectReader, startTestBroker, type TestBroker } from './helpers/mqtt.ts'

const limits = { queuedMax: 1_000, queuedBytesMax: 1e6, queuedBytesAllMax: 1e6 }
const messageOf = (bytes: number) => ({ cmd: 'publish', topic: 'site/door', payload: Buffer.alloc(bytes) })

/** One that is away, with a subscription of this QoS to site/#. */
async function leave (
  t: TestContext, { port, broker }: TestBroker, clientId: string, qos: 1 | 2 = 1
): Promise<void> {
  const device = await connectDevice(t, port, { clientId, clean: false })
  await device.subscribeAsync('site/#', { qos })
  await device.endAsync()
  await eventually(() => broker.levels.connections === 0)
}

test('what waits for a session that is away is bounded in bytes, what fits is delivered, and the rest is counted', async (t) => {
  const site = await startTestBroker(t, { limits: { queuedBytesMax: 2_000_000 } })
  await leave(t, site, 'reader')
  const writer = await connectDevice(t, site.port)
  for (let nth = 0; nth < 40; nth++) await writer.publishAsync('site/door', Buffer.alloc(200_000, nth), { qos: 1 })
  assert.ok(site.broker.levels.queuedBytes <= 2_000_000, `${site.broker.levels.queuedBytes} bytes`)
  assert.deepEqual([site.broker.levels.queued, site.broker.levels.messagesDropped], [9, 31])
  const { messages } = await connectReader(t, site.port, { clientId: 'reader', clean: false })
  await eventually(() => messages.length === 9 && site.broker.levels.queued === 0)
  assert.equal(site.broker.levels.queuedBytes, 0)
})

test('what waits for all sessions is bounded, and a message that waits in several of them counts once', async (t) => {
  const site = await startTestBroker(t, { limits: { queuedBytesAllMax: 1_000_000 } })
  for (const clientId of ['a', 'b', 'c']) await leave(t, site, clientId)
  const writer = await connectDevice(t, site.port)
  for (let nth = 0; nth < 10; nth++) await writer.publishAsync('site/door', Buffer.alloc(200_000, nth), { qos: 1 })
  assert.deepEqual([site.broker.levels.queued, site.broker.levels.messagesDropped], [12, 18])
  assert.equal(site.seen('limit-reached')[0]?.limit, 'sessions_bytes')
})

test('a message of QoS 2 keeps its bytes until its PUBREC, and of its place nothing is left after PUBCOMP', async (t) => {
  const site = await startTestBroker(t)
  await leave(t, site, 'reader', 2)
  const writer = await connectDevice(t, site.port)
  for (let nth = 0; nth < 5; nth++) await writer.publishAsync('site/door', Buffer.alloc(1_000, nth), { qos: 2 })
  assert.ok(site.broker.levels.queuedBytes > 5_000)
  await connectReader(t, site.port, { clientId: 'reader', clean: false })
  await eventually(() => site.broker.levels.queued === 0)
  assert.equal(site.broker.levels.queuedBytes, 0)
})

test('a session that starts anew leaves no bytes behind', async (t) => {
  const site = await startTestBroker(t)
  await leave(t, site, 'reader')
  const writer = await connectDevice(t, site.port)
  for (const payload of ['', 'open', '']) await writer.publishAsync('site/door', payload, { qos: 1 })
  assert.equal(site.broker.levels.queued, 3)
  await connectDevice(t, site.port, { clientId: 'reader', clean: true })
  await eventually(() => site.broker.levels.queued === 0)
  assert.equal(site.broker.levels.queuedBytes, 0)
})

test('a full session is told of once, and again only when it has had room in between', () => {
  const told: QueueLimit[] = []
  const queues = new SessionQueues({ ...limits, queuedMax: 2 }, (_, limit) => { told.push(limit) })
  const messages = [1, 2, 3, 4].map(messageOf)
  assert.deepEqual(messages.map((message) => queues.add('a', message)), [true, true, false, false])
  assert.deepEqual(told, ['session_messages'])
  queues.remove('a', undefined, messageOf(1))
  assert.deepEqual([5, 6].map((bytes) => queues.add('a', messageOf(bytes))), [true, false])
  assert.deepEqual([told.length, queues.dropped], [2, 3])
})

test('at a PUBREC the payload is free, and the packet identifier keeps its place', () => {
  const queues = new SessionQueues(limits, () => {})
  const message = messageOf(10_000)
  queues.add('a', message)
  queues.sent('a', 7, message)
  queues.sent('a', 7, { cmd: 'pubrel' })
  assert.ok(queues.bytes > 0 && queues.bytes < 10_000, `${queues.bytes}`)
  queues.remove('a', 7, { cmd: 'pubrel' })
  assert.deepEqual([queues.messages, queues.bytes], [0, 0])
})
