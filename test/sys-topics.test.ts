import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Load } from '../broker/load.ts'
import { noTraffic, SentPackets } from '../broker/traffic.ts'
import { accessOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice, connectReader, startTestBroker, type TestBroker, type TestBrokerOptions } from './helpers/mqtt.ts'

type Figures = () => Record<string, string>

const startSysBroker = (t: TestContext, options: TestBrokerOptions = {}): Promise<TestBroker> =>
  startTestBroker(t, { sys: { everyMs: 50, version: '1.2.3' }, ...options })

async function readSys (t: TestContext, port: number): Promise<Figures> {
  const { device, messages } = await connectReader(t, port)
  await device.subscribeAsync('$SYS/broker/#')
  return () => Object.fromEntries(messages.map(({ topic, payload }) => [topic.slice('$SYS/broker/'.length), payload.toString()]))
}

test('$SYS/broker/ counts clients, packets, publishes, bytes, subscriptions and retained messages as they are', async (t) => {
  const { port } = await startSysBroker(t)
  const gone = await connectDevice(t, port, { clientId: 'kept', clean: false })
  await gone.endAsync()
  const { device, messages } = await connectReader(t, port, { clientId: 'cam-1' })
  await device.subscribeAsync(['site/#', 'other'])
  await device.publishAsync('site/door', 'open', { qos: 1, retain: true })
  await device.publishAsync('devices/cam-1/images/a1', Buffer.alloc(5000), { qos: 1 })
  await eventually(() => messages.length === 1)
  const figures = await readSys(t, port)
  const expected = {
    version: 'sluice version 1.2.3',
    'clients/connected': '2',
    'clients/disconnected': '1',
    'clients/total': '3',
    'clients/maximum': '2',
    'publish/messages/received': '2',
    'subscriptions/count': '3',
    'retained messages/count': '1',
    'publish/messages/dropped': '0'
  }
  await eventually(() => {
    const now = figures()
    return now['load/connections/15min'] !== undefined && Object.entries(expected).every(([topic, value]) => now[topic] === value)
  }, { what: JSON.stringify(expected) }).catch(() => { assert.deepEqual({ ...figures(), ...expected }, figures()) })
  const now = figures()
  assert.match(now['uptime'] ?? '', /^\d+ seconds$/)
  assert.ok(Number(now['publish/bytes/received']) > 5000, now['publish/bytes/received'])
  assert.ok(Number(now['bytes/received']) > Number(now['publish/bytes/received']))
  assert.ok(Number(now['messages/received']) >= 8, now['messages/received']) // 3 CONNECT, DISCONNECT, 2 SUBSCRIBE, 2 PUBLISH
  for (const load of ['messages/received', 'publish/sent', 'bytes/received', 'sockets', 'connections']) {
    for (const span of ['1min', '5min', '15min']) assert.match(now[`load/${load}/${span}`] ?? '', /^\d+\.\d\d$/, `${load} ${span}`)
  }
})

test('nobody may publish below $SYS/, and a device reads it only where a rule says so', async (t) => {
  const access = await accessOf({ 'cam-1': 'a', viewer: 'b' }, 'user viewer\ntopic read $SYS/#')
  const { port, seen } = await startSysBroker(t, { access })
  const viewer = await connectReader(t, port, { username: 'viewer', password: 'b' })
  const [granted] = await viewer.device.subscribeAsync('$SYS/broker/uptime')
  assert.equal(granted?.qos, 0)
  await eventually(() => viewer.messages.length > 0)
  const device = await connectReader(t, port, { username: 'cam-1', password: 'a' })
  const denied = await device.device.subscribeAsync('$SYS/broker/uptime').catch((error: Error) => error)
  assert.ok(denied instanceof Error)
  assert.deepEqual(seen('subscription-refused').map(({ reason }) => reason), ['not_authorized'])
  await viewer.device.publishAsync('$SYS/broker/uptime', '99 years', { qos: 1 })
  assert.deepEqual(seen('topic-refused').map(({ topic }) => topic), ['$SYS/broker/uptime'])
  assert.ok(viewer.messages.every(({ payload }) => payload.toString() !== '99 years'))
})

test('with an interval of 0 there is no $SYS/broker/', async (t) => {
  const { port } = await startSysBroker(t, { sys: { everyMs: 0, version: '1' } })
  const figures = await readSys(t, port)
  const { device, messages } = await connectReader(t, port)
  await device.subscribeAsync('fence')
  await device.publishAsync('fence', 'x')
  await eventually(() => messages.length === 1)
  assert.deepEqual(figures(), {})
})

test('what is sent is counted by packets, however it is cut into pieces', () => {
  const puback = Buffer.of(0x40, 2, 0, 1)
  const publish = Buffer.concat([Buffer.of(0x30, 0xac, 0x02), Buffer.alloc(300)])
  const bytes = Buffer.concat([puback, publish, puback, publish, Buffer.of(0xd0, 0)])
  for (const size of [1, 2, 3, 7, 150, bytes.length]) {
    const traffic = noTraffic()
    const sent = new SentPackets(traffic)
    for (let at = 0; at < bytes.length; at += size) sent.add(bytes.subarray(at, at + size))
    assert.deepEqual([traffic.sentPackets, traffic.sentPublishes, traffic.sentPublishBytes, traffic.sentBytes],
      [5, 2, 600, bytes.length], `${size}`)
  }
})

test('a load follows what happens a minute, and the longer averages follow slowly', () => {
  const load = new Load(0)
  let total = 0
  let now = 0
  for (; now < 600_000; now += 10_000) load.add(total += 100, now + 10_000)
  const [one, five, fifteen] = load.add(total, now).map(([, perMinute]) => perMinute)
  assert.ok(one !== undefined && five !== undefined && fifteen !== undefined)
  assert.ok(one > 599 && one < 601, `${one}`)
  assert.ok(five > 500 && five < one && fifteen > 250 && fifteen < five, `${five} ${fifteen}`)
})

test('what Aedes says to itself below $SYS/ about other clients is nobody else\'s to hear', async (t) => {
  const { port } = await startSysBroker(t)
  const { device, messages } = await connectReader(t, port)
  await device.subscribeAsync('$SYS/#')
  const other = await connectDevice(t, port, { clientId: 'cam-1' })
  await other.subscribeAsync('devices/cam-1/acks')
  await other.endAsync()
  await eventually(() => messages.some(({ topic }) => topic === '$SYS/broker/clients/connected'))
  assert.deepEqual(messages.map(({ topic }) => topic).filter((topic) => !topic.startsWith('$SYS/broker/')), [])
})
