import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { Segment } from '../bridge/spool/segment.ts'
import { sha256, startTestBridge } from './helpers/bridge.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { connectDevice, nextMessage } from './helpers/mqtt.ts'

const fast = { SLUICE_UPLINK_CAPACITY: '1Gbit', SLUICE_UPLINK_SHARE: '100%' }

test('every image a device has a PUBACK for lies in the store, byte for byte, under one key', async (t) => {
  const { bridge, objects, status } = await startTestBridge(t, fast)
  const device = await connectDevice(t, bridge.mqtt.port)
  const images = Array.from({ length: 30 }, (_, i) => ({ name: `shot-${i}`, bytes: jpegOf(20_000 + i) }))
  await Promise.all(images.map(({ name, bytes }) =>
    device.publishAsync(`devices/cam-1/images/${name}`, bytes, { qos: 1 })))
  await eventually(async () => (await status()).ledger.uploaded === 30)
  const stored = await objects()
  assert.deepEqual([...stored.values()].sort(), images.map(({ bytes }) => sha256(bytes)).sort())
  assert.equal((await status()).ledger.exact, true)
})

test('PUBACK is sent only after the spool write is synced', async (t) => {
  const { bridge } = await startTestBridge(t)
  let release = (): void => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  const append = Segment.prototype.append
  const order: string[] = []
  t.mock.method(Segment.prototype, 'append', async function (this: Segment, records: Parameters<Segment['append']>[0]) {
    await append.call(this, records)
    await held
    order.push('synced')
  })
  const device = await connectDevice(t, bridge.mqtt.port)
  const acknowledged = device.publishAsync('devices/cam-1/images/a', jpegOf(10_000), { qos: 1 })
    .then(() => { order.push('PUBACK') })
  await delay(300)
  assert.deepEqual(order, [])
  release()
  await acknowledged
  assert.deepEqual(order, ['synced', 'PUBACK'])
})

test('a write that fails is never acknowledged; the image is taken in another segment', async (t) => {
  const { bridge, status, objects } = await startTestBridge(t, fast)
  let failures = 0
  const append = Segment.prototype.append
  t.mock.method(Segment.prototype, 'append', async function (this: Segment, records: Parameters<Segment['append']>[0]) {
    if (failures++ === 0) throw new Error('EIO: i/o error, write')
    await append.call(this, records)
  })
  const device = await connectDevice(t, bridge.mqtt.port)
  const image = jpegOf(10_000)
  await device.publishAsync('devices/cam-1/images/a', image, { qos: 1 })
  await eventually(async () => (await status()).ledger.uploaded === 1, { timeoutMs: 10_000 })
  assert.deepEqual([...(await objects()).values()], [sha256(image)])
  assert.equal((await status()).ledger.acknowledged, 1)
})

test('with the store down PUBACKs come as before, nothing is lost, and all is drained after', async (t) => {
  const { bridge, store, status, objects } = await startTestBridge(t, fast)
  const device = await connectDevice(t, bridge.mqtt.port)
  const publish = async (name: string): Promise<[string, number]> => {
    const image = jpegOf(50_000)
    const startedAt = performance.now()
    await device.publishAsync(`devices/cam-1/images/${name}`, image, { qos: 1 })
    return [sha256(image), performance.now() - startedAt]
  }
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
  const up: Array<[string, number]> = []
  for (let i = 0; i < 25; i++) up.push(await publish(`up-${i}`))
  await store.faults.set({ outage: true })
  const down: Array<[string, number]> = []
  for (let i = 0; i < 25; i++) down.push(await publish(`down-${i}`))
  await eventually(async () => (await status()).verdict.word === 'UPLINK DOWN', { timeoutMs: 10_000 })
  const [before, during] = [median(up.map(([, ms]) => ms)), median(down.map(([, ms]) => ms))]
  assert.ok(during < Math.max(3 * before, 50), `PUBACK took ${before} ms before and ${during} ms during the outage`)
  await store.faults.clear()
  await eventually(async () => (await status()).ledger.uploaded === 50, { timeoutMs: 40_000 })
  assert.deepEqual([...(await objects()).values()].sort(), [...up, ...down].map(([hash]) => hash).sort())
  assert.equal((await status()).ledger.exact, true)
})

