import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeviceId } from '../broker/topics.ts'
import { eventually } from './helpers/eventually.ts'
import {
  connectDevice, connectRaw, connectReader, header, nextMessage, puback, pubcomp, publishPacket, pubrec,
  pubrel, startTestBroker
} from './helpers/mqtt.ts'

const image = Buffer.alloc(250_000, 7)

test('a topic that is not the client\'s to write is acknowledged, counted and routed to nobody', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const topics = ['devices/cam-1/acks', 'devices/cam-1/other', '$SYS/broker/uptime', 'sluice/site/state', 'devices/../images']
  const reader = await connectDevice(t, port)
  await reader.subscribeAsync(['#', '$SYS/broker/uptime'])
  const first = nextMessage(reader)
  const device = await connectDevice(t, port, { clientId: 'cam-1' })
  for (const topic of topics) {
    for (const qos of [0, 1, 2] as const) await device.publishAsync(topic, 'x', { qos, retain: true })
  }
  await device.publishAsync('lights/hall', 'on', { qos: 1 })
  assert.equal((await first).topic, 'lights/hall')
  assert.equal(seen('topic-refused').length, topics.length * 3)
  assert.equal(seen('topic-refused')[0]?.clientId, 'cam-1')
})

test('endless topics are refused, and the event shows no more than their beginning', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const device = await connectRaw(t, port)
  device.send(publishPacket({ topic: 'x'.repeat(60_000), payload: image.subarray(0, 9), packetId: 2 }))
  await device.receives(puback(2))
  const refused = seen('topic-refused')
  assert.equal(refused.length, 1)
  assert.ok(refused.every(({ topic }) => topic.length < 250))
})

test('images reach no subscriber and no session, whatever it is subscribed to', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const wide = await connectDevice(t, port, { clientId: 'wide', clean: false })
  const granted = await wide.subscribeAsync({ '#': { qos: 1 }, 'devices/+/+': { qos: 1 } })
  assert.deepEqual(granted.map(({ qos }) => qos), [1, 1])
  const device = await connectDevice(t, port)
  const first = nextMessage(wide)
  for (const qos of [0, 1, 2] as const) await device.publishAsync('devices/cam-1/images', image, { qos, retain: true })
  await device.publishAsync('devices/cam-1/status', 'online', { qos: 1 })
  assert.equal((await first).topic, 'devices/cam-1/status')
  assert.equal(seen('publish-acknowledged').length, 2)
})

test('a subscription to images alone is answered 128, and one that stands beside it is granted', async (t) => {
  const { port } = await startTestBroker(t)
  const client = await connectRaw(t, port, { clientId: 'reader', clean: false })
  const filters = ['devices/+/images', 'devices/+/acks']
  const list = Buffer.concat(filters.map((filter) =>
    Buffer.concat([Buffer.of(0, filter.length), Buffer.from(filter), Buffer.of(1)])))
  client.send(header(0x82, 2 + list.length), Buffer.of(0, 1), list)
  await client.receives(Buffer.of(0x90, 4, 0, 1, 128, 1))
})

test('a client has no more subscriptions than it may have, and unsubscribing frees one', async (t) => {
  const { port } = await startTestBroker(t, { limits: { subscriptionsMax: 2 } })
  const client = await connectDevice(t, port)
  const subscribe = async (filter: string): Promise<number | undefined> => {
    const granted = await client.subscribeAsync(filter).catch(() => [])
    return granted[0]?.qos
  }
  assert.deepEqual([await subscribe('a'), await subscribe('b'), await subscribe('b')], [0, 0, 0])
  assert.notEqual(await subscribe('c'), 0)
  await client.unsubscribeAsync('a')
  assert.equal(await subscribe('c'), 0)
})

test('ordinary messages go from client to client, up to their own limit', async (t) => {
  const { port, seen, budget } = await startTestBroker(t)
  const reader = await connectDevice(t, port)
  await reader.subscribeAsync('site/#', { qos: 2 })
  const writer = await connectDevice(t, port)
  for (const qos of [0, 1, 2] as const) {
    const arrived = nextMessage(reader)
    await writer.publishAsync('site/door', Buffer.alloc(200_000, qos), { qos })
    const { payload, qos: got } = await arrived
    assert.deepEqual([payload.length, payload[0], got], [200_000, qos, qos])
  }
  const arrived = nextMessage(reader)
  await writer.publishAsync('site/door', Buffer.alloc(256 * 1024 + 1), { qos: 1 })
  await writer.publishAsync('site/door', 'small', { qos: 1 })
  assert.equal(String((await arrived).payload), 'small')
  assert.match(seen('topic-refused')[0]?.detail ?? '', /262145 bytes outside the image topics; at most 262144/)
  assert.equal(budget.levels.heldBytes, 0)
})

