import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { IClientOptions, MqttClient } from 'mqtt'
import { accessOf } from './helpers/access.ts'
import { Authority } from './helpers/authority.ts'
import { eventually } from './helpers/eventually.ts'
import { connectOrNot, startTestBroker, type TestBroker, type TestBrokerOptions } from './helpers/mqtt.ts'
import { runSluice, tempDirectory } from './helpers/sluice.ts'

interface Site extends TestBroker {
  readonly authority: Authority
  readonly tlsPort: number
  connect (options?: IClientOptions): Promise<MqttClient>
}

async function startSite (t: TestContext, isMutual: boolean, options: TestBrokerOptions = {}): Promise<Site> {
  const authority = new Authority(await tempDirectory(t))
  const [keys, ca] = [await authority.sign('/CN=gateway'), await authority.root]
  const tls = { listen: { host: '127.0.0.1', port: 0 }, keys: { ...keys, clientCa: isMutual ? ca : undefined } }
  const started = await startTestBroker(t, { tls, ...options })
  const tlsPort = started.broker.tlsPort ?? 0
  const connect = (own: IClientOptions = {}): Promise<MqttClient> =>
    connectOrNot(t, `mqtts://127.0.0.1:${tlsPort}`, { ca, ...own })
  return { ...started, authority, tlsPort, connect }
}

const image = Buffer.alloc(250_000, 7)

test('images go over TLS as over TCP, with a name and its password', async (t) => {
  const taken: number[] = []
  const { connect } = await startSite(t, false, {
    access: await accessOf({ 'cam-1': 'one' }),
    anonymous: 'never',
    takeCustody: async ({ payload }) => { taken.push(payload.length); return { kind: 'taken' } }
  })
  const device = await connect({ username: 'cam-1', password: 'one' })
  await Promise.all(Array.from({ length: 8 }, () => device.publishAsync('devices/cam-1/images', image, { qos: 1 })))
  assert.deepEqual(taken, Array<number>(8).fill(250_000))
  assert.equal((await connect({ username: 'cam-1', password: 'two' })).connected, false)
})

test('TLS 1.1 is refused, and what is no TLS is cut off and told of', async (t) => {
  const { tlsPort, seen } = await startSite(t, false)
  const old = connectTls({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await once(old, 'error')
  const plain = connectTcp(tlsPort, '127.0.0.1')
  plain.on('error', () => {}) // reset
  plain.write('\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0')
  await once(plain, 'close')
  await eventually(() => seen('connect-refused').length === 2)
  const refused = seen('connect-refused')
  assert.deepEqual(refused.map(({ result }) => result), ['unsupported_protocol', 'unsupported_protocol'])
})

test('a handshake that does not go on is cut off in time', async (t) => {
  const { tlsPort, seen } = await startSite(t, false, { limits: { connectMs: 100 } })
  const idle = connectTcp(tlsPort, '127.0.0.1')
  idle.on('error', () => {}) // reset
  await once(idle.resume(), 'close')
  assert.equal(seen('connect-refused')[0]?.result, 'timeout')
})

test('a certificate is who the device is: by its common name, else by its DNS name, and no other user name stands beside it', async (t) => {
  const { authority, connect, seen } = await startSite(t, true, { anonymous: 'never' })
  const device = await connect(await authority.sign('/CN=cam-1'))
  await device.publishAsync('devices/cam-2/images', image, { qos: 1 })
  assert.deepEqual(seen('topic-refused').map(({ topic }) => topic), ['devices/cam-2/images'])
  const byDns = await connect(await authority.sign('/O=a site', 'DNS:cam-2'))
  await byDns.publishAsync('devices/cam-2/images', image, { qos: 1 })
  assert.deepEqual([device.connected, byDns.connected, seen('topic-refused').length], [true, true, 1])
  assert.equal((await connect({ ...await authority.sign('/CN=cam-1'), username: 'cam-2', password: 'x' })).connected, false)
})

test('no certificate, one that another authority signed and one without a usable name are refused', async (t) => {
  const { authority, connect, seen } = await startSite(t, true)
  const stranger = new Authority(await tempDirectory(t))
  for (const pair of [{}, await stranger.sign('/CN=cam-1'), await authority.sign('/CN=a b')]) {
    assert.equal((await connect(pair)).connected, false)
  }
  await eventually(() => seen('connect-refused').length === 3)
  const refused = seen('connect-refused')
  assert.ok(refused.every(({ result }) => result === 'bad_credentials'))
  assert.match(refused[2]?.detail ?? '', /no common name or DNS name that a user may have/)
  assert.equal(seen('client-connected').length, 0)
})

test('renewed certificates hold for new connections, and those that are there go on', async (t) => {
  const { authority, connect, broker, tlsPort } = await startSite(t, false)
  const before = await connect()
  broker.configureTls(await authority.sign('/CN=renewed'))
  const peer = connectTls({ port: tlsPort, host: '127.0.0.1', ca: await authority.root })
  await once(peer, 'secureConnect')
  assert.equal(peer.getPeerCertificate().subject.CN, 'renewed')
  peer.destroy()
  await before.publishAsync('devices/cam-1/images', image, { qos: 1 })
})

test('files that are no certificate, or do not go together, are told by name before anything starts', async (t) => {
  const cwd = await tempDirectory(t)
  const authority = new Authority(cwd)
  const [one, other] = [await authority.sign('/CN=one'), await authority.sign('/CN=other')]
  await writeFile(join(cwd, 'cert.pem'), one.cert)
  await writeFile(join(cwd, 'key.pem'), other.key)
  const flags = ['--mqtt-tls-listen', '127.0.0.1:0', '--mqtt-tls-cert', 'cert.pem']
  const without = await runSluice(t, ['serve', ...flags], { cwd })
  assert.match(without.stderr + without.stdout, /mqtt\.tls\.key: null names no file, and mqtt\.tls\.listen needs one/)
  const { code, stderr, stdout } = await runSluice(t, ['check', ...flags, '--mqtt-tls-key', 'key.pem'], { cwd })
  assert.equal(code, 78)
  assert.match(stderr + stdout, /mqtt\.tls: cannot be spoken with cert\.pem, key\.pem \(.*mismatch.*\)/)
})

test('a clientCa file without a certificate keeps a service from starting, or every public authority would be trusted', async (t) => {
  const cwd = await tempDirectory(t)
  const { cert, key } = await new Authority(cwd).sign('/CN=gateway')
  await Promise.all(Object.entries({ cert, key, ca: '' }).map(([name, text]) => writeFile(join(cwd, `${name}.pem`), text)))
  const flags = ['cert', 'key', 'client-ca'].flatMap((name) => [`--mqtt-tls-${name}`, `${name.replace('client-', '')}.pem`])
  const { code, stderr, stdout } = await runSluice(t, ['check', '--mqtt-tls-listen', '127.0.0.1:0', ...flags], { cwd })
  assert.equal(code, 78)
  assert.match(stderr + stdout, /mqtt\.tls\.clientCa: ca\.pem holds no certificate; put the root/)
})
