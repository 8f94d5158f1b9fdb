import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from './helpers/eventually.ts'
import {
  connectPacket, connectRaw, header, HeldCustody, openRaw, pingreq, pingresp, puback, publishPacket,
  startTestBroker
} from './helpers/mqtt.ts'

const topic = 'devices/cam-1/images'
const image = Buffer.alloc(250_000, 7)

test('a packet that declares 100 MB is cut before it is read, and memory does not move', async (t) => {
  const { port, broker, seen } = await startTestBroker(t)
  const device = await connectRaw(t, port, { clientId: 'cam-1' })
  const before = process.memoryUsage()
  device.send(header(0x32, 100_000_000))
  const megabyte = Buffer.alloc(1_000_000)
  for (let sent = 0; sent < 100 && !device.isClosed; sent++) {
    device.send(megabyte)
    await delay(1)
  }
  await device.closed()
  const { rss, arrayBuffers } = process.memoryUsage()
  assert.ok(broker.levels.receivedBytes < 1_000_000, `read ${broker.levels.receivedBytes} bytes`)
  assert.ok(rss - before.rss < 10_000_000 + megabyte.length * 2, `resident +${rss - before.rss}`)
  assert.ok(arrayBuffers - before.arrayBuffers < 10_000_000)
  const [event] = seen('packet-too-large')
  assert.deepEqual(event, {
    kind: 'packet-too-large',
    packet: 'PUBLISH',
    remote: '127.0.0.1',
    clientId: 'cam-1',
    declaredBytes: 100_000_000,
    bytesMax: 8_000_000
  })
  assert.equal((await eventually(() => seen('client-disconnected')[0])).reason, 'refused')
})

test('before CONNECT 8 kB are read and no more', async (t) => {
  const { port, broker, seen } = await startTestBroker(t)
  const stranger = await openRaw(t, port)
  stranger.send(header(0x10, 100_000_000), Buffer.alloc(50_000))
  await stranger.closed()
  assert.ok(broker.levels.receivedBytes < 70_000)
  assert.deepEqual(seen('packet-too-large').map(({ packet, clientId, bytesMax }) => ({ packet, clientId, bytesMax })),
    [{ packet: 'CONNECT', clientId: undefined, bytesMax: 8192 }])
})

test('what does not begin with CONNECT is cut, and the operator is told what it looks like', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const greetings = [
    [publishPacket({ topic, payload: image }), /no CONNECT: it begins with 0x32/],
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /looks like HTTP/],
    [Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00), /looks like TLS/],
    [Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01), /more than four bytes/],
    [Buffer.concat([header(0x10, 12), Buffer.from('\0\x04XXXX\x04\x02\0\0\0\0')]), /a CONNECT of the protocol "XXXX"/]
  ] as const
  for (const [greeting, detail] of greetings) {
    const stranger = await openRaw(t, port)
    stranger.send(greeting)
    await stranger.closed()
    const event = await eventually(() => seen('connect-refused').at(-1))
    assert.equal(event.result, 'unsupported_protocol')
    assert.match(event.detail, detail)
  }
  assert.equal(seen('connect-refused').length, greetings.length)
})

test('a remaining length of five bytes cuts a connected client', async (t) => {
  const { port } = await startTestBroker(t)
  const device = await connectRaw(t, port)
  device.send(Buffer.of(0x32, 0x80, 0x80, 0x80, 0x80, 0x01))
  await device.closed()
})

test('a SUBSCRIBE larger than any list of topics is cut', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const device = await connectRaw(t, port)
  device.send(header(0x82, 70_000))
  await device.closed()
  const [event] = seen('packet-too-large')
  assert.deepEqual([event?.packet, event?.bytesMax], ['control', 65_536])
})

test('a client may send its images right behind its CONNECT', async (t) => {
  const custody = new HeldCustody()
  const { port } = await startTestBroker(t, custody)
  const device = await openRaw(t, port)
  const payload = Buffer.alloc(100)
  const packets = Array.from({ length: 100 }, (_, i) => publishPacket({ topic, payload, packetId: i + 1 }))
  device.send(connectPacket(), ...packets)
  custody.open()
  for (let id = 1; id <= 100; id++) await device.receives(puback(id))
})

test('packets are framed the same wherever the chunks are cut', async (t) => {
  const custody = new HeldCustody()
  custody.open()
  const { port, budget } = await startTestBroker(t, custody)
  const payload = Buffer.alloc(9000, 1)
  const [first, second] = [1, 2].map((packetId) => publishPacket({ topic, payload, packetId })) as [Buffer, Buffer]
  const bytes = Buffer.concat([connectPacket(), first, pingreq, second])
  const at = bytes.length - second.length
  const cuts = [1, 2, 13, 14, 15, 16, 17, 18, 40, at - 3, at - 2, at - 1, at, at + 1, at + 2, at + 3]
  for (const cut of cuts) {
    const device = await openRaw(t, port)
    device.send(bytes.subarray(0, cut))
    await delay(2)
    device.send(bytes.subarray(cut))
    await device.receives(puback(2))
    assert.equal(device.received.includes(pingresp), true)
  }
  assert.equal(custody.publishes.every((publish) => publish.payload.equals(payload)), true)
  assert.equal(custody.publishes.length, cuts.length * 2)
  await eventually(() => budget.levels.heldBytes === 0)
})

test('many small publishes of every QoS in one chunk are each handled once', async (t) => {
  const custody = new HeldCustody()
  custody.open()
  const { port, seen } = await startTestBroker(t, custody)
  const device = await connectRaw(t, port)
  const topics = [topic, 'devices/cam-1/unknown', 'lights/hall']
  const packets = Array.from({ length: 3000 }, (_, i) => publishPacket({
    topic: topics[i % 3] ?? topic, payload: Buffer.alloc(i % 50), qos: i % 2 === 0 ? 0 : 1, packetId: i + 1
  }))
  device.send(...packets)
  await device.receives(puback(3000))
  assert.deepEqual(
    [custody.publishes.length, seen('topic-refused').length, seen('publish-received').length], [1000, 1000, 3000])
})
