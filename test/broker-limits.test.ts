import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { MqttClient } from 'mqtt'
import { LIMIT_NAMES, type LimitName } from '../broker/events.ts'
import { accessOf, connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import {
  connectDevice, connectPacket, connectRaw, header, HeldCustody, openRaw, publishPacket, puback, startTestBroker,
  type TestBroker, type TestBrokerOptions
} from './helpers/mqtt.ts'

const topic = 'devices/cam-1/images'
const publish = (device: MqttClient, to = topic) => device.publishAsync(to, 'x', { qos: 1 })

interface Case {
  readonly options: () => TestBrokerOptions | Promise<TestBrokerOptions>
  meet (t: TestContext, broker: TestBroker): Promise<void>
}

const device = (act: (device: MqttClient) => Promise<unknown>): Case['meet'] =>
  async (t, { port }) => { await act(await connectDevice(t, port)) }
const many = (count: number): Case['meet'] => device((one) => Promise.all(Array.from({ length: count }, () => publish(one))))
const cut = (...bytes: readonly Buffer[]): Case['meet'] => async (t, { port }) => {
  const client = await openRaw(t, port)
  client.send(...bytes)
  await client.closed()
}
const named = async () => await accessOf({ 'cam-1': 'one' })

/** So many messages of so many bytes for a session whose client is not there. */
const away = (count: number, bytes: number): Case['meet'] => async (t, { port, broker }) => {
  const reader = await connectDevice(t, port, { clientId: 'reader', clean: false })
  await reader.subscribeAsync('site/#', { qos: 1 })
  await reader.endAsync()
  await eventually(() => broker.levels.connections === 0)
  const writer = await connectDevice(t, port)
  for (let nth = 0; nth < count; nth++) await writer.publishAsync('site/door', Buffer.alloc(bytes, nth), { qos: 1 })
}

const cases: { readonly [name in LimitName]: Case } = {
  connections: {
    options: () => ({ connectionsMax: 1 }),
    meet: async (t, broker) => { await connectRaw(t, broker.port); await cut()(t, broker) }
  },
  connections_per_address: {
    options: () => ({ limits: { connectionsPerAddressMax: 1 } }),
    meet: async (t, broker) => { await connectRaw(t, broker.port); await cut()(t, broker) }
  },
  handshake: { options: () => ({ limits: { connectMs: 100 } }), meet: cut(connectPacket().subarray(0, 5)) },
  connect_bytes: { options: () => ({}), meet: cut(header(0x10, 10_000)) },
  packet_bytes: { options: () => ({ packetBytesMax: 1_000 }), meet: cut(connectPacket(), header(0x32, 5_000)) },
  control_bytes: { options: () => ({}), meet: cut(connectPacket(), header(0x82, 70_000)) },
  messages_per_second: { options: () => ({ limits: { messagesPerSecond: 20 } }), meet: many(30) },
  bytes_per_second: { options: () => ({ limits: { bytesPerSecond: 1_000, inFlightMax: 100 } }), meet: many(50) },
  in_flight: {
    options: () => ({ ...new HeldCustody(), limits: { inFlightMax: 1 } }),
    meet: async (t, { port }) => {
      const client = await connectRaw(t, port)
      client.send(...[1, 2].map((packetId) => publishPacket({ topic, payload: Buffer.from('x'), packetId })))
    }
  },
  topic_depth: { options: () => ({ limits: { topicDepthMax: 8 } }), meet: device((one) => publish(one, 'a/'.repeat(8))) },
  topic_length: { options: () => ({}), meet: device((one) => publish(one, 'a'.repeat(1_025))) },
  subscriptions: {
    options: () => ({ limits: { subscriptionsMax: 1 } }),
    meet: device((one) => one.subscribeAsync(['a', 'b']).catch(() => {}))
  },
  sessions: {
    options: () => ({ limits: { sessionsMax: 0 } }),
    meet: async (t, { port }) => { assert.equal(await connackOf(t, port, { clean: false, clientId: 'a' }), 3) }
  },
  sessions_per_user: {
    options: async () => ({ access: await named(), limits: { sessionsPerUserMax: 1 } }),
    meet: async (t, { port }) => {
      const connect = (clientId: string) => connackOf(t, port, { clean: false, clientId, username: 'cam-1', password: 'one' })
      assert.deepEqual([await connect('a'), await connect('a'), await connect('b')], [0, 0, 3])
    }
  },
  session_messages: { options: () => ({ limits: { queuedMax: 2 } }), meet: away(5, 10) },
  session_bytes: { options: () => ({ limits: { queuedBytesMax: 10_000 } }), meet: away(5, 3_000) },
  sessions_bytes: { options: () => ({ limits: { queuedBytesAllMax: 10_000 } }), meet: away(5, 3_000) },
  retained_bytes: {
    options: () => ({ limits: { retainedBytesMax: 2_000 } }),
    meet: device((one) => one.publishAsync('site/door', Buffer.alloc(1_000), { qos: 1, retain: true }))
  },
  guesses_per_address: {
    options: async () => ({ access: await named(), limits: { addressGuessesFree: 2, addressGuessesPerSecond: 50 } }),
    meet: async (t, { port }) => {
      const guesses = ['a', 'b', 'c', 'd', 'e'].map((username) => connackOf(t, port, { username, password: 'guess' }))
      assert.deepEqual(await Promise.all(guesses), [4, 4, 4, 4, 4])
    }
  },
  idle: { options: () => ({ limits: { idleMs: 100 } }), meet: cut(connectPacket()) },
  progress: {
    options: () => ({ limits: { progressMs: 100 } }),
    meet: cut(connectPacket(), publishPacket({ topic, payload: Buffer.alloc(100) }).subarray(0, 50))
  },
  verifying: {
    options: async () => ({
      access: await named(), limits: { verifyMs: 100, guessesFree: 0, guessPauseMs: 60_000, guessPauseMsMax: 60_000 }
    }),
    meet: async (t, { port }) => {
      await assert.rejects(connackOf(t, port, { username: 'cam-1', password: 'two' }), /without a CONNACK/)
    }
  }
}

for (const name of LIMIT_NAMES) {
  test(`who meets the limit ${name} is told of once, by that name`, async (t) => {
    const { options, meet } = cases[name]
    const broker = await startTestBroker(t, await options())
    await meet(t, broker)
    const reached = await eventually(() => broker.seen('limit-reached')[0])
    assert.deepEqual(broker.seen('limit-reached').map(({ limit }) => limit), [name])
    assert.notEqual(reached.detail, '')
  })
}

test('a device that sends faster than it may is read more slowly: every image arrives, at the allowed pace', async (t) => {
  const taken: number[] = []
  const takeCustody = async (): Promise<{ kind: 'taken' }> => { taken.push(performance.now()); return { kind: 'taken' } }
  const { port } = await startTestBroker(t, { takeCustody, limits: { messagesPerSecond: 20 } })
  await many(60)(t, { port } as TestBroker)
  assert.equal(taken.length, 60)
  const tookMs = (taken.at(-1) ?? 0) - (taken[0] ?? 0)
  assert.ok(tookMs > 1_500, `60 images at 20 a second, the first 20 at once: ${tookMs} ms`)
  const other = await connectDevice(t, port)
  const askedAt = performance.now()
  await publish(other)
  assert.ok(performance.now() - askedAt < 500, 'another device is not held back')
})

test('a client that hangs up while it is being verified gives its place back', async (t) => {
  const limits = { guessesFree: 0, guessPauseMs: 60_000, guessPauseMsMax: 60_000 }
  const { port } = await startTestBroker(t, { access: await named(), connectionsMax: 1, limits })
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(0, value.length), Buffer.from(value)])
  const body = Buffer.concat([text('MQTT'), Buffer.of(4, 0xc2, 0, 0), text('a'), text('cam-1'), text('two')])
  const client = await openRaw(t, port)
  client.send(header(0x10, body.length), body)
  await eventually(() => client.socket.bytesWritten > body.length)
  client.socket.destroy()
  await eventually(async () => await connackOf(t, port, {}).then((code) => code === 0, () => false))
})

test('what a client sends behind its CONNECT before it is answered arrives', async (t) => {
  const { port } = await startTestBroker(t, { access: await named() })
  const client = await openRaw(t, port)
  client.send(connectPacket())
  client.send(publishPacket({ topic: 'lights/hall', payload: Buffer.from('on') }))
  await client.receives(puback(1))
})
