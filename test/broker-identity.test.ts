import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { DeviceId } from '../broker/topics.ts'
import { accessOf, connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice, connectReader, nextMessage, startTestBroker, type TestBroker } from './helpers/mqtt.ts'

const image = Buffer.alloc(2_000, 7)
const users = { 'cam-1': 'one', 'cam-2': 'two' }

async function startNamed (t: TestContext, acl?: string): Promise<TestBroker> {
  return await startTestBroker(t, { access: await accessOf(users, acl), anonymous: 'never', limits: { guessPauseMs: 5 } })
}

test('a name with its password is let in; a wrong one, an unknown one and none are refused with their own codes', async (t) => {
  const { port, seen } = await startNamed(t)
  const codeOf = (...[username, password]: string[]): Promise<number> => connackOf(t, port, {
    ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password })
  }) // the client takes no undefined for nothing
  assert.equal(await codeOf('cam-1', 'one'), 0)
  assert.equal(await codeOf('cam-1', 'one'), 0, 'known again')
  assert.equal(await codeOf('cam-1', 'two'), 4)
  assert.equal(await codeOf('cam-9', 'one'), 4)
  assert.equal(await codeOf('cam-1'), 4)
  assert.equal(await codeOf('a/b', 'one'), 4)
  assert.equal(await codeOf(), 5)
  assert.deepEqual(seen('connect-refused').map(({ result }) => result),
    ['bad_credentials', 'bad_credentials', 'bad_credentials', 'bad_credentials', 'not_authorized'])
  assert.equal(seen('connect-refused')[0]?.detail, 'a wrong name or password for "cam-1" from 127.0.0.1')
})

test('beside names, clients without one are let in where auth.anonymous says so, and a wrong name is not one of them', async (t) => {
  const { port } = await startTestBroker(t, { access: await accessOf(users), anonymous: 'loopback' })
  assert.equal(await connackOf(t, port, {}), 0)
  assert.equal(await connackOf(t, port, { username: 'cam-1', password: 'no' }), 4)
})

test('with names a listener beyond loopback starts, and one that lets in nobody else too', async (t) => {
  const { port } = await startTestBroker(t, {
    access: await accessOf(users), anonymous: 'loopback', listen: { host: '0.0.0.0', port: 0 }
  })
  assert.equal(await connackOf(t, port, { username: 'cam-2', password: 'two' }), 0)
})

test('a device publishes as itself, and what it publishes as another is acknowledged and dropped', async (t) => {
  const taken: string[] = []
  const { port, seen } = await startTestBroker(t, {
    access: await accessOf(users),
    takeCustody: async ({ topic }) => { taken.push(topic); return { kind: 'taken' } }
  })
  const device = await connectDevice(t, port, { username: 'cam-1', password: 'one' })
  await device.publishAsync('devices/cam-2/images/a', image, { qos: 1 })
  await device.publishAsync('devices/cam-1/images/a', image, { qos: 1 })
  assert.deepEqual(taken, ['devices/cam-1/images/a'])
  assert.match(seen('topic-refused')[0]?.detail ?? '', /a device publishes below its own topic/)
})

