import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { startBroker } from '../broker/broker.ts'
import { MemoryBudget } from '../broker/budget.ts'
import { eventually } from './helpers/eventually.ts'
import {
  connack, connectDevice, connectPacket, connectRaw, openRaw, publishPacket, startTestBroker
} from './helpers/mqtt.ts'

const deps = { takeCustody: async () => ({ kind: 'taken' } as const), observe: () => {}, budget: new MemoryBudget(1e6) }
const options = { topicPrefix: 'devices', packetBytesMax: 8_000_000, connectionsMax: 10 }

test('a listener beyond loopback refuses to start unless the operator said that anybody may publish', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'camera-gateway', '']) {
    await assert.rejects(startBroker(deps, { ...options, listen: { host, port: 0 }, anonymous: 'loopback' }), {
      name: 'AccessError',
      code: 'ANONYMOUS_BEYOND_LOOPBACK',
      message: /set mqtt\.listen to 127\.0\.0\.1:1883, or auth\.anonymous: always if every machine/
    })
  }
})

test('a listener that nobody could connect to refuses to start', async () => {
  await assert.rejects(startBroker(deps, { ...options, listen: { host: '127.0.0.1', port: 0 }, anonymous: 'never' }), {
    code: 'NOBODY_MAY_CONNECT', message: /set auth\.anonymous: loopback/
  })
})

test('a port that is taken is told as the system tells it, and nothing keeps running', async (t) => {
  const { port } = await startTestBroker(t)
  await assert.rejects(startBroker(deps, { ...options, listen: { host: '127.0.0.1', port }, anonymous: 'loopback' }), {
    code: 'EADDRINUSE'
  })
})

test('a client that speaks MQTT 5 is refused with words that say what to change', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const device = await openRaw(t, port)
  device.send(connectPacket({ clientId: 'cam-1', version: 5 }))
  await device.receives(connack(1))
  await device.closed()
  const [event, ...more] = seen('connect-refused')
  assert.equal(event?.result, 'unsupported_protocol')
  assert.match(event?.detail ?? '', /^cam-1 speaks MQTT 5; set the client to 3\.1\.1 \(mosquitto_pub -V mqttv311/)
  assert.deepEqual(more, [])
})

test('a client id that cannot be is refused with CONNACK 2 and the socket is closed', async (t) => {
  const { port, seen } = await startTestBroker(t)
  for (const claim of [{ clientId: '', clean: false }, { clientId: 'x'.repeat(257) }]) {
    const device = await openRaw(t, port)
    device.send(connectPacket(claim))
    await device.receives(connack(2))
    await device.closed()
  }
  assert.deepEqual(seen('connect-refused').map(({ result }) => result), Array(2).fill('bad_client_id'))
  await connectRaw(t, port, { clientId: 'x'.repeat(256) })
})

test('no more connections are open than there may be', async (t) => {
  const { port, seen, broker } = await startTestBroker(t, { connectionsMax: 2 })
  const first = await connectRaw(t, port)
  await connectRaw(t, port)
  const third = await openRaw(t, port)
  await third.closed()
  assert.equal(seen('connect-refused')[0]?.result, 'over_limit')
  first.socket.destroy()
  await eventually(() => broker.levels.connections === 1)
  await connectRaw(t, port)
})

test('no more sessions are kept than there may be, and a clean start frees one', async (t) => {
  const { port, seen } = await startTestBroker(t, { limits: { sessionsMax: 1 } })
  const kept = await connectRaw(t, port, { clientId: 'a', clean: false })
  const refused = await openRaw(t, port)
  refused.send(connectPacket({ clientId: 'b', clean: false }))
  await refused.receives(connack(3))
  assert.equal(seen('connect-refused')[0]?.result, 'over_limit')
  kept.socket.destroy()
  await connectRaw(t, port, { clientId: 'a', clean: true })
  await connectRaw(t, port, { clientId: 'b', clean: false })
})

test('a connection ends for the reason it ended for', async (t) => {
  const { port, seen } = await startTestBroker(t)
  const polite = await connectDevice(t, port, { clientId: 'polite' })
  await polite.endAsync()
  const lost = await connectRaw(t, port, { clientId: 'lost' })
  lost.socket.resetAndDestroy()
  const wrong = await connectRaw(t, port, { clientId: 'wrong' })
  wrong.send(publishPacket({ topic: 'a/+/b', payload: Buffer.alloc(1) }))
  await wrong.closed()
  await eventually(() => seen('client-disconnected').length === 3)
  assert.deepEqual(seen('client-disconnected').map(({ clientId, reason, detail }) => [clientId, reason, detail]), [
    ['polite', 'client', undefined],
    ['lost', 'socket_error', undefined],
    ['wrong', 'refused', 'a PUBLISH to a topic with a wildcard in it [MQTT-3.3.2-2]']
  ])
})

test('a bug in custody acknowledges nothing and ends the process', async () => {
  const program = `
    import { startBroker } from './broker/broker.ts'
    import { MemoryBudget } from './broker/budget.ts'
    import mqtt from 'mqtt'
    const broker = await startBroker({
      takeCustody: async () => { throw new Error('the spool has a bug') }, observe () {}, budget: new MemoryBudget(1e6)
    }, {
      listen: { host: '127.0.0.1', port: 0 }, topicPrefix: 'devices', packetBytesMax: 1e6, connectionsMax: 9, anonymous: 'loopback'
    })
    const device = await mqtt.connectAsync('mqtt://127.0.0.1:' + broker.port)
    await device.publishAsync('devices/cam-1/images', 'x', { qos: 1 })
    console.log('acknowledged')`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], { stdio: 'pipe' })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { printed += String(chunk) })
  const [code] = await once(child, 'close')
  assert.match(printed, /the spool has a bug/)
  assert.doesNotMatch(printed, /acknowledged/)
  assert.equal(code, 1)
})