test('a poison image does not stop the good ones behind it', async (t) => {
  const { bridge, store, status } = await startTestBridge(t, fast)
  store.faults.refuseKeys(/poison/, { status: 400, code: 'InvalidArgument' })
  const device = await connectDevice(t, bridge.mqtt.port)
  for (const name of ['poison', 'a', 'b']) {
    await device.publishAsync(`devices/cam-1/images/${name}`, jpegOf(10_000), { qos: 1 })
  }
  await device.publishAsync('devices/cam-1/images/text', Buffer.from('not a picture'), { qos: 1 })
  await eventually(async () => (await status()).ledger.uploaded === 2)
  const { ledger } = await status()
  assert.deepEqual([ledger.acknowledged, ledger.uploaded, ledger.failed, ledger.exact], [3, 2, 1, true])
})

test('a device is told on its acks topic what became of its image', async (t) => {
  const { bridge } = await startTestBridge(t, fast)
  const device = await connectDevice(t, bridge.mqtt.port)
  await device.subscribeAsync('devices/cam-1/acks', { qos: 1 })
  const uploaded = nextMessage(device)
  await device.publishAsync('devices/cam-1/images/a', jpegOf(10_000), { qos: 1 })
  const { retain, payload } = await uploaded
  const note = JSON.parse(payload.toString()) as Record<string, unknown>
  assert.equal(retain, false)
  assert.deepEqual([note['v'], note['id'], note['status'], note['bytes']], [1, 'a', 'uploaded', 10_000])
  const refused = nextMessage(device)
  await device.publishAsync('devices/cam-1/images/b', Buffer.from('not a picture'), { qos: 1 })
  const second = JSON.parse((await refused).payload.toString()) as Record<string, unknown>
  assert.deepEqual([second['id'], second['status'], second['reason'], second['retry']], ['b', 'refused', 'not_an_image', false])
})

test('what waits when the service is stopped is uploaded after the next start', async (t) => {
  const first = await startTestBridge(t, { SLUICE_UPLINK_CAPACITY: '100kbit' })
  const device = await connectDevice(t, first.bridge.mqtt.port)
  const image = jpegOf(60_000)
  await device.publishAsync('devices/cam-1/images/a', image, { qos: 1 })
  await first.store.faults.set({ stall: true })
  const { waiting } = await first.close()
  assert.equal(waiting, 1)
  const second = await startTestBridge(t, fast, first.dataDir)
  await eventually(async () => (await second.status()).ledger.uploaded === 1)
  assert.deepEqual([...(await second.objects()).values()], [sha256(image)])
})

test('the wire rate to the store stays within the allowance, retries and headers included', async (t) => {
  const { bridge, store, status } = await startTestBridge(t, { ...fast, SLUICE_UPLINK_CAPACITY: '8Mbit' })
  const allowed = 8e6 / 8 * 0.95
  const device = await connectDevice(t, bridge.mqtt.port)
  await Promise.all(Array.from({ length: 40 }, (_, i) =>
    device.publishAsync(`devices/cam-1/images/n${i}`, jpegOf(150_000), { qos: 1 })))
  const samples: Array<readonly [number, number]> = []
  const startedAt = performance.now()
  while (performance.now() - startedAt < 5000) {
    samples.push([performance.now(), store.faults.counts().socketBytes])
    await delay(20)
  }
  const rates = samples.flatMap(([from, before]) => {
    const later = samples.find(([at]) => at >= from + 2500)
    return later === undefined ? [] : [(later[1] - before) / (later[0] - from) * 1000 / allowed]
  })
  assert.ok(rates.length > 10 && Math.max(...rates) <= 1.25, `${Math.max(...rates)} of the allowance in 2.5 s`)
  assert.equal((await status()).ledger.exact, true)
})
