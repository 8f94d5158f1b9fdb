import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { rounds } from './faults/rounds.ts'
import { eventually } from './helpers/eventually.ts'
import {
  connectDevice, connectPacket, connectRaw, HeldCustody, openRaw, puback, publishPacket, type RawClient,
  startTestBroker
} from './helpers/mqtt.ts'

const topic = 'devices/cam-1/images'
const image = Buffer.alloc(250_000, 7)

test('a client that sends no complete CONNECT in time is cut', async (t) => {
  const { port, seen } = await startTestBroker(t, { limits: { connectMs: 100 } })
  const silent = await openRaw(t, port)
  const half = await openRaw(t, port)
  half.send(connectPacket().subarray(0, 5))
  await Promise.all([silent.closed(), half.closed()])
  assert.deepEqual(seen('connect-refused').map(({ result }) => result), ['timeout', 'timeout'])
})

test('an upload slower than the keep alive arrives, and a silent peer is cut', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const keepAliveSeconds = rounds({ fast: 1, long: 10 })
  const slow = await connectRaw(t, port, { clientId: 'slow', keepAliveSeconds })
  const silent = await connectRaw(t, port, { clientId: 'silent', keepAliveSeconds })
  const startedAt = performance.now()
  const silence = silent.closed(keepAliveSeconds * 1500 + 5000).then(() => performance.now() - startedAt)
  const bytes = publishPacket({ topic, payload: image })
  const pieces = rounds({ fast: 10, long: 156 }) // of 400 ms: 32 kbit/s
  for (let i = 0; i < pieces; i++) {
    slow.send(bytes.subarray(bytes.length * i / pieces, bytes.length * (i + 1) / pieces))
    await delay(400)
  }
  await slow.receives(puback(1))
  const silentMs = await silence
  const cutMs = keepAliveSeconds * 1500
  assert.ok(silentMs > cutMs - 100 && silentMs < cutMs + 2000, `the silent peer was cut after ${silentMs} ms`)
  assert.deepEqual(seen('client-disconnected').map(({ clientId, reason }) => ({ clientId, reason })),
    [{ clientId: 'silent', reason: 'keepalive' }])
})

test('a device that waits for memory or for its PUBACK is alive however long it takes', async (t) => {
  const custody = new HeldCustody()
  const { port, budget } = await startTestBroker(t, { ...custody, budgetBytes: 300_000 })
  const connect = (clientId: string): Promise<RawClient> => connectRaw(t, port, { clientId, keepAliveSeconds: 1 })
  const devices = [await connect('held'), await connect('waiting')]
  for (const device of devices) device.send(publishPacket({ topic, payload: image }))
  await eventually(() => budget.levels.waiting === 1)
  await delay(2500)
  custody.open()
  for (const device of devices) await device.receives(puback(1))
})

test('an upload that stops gives its memory back to those that wait', async (t) => {
  const { port, budget, seen } = await startTestBroker(t, { budgetBytes: 300_000, limits: { progressMs: 300 } })
  const stuck = await connectRaw(t, port)
  stuck.send(publishPacket({ topic, payload: image }).subarray(0, 100_000))
  await eventually(() => budget.levels.heldBytes > 0)
  const device = await connectDevice(t, port)
  await device.publishAsync(topic, image, { qos: 1 })
  assert.match(seen('client-disconnected')[0]?.detail ?? '', /did not go on/)
})

test('an upload that creeps on byte by byte gives its memory back too', async (t) => {
  const limits = { progressMs: 300, uploadBytesPerSecondMin: 1_000_000 }
  const { port, budget, seen } = await startTestBroker(t, { budgetBytes: 300_000, limits })
  const creeping = await connectRaw(t, port)
  creeping.send(publishPacket({ topic, payload: image }).subarray(0, 100_000))
  const timer = setInterval(() => creeping.send(Buffer.alloc(1)), 20)
  t.after(() => clearInterval(timer))
  await eventually(() => budget.levels.heldBytes > 0)
  const device = await connectDevice(t, port)
  await device.publishAsync(topic, image, { qos: 1 })
  assert.match(seen('client-disconnected')[0]?.detail ?? '', /did not go on/)
})