test('a will to a topic of another device is not published, one to its own is', async (t) => {
  const { port, seen } = await startNamed(t, 'user cam-2\ntopic read devices/+/status')
  const { device: reader, messages } = await connectReader(t, port, { username: 'cam-2', password: 'two' })
  await reader.subscribeAsync('devices/+/status', { qos: 1 })
  for (const owner of ['cam-2', 'cam-1']) {
    const will = { topic: `devices/${owner}/status`, payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const device = await connectDevice(t, port, { username: 'cam-1', password: 'one', will })
    device.stream.destroy()
  }
  await eventually(() => messages.length > 0)
  assert.deepEqual(messages.map(({ topic }) => topic), ['devices/cam-1/status'])
  assert.deepEqual(seen('topic-refused').map(({ topic }) => topic), ['devices/cam-2/status'])
})

test('nobody takes over the session of another user by its client id', async (t) => {
  const { port, broker, seen } = await startTestBroker(t, { access: await accessOf(users), anonymous: 'loopback' })
  const device = await connectDevice(t, port, { clientId: 'cam-1', username: 'cam-1', password: 'one' })
  await connectDevice(t, port, { clientId: 'cam-1', username: 'cam-2', password: 'two' })
  await connectDevice(t, port, { clientId: 'cam-1' })
  assert.equal(await connackOf(t, port, { clientId: 'cam-1:cam-1' }), 2)
  assert.deepEqual([broker.levels.connections, device.connected, seen('client-disconnected').length], [3, true, 0])
  await connectDevice(t, port, { clientId: 'cam-1', username: 'cam-1', password: 'one' })
  const ended = await eventually(() => seen('client-disconnected')[0])
  assert.deepEqual([ended.clientId, ended.reason], ['cam-1:cam-1', 'takeover'])
})

test('a session that is kept for a device gets what it may read, also while it is away', async (t) => {
  const { port, broker } = await startNamed(t)
  const options = { clientId: 'x', clean: false, username: 'cam-1', password: 'one' }
  const device = await connectDevice(t, port, options)
  // In one packet: Aedes keeps all of its filters as soon as one of them is granted.
  await device.subscribeAsync({ 'devices/cam-1/acks': { qos: 1 }, 'devices/cam-2/acks': { qos: 1 } }).catch(() => {})
  await device.endAsync()
  await eventually(() => broker.levels.connections === 0)
  for (const id of ['cam-2', 'cam-1']) broker.notify(id as DeviceId, { v: 1, id, status: 'uploaded', at: '' })
  const { messages } = await connectReader(t, port, options)
  await eventually(() => messages.length > 0)
  assert.deepEqual(messages.map(({ topic }) => topic), ['devices/cam-1/acks'])
})

test('names read again end the sessions whose password changed or is gone, and no other', async (t) => {
  const { port, broker, seen } = await startNamed(t)
  const stays = await connectDevice(t, port, { username: 'cam-2', password: 'two' })
  const goes = await connectDevice(t, port, { clientId: 'a', username: 'cam-1', password: 'one' })
  const two = (await accessOf(users)).passwords?.get('cam-1')
  assert.ok(two)
  const { passwords } = await accessOf(users)
  assert.equal(broker.configureAccess({ passwords: new Map([['cam-1', two]]) }), 2, 'other salts are other passwords')
  await eventually(() => !stays.connected && !goes.connected)
  assert.deepEqual(seen('client-disconnected').map(({ reason }) => reason), ['operator', 'operator'])
  assert.equal(broker.configureAccess({ passwords }), 0)
  const kept = await connectDevice(t, port, { username: 'cam-2', password: 'two' })
  await connectDevice(t, port, { username: 'cam-1', password: 'one' })
  const left = new Map([...passwords ?? []].filter(([name]) => name === 'cam-2'))
  assert.equal(broker.configureAccess({ passwords: left }), 1)
  assert.equal(await connackOf(t, port, { username: 'cam-1', password: 'one' }), 4, 'what was known is forgotten')
  await kept.publishAsync('devices/cam-2/images', image, { qos: 1 })
})

test('rules read again hold for sessions that go on, and end one that is subscribed to what it may not read any more', async (t) => {
  const acl = 'user cam-1\ntopic readwrite site/#\nuser cam-2\ntopic write site/#'
  const { port, broker, seen } = await startNamed(t, acl)
  const [reader, writer] = await Promise.all(Object.entries(users).map(([username, password]) =>
    connectDevice(t, port, { username, password })))
  assert.ok(reader !== undefined && writer !== undefined)
  await reader.subscribeAsync('site/#', { qos: 1 })
  await writer.publishAsync('site/door', 'open', { qos: 1 })
  assert.equal(seen('topic-refused').length, 0)
  const { passwords } = await accessOf(users)
  const same = { passwords, rules: undefined }
  broker.configureAccess(same)
  await eventually(() => !reader.connected && !writer.connected)
  const late = await connectDevice(t, port, { username: 'cam-2', password: 'two' })
  const { rules } = await accessOf({}, acl)
  assert.equal(broker.configureAccess({ passwords, rules }), 0)
  await late.publishAsync('site/door', 'open', { qos: 1 })
  assert.equal(broker.configureAccess(same), 0)
  await late.publishAsync('site/door', 'open', { qos: 1 })
  assert.deepEqual(seen('topic-refused').map(({ topic }) => topic), ['site/door'])
  broker.configureAccess({ passwords, rules })
  const again = await connectDevice(t, port, { clientId: 'again', username: 'cam-1', password: 'one' })
  await again.subscribeAsync('site/#', { qos: 1 })
  assert.equal(broker.configureAccess(same), 1)
  await eventually(() => !again.connected)
  assert.equal(late.connected, true)
  assert.match(seen('client-disconnected').at(-1)?.detail ?? '', /cam-1 may not read any more what it is subscribed to/)
})

test('a device hears its config from whom a rule lets write it, and writes none itself', async (t) => {
  const access = await accessOf({ 'cam-1': 'one', back: 'two' }, 'user back\ntopic write devices/+/config')
  const { port, seen } = await startTestBroker(t, { access, anonymous: 'never' })
  const device = await connectDevice(t, port, { clientId: 'cam-1', username: 'cam-1', password: 'one' })
  await device.subscribeAsync('devices/cam-1/config')
  const heard = nextMessage(device)
  await device.publishAsync('devices/cam-1/config', 'mine', { qos: 1 })
  const back = await connectDevice(t, port, { clientId: 'back', username: 'back', password: 'two' })
  await back.publishAsync('devices/cam-1/responses', 'not granted', { qos: 1 })
  await back.publishAsync('devices/cam-1/config', 'theirs', { qos: 1 })
  assert.equal((await heard).payload.toString(), 'theirs')
  assert.deepEqual(seen('topic-refused').map(({ clientId, reason }) => [clientId.split(':')[0], reason]),
    [['cam-1', 'not_authorized'], ['back', 'not_authorized']])
})
