import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceId, Note } from '../broker/topics.ts'
import { eventually } from './helpers/eventually.ts'
import {
  connectDevice, connectPacket, connectRaw, connectReader, disconnect, HeldCustody, nextMessage, openRaw, pingreq,
  pingresp, puback, pubcomp, publishPacket, pubrec, pubrel, startTestBroker
} from './helpers/mqtt.ts'

const topic = 'devices/cam-1/images/a1'
const image = Buffer.alloc(250_000, 7)

test('PUBACK is sent only after custody is taken', async (t) => {
  const custody = new HeldCustody()
  const { port, broker, seen } = await startTestBroker(t, custody)
  const device = await connectRaw(t, port)
  device.send(publishPacket({ topic, payload: image, packetId: 7 }), pingreq)
  await device.receives(pingresp) // what came after the image is answered, so a PUBACK would have been
  assert.equal(device.received.includes(puback(7)), false)
  assert.equal(broker.levels.pubacksPending, 1)
  await custody.settle()
  await device.receives(puback(7))
  assert.equal(broker.levels.pubacksPending, 0)
  assert.deepEqual(custody.publishes, [{ deviceId: 'cam-1', imageId: 'a1', topic, payload: image }])
  assert.equal(seen('publish-received').length, 1)
  assert.ok(Number(seen('publish-acknowledged')[0]?.seconds) > 0)
})

for (const custody of [{ kind: 'duplicate' }, { kind: 'refused', reason: 'not_an_image' }] as const) {
  test(`an image that is ${custody.kind} is acknowledged, so that the device sends it no more`, async (t) => {
    const { port } = await startTestBroker(t, { takeCustody: async () => custody })
    const device = await connectDevice(t, port)
    await device.publishAsync(topic, image, { qos: 1 })
    await device.publishAsync(topic, image, { qos: 1 })
  })
}

test('an image that is withheld gets no PUBACK and its connection is closed', async (t) => {
  const { port, seen } = await startTestBroker(t, { takeCustody: async () => ({ kind: 'withheld', reason: 'spool_full' }) })
  const device = await connectRaw(t, port, { clientId: 'cam-1' })
  device.send(publishPacket({ topic, payload: image }))
  await device.closed()
  assert.equal(device.received.includes(puback(1)), false)
  const ended = await eventually(() => seen('client-disconnected')[0])
  assert.deepEqual(ended, {
    kind: 'client-disconnected', clientId: 'cam-1', reason: 'refused', detail: 'custody withheld: spool_full'
  })
  assert.equal(seen('publish-acknowledged').length, 0)
})

test('a QoS 2 image is in custody before its PUBREC, and is taken once', async (t) => {
  const custody = new HeldCustody()
  const { port } = await startTestBroker(t, custody)
  const device = await connectRaw(t, port)
  device.send(publishPacket({ topic, payload: image, qos: 2, packetId: 9 }), pingreq)
  await device.receives(pingresp)
  assert.equal(device.received.includes(pubrec(9)), false)
  await custody.settle()
  await device.receives(pubrec(9))
  device.send(pubrel(9))
  await device.receives(pubcomp(9))
  assert.equal(custody.publishes.length, 1)
})

test('a QoS 0 image is taken too, even if the device leaves right behind it', async (t) => {
  const custody = new HeldCustody()
  const { port, budget, broker } = await startTestBroker(t, custody)
  const device = await connectRaw(t, port)
  device.send(publishPacket({ topic, payload: image, qos: 0 }), disconnect)
  device.socket.end()
  await device.closed()
  await custody.settle()
  assert.equal(custody.publishes[0]?.payload.equals(image), true)
  assert.equal(broker.levels.pubacksPending, 0)
  await eventually(() => budget.levels.heldBytes === 0)
})

test('images of one connection are handed over in the order they were sent', async (t) => {
  const custody = new HeldCustody()
  const { port } = await startTestBroker(t, custody)
  const device = await connectDevice(t, port)
  const names = Array.from({ length: 60 }, (_, i) => `n${i}`)
  const sent = names.map((name, i) =>
    device.publishAsync(`devices/cam-1/images/${name}`, Buffer.alloc(i % 3 === 0 ? 100_000 : 100), { qos: 1 }))
  await eventually(() => custody.unsettled > 10, { what: 'custody of several at once' })
  custody.open()
  await Promise.all(sent)
  assert.deepEqual(custody.publishes.map(({ imageId }) => imageId), names)
})

test('a device that is gone before custody is settled costs nothing but its PUBACK', async (t) => {
  for (const qos of [0, 1, 2] as const) {
    const custody = new HeldCustody()
    const { port, budget, broker, seen } = await startTestBroker(t, custody)
    const device = await connectRaw(t, port)
    device.send(publishPacket({ topic, payload: image, qos }))
    await eventually(() => custody.unsettled === 1)
    device.socket.resetAndDestroy()
    await eventually(() => seen('client-disconnected').length === 1)
    assert.ok(budget.levels.heldBytes > image.length, 'the image is in memory until custody is settled')
    await custody.settle()
    await eventually(() => budget.levels.heldBytes === 0 && broker.levels.pubacksPending === 0)
    assert.equal(seen('publish-acknowledged').length, 0)
  }
})