test('what is retained has a limit over all topics, and emptying a topic makes room', async (t) => {
  const { port, seen } = await startTestBroker(t, { limits: { retainedBytesMax: 2400 } })
  const client = await connectDevice(t, port)
  const retain = (topic: string, bytes: number): Promise<unknown> =>
    client.publishAsync(topic, Buffer.alloc(bytes), { qos: 1, retain: true })
  await retain('a', 600)
  await retain('b', 600)
  assert.match(seen('topic-refused')[0]?.detail ?? '', /no room to retain it/)
  await retain('a', 0)
  await retain('b', 600)
  await retain('b', 700)
  const first = nextMessage(client)
  await client.subscribeAsync('#')
  const { topic, payload } = await first
  assert.deepEqual([topic, payload.length, seen('topic-refused').length], ['b', 700, 1])
})

test('a session that is away is kept its messages up to a limit, and the rest are counted', async (t) => {
  const { port, broker } = await startTestBroker(t, { limits: { queuedMax: 3 } })
  const device = await connectDevice(t, port, { clientId: 'cam-1', clean: false })
  await device.subscribeAsync('devices/cam-1/acks', { qos: 1 })
  await device.endAsync()
  await eventually(() => broker.levels.connections === 0)
  for (let i = 0; i < 5; i++) broker.notify('cam-1' as DeviceId, { v: 1, id: String(i), status: 'uploaded', at: '' })
  await eventually(() => broker.levels.messagesDropped === 2)
  for (const expected of [['0', '1', '2'], []]) {
    const { device: back, messages } = await connectReader(t, port, { clientId: 'cam-1', clean: false })
    await back.publishAsync('devices/cam-1/status', 'online', { qos: 1 }) // answered behind what was kept
    assert.deepEqual(messages.map(({ payload }) => JSON.parse(String(payload)).id), expected)
    await back.endAsync()
    await eventually(() => broker.levels.connections === 0)
  }
})

test('a clean start forgets what waited for the session before it', async (t) => {
  const { port, broker } = await startTestBroker(t)
  const open = async (clean: boolean): Promise<void> => {
    const { device, messages } = await connectReader(t, port, { clientId: 'cam-1', clean })
    if (!clean) await device.subscribeAsync('devices/cam-1/acks', { qos: 1 })
    assert.deepEqual(messages, [])
    await device.endAsync()
    await eventually(() => broker.levels.connections === 0)
  }
  await open(false)
  broker.notify('cam-1' as DeviceId, { v: 1, status: 'uploaded', at: '' })
  await open(true)
  await open(false)
})

test('a QoS 2 message is passed on once, and a packet identifier is free again after PUBCOMP', async (t) => {
  const { port } = await startTestBroker(t)
  const { device: reader, messages } = await connectReader(t, port)
  await reader.subscribeAsync('site/#', { qos: 0 })
  const writer = await connectRaw(t, port, { clientId: 'writer', clean: false })
  const once = publishPacket({ topic: 'site/x', payload: Buffer.from('once'), qos: 2, packetId: 5 })
  writer.send(once)
  await writer.receives(pubrec(5))
  writer.send(once)
  await writer.receives(Buffer.concat([pubrec(5), pubrec(5)]))
  writer.send(pubrel(5))
  await writer.receives(pubcomp(5))
  writer.send(publishPacket({ topic: 'site/x', payload: Buffer.from('again'), qos: 2, packetId: 5 }))
  await eventually(() => messages.length > 1)
  assert.deepEqual(messages.map(({ payload }) => String(payload)), ['once', 'again'])
})

test('a subscriber that reads nothing delays no image, and is cut in the end', async (t) => {
  const { port, seen } = await startTestBroker(t, { limits: { drainMs: 3000 } })
  const stuck = await connectRaw(t, port, { clientId: 'stuck' })
  stuck.send(header(0x82, 6), Buffer.of(0, 1, 0, 1), Buffer.from('#'), Buffer.of(1))
  await stuck.receives(Buffer.of(0x90, 3, 0, 1, 1))
  stuck.socket.pause()
  const flooder = await connectRaw(t, port)
  const flood = publishPacket({ topic: 'site/flood', payload: Buffer.alloc(100_000), qos: 0 })
  for (let i = 0; i < 300; i++) flooder.send(flood)
  await eventually(() => seen('publish-received').length > 150)
  const device = await connectDevice(t, port)
  for (let i = 0; i < 5; i++) await device.publishAsync('devices/cam-1/images', image, { qos: 1 })
  assert.equal(seen('client-disconnected').length, 0, 'the images did not wait for the subscriber to be cut')
  const ended = await eventually(() => seen('client-disconnected')[0])
  assert.deepEqual([ended.clientId, ended.reason], ['stuck', 'slow_consumer'])
})
