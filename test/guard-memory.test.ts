import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { eventually } from './helpers/eventually.ts'
import {
  connack, connectDevice, connectPacket, connectRaw, HeldCustody, openRaw, pingreq, pingresp, puback,
  publishPacket, startTestBroker
} from './helpers/mqtt.ts'

const topic = 'devices/cam-1/images'
const image = Buffer.alloc(250_000, 7)

test('300 devices that publish at once stay within the memory budget, and are served in turn', async (t) => {
  const custody = new HeldCustody()
  const { port, budget } = await startTestBroker(t, { ...custody, budgetBytes: 16_000_000 })
  const devices = await Promise.all(Array.from({ length: 300 }, () => connectRaw(t, port)))
  for (const [i, device] of devices.entries()) {
    device.send(publishPacket({ topic: `devices/cam-${i}/images`, payload: image }))
    const turnsTaken = (): number => Math.floor(budget.levels.heldBytes / 250_000) + budget.levels.waiting
    while (turnsTaken() <= i) await nextTurn()
  }
  await eventually(() => custody.unsettled === 63)
  assert.equal(budget.levels.waiting, 300 - 63)
  let inCustodyBytesMax = 0
  for (let i = 0; i < 300; i++) {
    await custody.settle()
    inCustodyBytesMax = Math.max(inCustodyBytesMax, custody.unsettled * image.length)
    assert.ok(budget.levels.heldBytes <= 16_000_000)
  }
  assert.ok(inCustodyBytesMax <= 16_000_000)
  await Promise.all(devices.map((device) => device.receives(puback(1))))
  assert.deepEqual(budget.levels, { heldBytes: 0, waiting: 0 })
  const order = custody.publishes.map(({ deviceId }) => Number(deviceId.slice(4)))
  const lateBy = order.map((device, i) => Math.abs(device - i))
  assert.ok(Math.max(...lateBy) <= 64, `a device was ${Math.max(...lateBy)} places from its turn`)
})

test('small packets of other connections pass while the budget is spent', async (t) => {
  const custody = new HeldCustody()
  const { port, budget } = await startTestBroker(t, { ...custody, budgetBytes: 300_000 })
  const first = await connectRaw(t, port)
  const second = await connectRaw(t, port)
  first.send(publishPacket({ topic, payload: image }))
  second.send(publishPacket({ topic, payload: image }))
  await eventually(() => budget.levels.waiting === 1)
  const other = await connectRaw(t, port)
  other.send(pingreq)
  await other.receives(pingresp)
  other.send(publishPacket({ topic, payload: Buffer.alloc(8000), packetId: 5 }))
  await eventually(() => custody.unsettled === 2)
  assert.equal(second.received.includes(puback(1)), false)
})

test('an image larger than the whole budget is taken, alone', async (t) => {
  const { port } = await startTestBroker(t, { budgetBytes: 100_000 })
  const device = await connectDevice(t, port)
  await Promise.all([1, 2, 3].map(() => device.publishAsync(topic, image, { qos: 1 })))
})

test('one connection has no more than its share of publishes in custody at once', async (t) => {
  const custody = new HeldCustody()
  const { port } = await startTestBroker(t, { ...custody, limits: { inFlightMax: 5 } })
  const device = await connectRaw(t, port)
  for (let packetId = 1; packetId <= 20; packetId++) {
    device.send(publishPacket({ topic, payload: Buffer.alloc(packetId % 2 * 20_000), packetId }))
  }
  for (let settled = 0; settled < 20; settled++) {
    await eventually(() => custody.publishes.length === Math.min(20, settled + 5))
    assert.ok(custody.unsettled <= 5)
    await custody.settle()
  }
  for (let id = 1; id <= 20; id++) await device.receives(puback(id))
})

test('connections that are killed at any moment leave no byte of the budget behind', async (t) => {
  const custody = new HeldCustody()
  const { port, budget, broker } = await startTestBroker(t, { ...custody, budgetBytes: 2_000_000 })
  const bytes = Buffer.concat([1, 2, 3].map((packetId) => publishPacket({ topic, payload: image, packetId })))
  const kill = async (round: number): Promise<void> => {
    const device = await openRaw(t, port)
    device.send(connectPacket())
    if (round % 4 > 0) await device.receives(connack(0))
    device.send(bytes.subarray(0, Math.floor(bytes.length * ((round * 0.618) % 1))))
    await delay(round % 7)
    if (round % 3 === 0) await custody.settle(round % 2 === 0 ? { kind: 'taken' } : { kind: 'withheld', reason: 'test' })
    if (round % 5 === 0) device.socket.resetAndDestroy()
    else device.socket.destroy()
  }
  for (let round = 0; round < 200; round += 10) {
    const feeder = await connectRaw(t, port) // so that there is always something to settle
    for (let i = 0; i < 4; i++) feeder.send(publishPacket({ topic, payload: Buffer.alloc(10) }))
    await Promise.all(Array.from({ length: 10 }, (_, i) => kill(round + i)))
    feeder.socket.destroy()
  }
  custody.open()
  await eventually(() => broker.levels.connections === 0)
  await eventually(() => budget.levels.heldBytes === 0 && budget.levels.waiting === 0,
    { what: 'an empty budget' })
  const device = await connectDevice(t, port)
  await device.publishAsync(topic, image, { qos: 1 })
})