test('a device that comes back under the same client id takes the old connection over', async (t) => {
  const custody = new HeldCustody()
  const { port, broker, seen } = await startTestBroker(t, custody)
  const old = await connectRaw(t, port, { clientId: 'cam-1' })
  old.send(publishPacket({ topic, payload: image, packetId: 1 }))
  await eventually(() => custody.unsettled === 1)
  const young = await connectRaw(t, port, { clientId: 'cam-1' })
  await old.closed()
  young.send(publishPacket({ topic, payload: image, packetId: 1 }))
  await eventually(() => custody.unsettled === 2)
  custody.open()
  await young.receives(puback(1))
  assert.equal(old.received.includes(puback(1)), false)
  assert.equal(seen('client-disconnected')[0]?.reason, 'takeover')
  assert.equal(broker.levels.connections, 1)
})

test('a last will on an image topic goes through custody like any image', async (t) => {
  for (const custody of [{ kind: 'taken' }, { kind: 'withheld', reason: 'spool_full' }] as const) {
    const held = new HeldCustody()
    const { port } = await startTestBroker(t, held)
    const device = await connectDevice(t, port, { will: { topic, payload: Buffer.from('last image'), qos: 1, retain: true } })
    device.stream.destroy()
    await held.settle(custody)
    assert.equal(held.publishes[0]?.payload.toString(), 'last image')
    const reader = await connectDevice(t, port)
    const first = nextMessage(reader)
    await reader.subscribeAsync('#')
    await reader.publishAsync('probe', 'x', { qos: 1 })
    assert.equal((await first).topic, 'probe', 'the will is not retained')
  }
})

test('a device is shown as offline by its will and as online by itself', async (t) => {
  const { port } = await startTestBroker(t)
  const status = 'devices/cam-1/status'
  const { device: reader, messages } = await connectReader(t, port)
  await reader.subscribeAsync('devices/+/status')
  const told = (): string => String(messages.at(-1)?.payload)
  const device = await connectDevice(t, port, { will: { topic: status, payload: Buffer.from('offline'), qos: 1, retain: true } })
  await device.publishAsync(status, 'online', { qos: 1, retain: true })
  await eventually(() => told() === 'online')
  device.stream.destroy()
  await eventually(() => told() === 'offline')
  const late = await connectDevice(t, port)
  const arrived = nextMessage(late)
  await late.subscribeAsync(status)
  assert.equal(String((await arrived).payload), 'offline')
})

test('a note reaches the device that is subscribed to its acks', async (t) => {
  const { broker, port } = await startTestBroker(t)
  const note: Note = { v: 1, id: 'a1', status: 'uploaded', at: '2026-01-01T00:00:00Z' }
  broker.notify('cam-1' as DeviceId, note) // nobody is there to read it, and it is not retained
  const device = await connectDevice(t, port)
  const arrived = nextMessage(device)
  await device.subscribeAsync('devices/cam-1/acks', { qos: 1 })
  broker.notify('cam-1' as DeviceId, { ...note, id: 'a2' })
  const { topic, payload, qos, retain } = await arrived
  assert.deepEqual({ topic, qos, retain }, { topic: 'devices/cam-1/acks', qos: 1, retain: false })
  assert.deepEqual(JSON.parse(String(payload)), { ...note, id: 'a2' })
})

test('closing lets a held PUBACK out, takes nothing new, and ends every connection', async (t) => {
  const custody = new HeldCustody()
  const { broker, port, budget, seen } = await startTestBroker(t, custody)
  const device = await connectRaw(t, port)
  const silent = await openRaw(t, port)
  device.send(publishPacket({ topic, payload: image, packetId: 1 }))
  await eventually(() => custody.unsettled === 1)
  const closed = broker.close()
  device.send(publishPacket({ topic, payload: image, packetId: 2 }))
  await delay(50) // for what must not happen
  await custody.settle()
  await closed
  await device.receives(puback(1))
  await Promise.all([device.closed(), silent.closed()])
  assert.equal(custody.publishes.length, 1)
  assert.equal(seen('client-disconnected')[0]?.reason, 'shutdown')
  assert.deepEqual([budget.levels.heldBytes, broker.levels.connections], [0, 0])
  await assert.rejects(openRaw(t, port), /ECONNREFUSED/)
})

test('closing does not wait for ever for custody that is never settled', async (t) => {
  const custody = new HeldCustody()
  const { broker, port } = await startTestBroker(t, { ...custody, limits: { closeMs: 100 } })
  const device = await connectRaw(t, port)
  device.send(publishPacket({ topic, payload: image }))
  await eventually(() => custody.unsettled === 1)
  await broker.close()
  await device.closed()
  assert.equal(device.received.includes(puback(1)), false)
})

test('bytes and connections are counted as they come and go', async (t) => {
  const { broker, port } = await startTestBroker(t)
  const connect = connectPacket({ clientId: 'cam-1' })
  const device = await connectRaw(t, port, { clientId: 'cam-1' })
  const publish = publishPacket({ topic, payload: image })
  device.send(publish)
  await device.receives(puback(1))
  const { connections, receivedBytes, sentBytes } = broker.levels
  assert.deepEqual({ connections, receivedBytes, sentBytes },
    { connections: 1, receivedBytes: connect.length + publish.length, sentBytes: 8 })
  device.send(disconnect)
  await eventually(() => broker.levels.connections === 0)
})
