import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Identities } from '../broker/identities.ts'
import { defaultLimits } from '../broker/limits.ts'
import { formatHash, hashPassword } from '../broker/password-hash.ts'
import { parsePasswords } from '../broker/passwords.ts'
import type { DeviceId } from '../broker/topics.ts'
import { accessOf, connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice, connectReader, publishPacket, startTestBroker } from './helpers/mqtt.ts'

const users = { 'cam-1': 'one', 'cam-2': 'two' }
const writing = 'user cam-2\ntopic write site/#'

test('a session that is kept gets nothing that its user may not read any more, also what it gathered while away', async (t) => {
  const access = await accessOf(users, `${writing}\nuser cam-1\ntopic read site/#`)
  const { port, broker } = await startTestBroker(t, { access, anonymous: 'never' })
  const options = { clientId: 'x', clean: false, username: 'cam-1', password: 'one' }
  const before = await connectDevice(t, port, options)
  await before.subscribeAsync({ 'site/#': { qos: 1 }, 'devices/cam-1/acks': { qos: 1 } })
  await before.endAsync()
  const { rules } = await accessOf({}, writing)
  broker.configureAccess({ passwords: access.passwords, rules })
  const writer = await connectDevice(t, port, { username: 'cam-2', password: 'two' })
  await writer.publishAsync('site/door', 'secret', { qos: 1 })
  broker.notify('cam-1' as DeviceId, { v: 1, status: 'uploaded', at: '' })
  const { messages } = await connectReader(t, port, options)
  await eventually(() => messages.some(({ topic }) => topic === 'devices/cam-1/acks'))
  assert.deepEqual(messages.map(({ topic }) => topic), ['devices/cam-1/acks'])
})

test('who is refused does not end the QoS 2 exchanges of the session whose name it would have had', async (t) => {
  const { port } = await startTestBroker(t, {
    access: await accessOf(users, `${writing}\nuser cam-1\ntopic read site/#`), anonymous: 'never'
  })
  const { device: reader, messages } = await connectReader(t, port, { username: 'cam-1', password: 'one' })
  await reader.subscribeAsync('site/#', { qos: 1 })
  const options = { clientId: 'x', username: 'cam-2', password: 'two' }
  const { stream } = await connectDevice(t, port, { ...options, clean: false })
  const publish = (topic: string): void => {
    stream.write(publishPacket({ topic, payload: Buffer.from('open'), qos: 2, packetId: 7 }))
  }
  publish('site/door')
  await eventually(() => messages.length === 1)
  assert.equal(await connackOf(t, port, { ...options, password: 'no' }), 4)
  publish('site/door')
  stream.write(publishPacket({ topic: 'site/last', payload: Buffer.from('x'), qos: 1, packetId: 8 }))
  await eventually(() => messages.some(({ topic }) => topic === 'site/last'))
  assert.deepEqual(messages.map(({ topic }) => topic), ['site/door', 'site/last'])
})

test('the time that a refusal takes does not tell which names there are, whatever iterations the file has', async () => {
  const coded = formatHash(await hashPassword('one', 100_000))
  const { passwords } = parsePasswords(`cam-1:${coded}`)
  const identities = new Identities({ passwords }, { ...defaultLimits, topicPrefix: 'devices' })
  const msOf = async (username: string): Promise<number> => {
    const startedAt = performance.now()
    await identities.verify({ username, password: Buffer.from('no'), address: 'a' })
    return performance.now() - startedAt
  }
  const [known, unknown] = [await msOf('cam-1'), await msOf('cam-9')]
  assert.ok(unknown > known / 5, `${unknown} ms for a name that there is not, ${known} ms for one that there is`)
})
