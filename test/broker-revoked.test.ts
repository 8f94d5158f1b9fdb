import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { readRevokedSerials, readSerial } from '../broker/revoked-serials.ts'
import { Authority } from './helpers/authority.ts'
import { eventually } from './helpers/eventually.ts'
import { connectOrNot, connectPacket, startTestBroker } from './helpers/mqtt.ts'
import { startService } from './helpers/process.ts'
import { runSluice, tempDirectory } from './helpers/sluice.ts'

const BROKEN_LIST = '-----BEGIN X509 CRL-----\nMAAw\n-----END X509 CRL-----\n'
const listen = { host: '127.0.0.1', port: 0 }

async function startAuthority (t: TestContext, name?: string): Promise<Authority> {
  return new Authority(await tempDirectory(t), name)
}

for (const kind of ['tls', 'wss'] as const) {
  test(`over ${kind} a device whose certificate is in the list is refused, and no other`, async (t) => {
    const authority = await startAuthority(t)
    const [gateway, good, bad] = [await authority.sign('/CN=gateway'), await authority.sign('/CN=cam-1'), await authority.sign('/CN=cam-2')]
    const ca = await authority.root
    const at = { listen, keys: { ...gateway, clientCa: ca, crl: await authority.revoke(bad.cert) } }
    const { broker, seen } = await startTestBroker(t, kind === 'tls' ? { tls: at } : { ws: { listen: undefined, tls: at } })
    const url = kind === 'tls' ? `mqtts://127.0.0.1:${broker.tlsPort}` : `wss://127.0.0.1:${broker.wssPort}`
    const connect = async (pair: object): Promise<boolean> =>
      (await connectOrNot(t, url, { ca, ...pair, ...kind === 'wss' ? { wsOptions: { ca, ...pair } } : {} })).connected
    assert.deepEqual([await connect(bad), await connect(good)], [false, true])
    assert.match(seen('connect-refused')[0]?.detail ?? '', /its certificate was revoked \(mqtt\.tls\.crl\)/)
  })
}

test('of two authorities in one file both lists count', async (t) => {
  const [one, two] = [await startAuthority(t, 'one'), await startAuthority(t, 'two')]
  const [gateway, first, second, bad] = [
    await one.sign('/CN=gateway'), await one.sign('/CN=cam-1'), await two.sign('/CN=cam-2'), await two.sign('/CN=cam-3')
  ]
  const clientCa = await one.root + await two.root
  const keys = { ...gateway, clientCa, crl: await one.revoke() + await two.revoke(bad.cert) }
  const { broker } = await startTestBroker(t, { tls: { listen, keys } })
  const ca = await one.root
  const connect = async (pair: object): Promise<boolean> =>
    (await connectOrNot(t, `mqtts://127.0.0.1:${broker.tlsPort}`, { ca, ...pair })).connected
  assert.deepEqual([await connect(first), await connect(second), await connect(bad)], [true, true, false])
})

test('when a certificate is revoked its session ends, the others go on, and it does not come back', async (t) => {
  const authority = await startAuthority(t)
  const [gateway, good, bad] = [await authority.sign('/CN=gateway'), await authority.sign('/CN=cam-1'), await authority.sign('/CN=cam-2')]
  const ca = await authority.root
  const keys = { ...gateway, clientCa: ca, crl: await authority.revoke() }
  const { broker, seen } = await startTestBroker(t, { tls: { listen, keys } })
  const connect = (pair: object) => connectOrNot(t, `mqtts://127.0.0.1:${broker.tlsPort}`, { ca, ...pair })
  const [stays, goes] = [await connect(good), await connect(bad)]
  assert.deepEqual([stays.connected, goes.connected], [true, true])
  assert.equal(broker.configureTls({ ...keys, crl: await authority.revoke(bad.cert) }), 1)
  const ended = await eventually(() => seen('client-disconnected')[0])
  assert.deepEqual([ended.clientId.split(':')[0], ended.reason], ['cam-2', 'operator'])
  assert.equal((await connect(bad)).connected, false)
  await stays.publishAsync('devices/cam-1/status', 'here', { qos: 1 })
})

test('a certificate with the serial number that another authority has revoked goes on', async (t) => {
  const [one, two] = [await startAuthority(t, 'one'), await startAuthority(t, 'two')]
  const [gateway, bad, good] = [
    await one.sign('/CN=gateway'), await one.sign('/CN=cam-1', undefined, '01'), await two.sign('/CN=cam-2', undefined, '01')
  ]
  const keys = { ...gateway, clientCa: await one.root + await two.root, crl: await one.revoke() + await two.revoke() }
  const { broker, seen } = await startTestBroker(t, { tls: { listen, keys } })
  const ca = await one.root
  const connect = (pair: object) => connectOrNot(t, `mqtts://127.0.0.1:${broker.tlsPort}`, { ca, ...pair })
  const [goes, stays] = [await connect(bad), await connect(good)]
  assert.deepEqual([goes.connected, stays.connected], [true, true])
  assert.equal(broker.configureTls({ ...keys, crl: await one.revoke(bad.cert) + await two.revoke() }), 1)
  assert.equal((await eventually(() => seen('client-disconnected')[0])).clientId.split(':')[0], 'cam-1')
  await stays.publishAsync('devices/cam-2/status', 'here', { qos: 1 })
})

test('a certificate that was revoked between its handshake and its CONNECT is refused', async (t) => {
  const authority = await startAuthority(t)
  const [gateway, bad] = [await authority.sign('/CN=gateway'), await authority.sign('/CN=cam-1')]
  const ca = await authority.root
  const keys = { ...gateway, clientCa: ca, crl: await authority.revoke() }
  const { broker, seen } = await startTestBroker(t, { tls: { listen, keys } })
  const socket = connectTls({ host: '127.0.0.1', port: broker.tlsPort ?? 0, ca, ...bad })
  t.after(() => { socket.destroy() })
  await once(socket, 'session') // sent once the server has taken the certificate
  broker.configureTls({ ...keys, crl: await authority.revoke(bad.cert) })
  socket.write(connectPacket({ clientId: 'cam-1' }))
  const [connack] = await once(socket, 'data') as [Buffer]
  assert.equal(connack[3], 4)
  assert.match(seen('connect-refused')[0]?.detail ?? '', /its certificate was revoked \(mqtt\.tls\.crl\)/)
})

test('SIGHUP reads the list again', async (t) => {
  const authority = await startAuthority(t)
  const [gateway, device] = [await authority.sign('/CN=gateway'), await authority.sign('/CN=cam-1')]
  const directory = join(authority.directory, 'service')
  await mkdir(directory)
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text)
    return join(directory, name)
  }
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const service = await startService(t, {
    env: {
      SLUICE_MQTT_TLS_LISTEN: `127.0.0.1:${port}`,
      SLUICE_MQTT_TLS_CERT: await write('cert.pem', gateway.cert),
      SLUICE_MQTT_TLS_KEY: await write('key.pem', gateway.key),
      SLUICE_MQTT_TLS_CLIENT_CA: await write('ca.pem', await authority.root),
      SLUICE_MQTT_TLS_CRL: await write('crl.pem', await authority.revoke())
    }
  })
  const ca = await authority.root
  const one = await connectOrNot(t, `mqtts://127.0.0.1:${port}`, { ca, ...device })
  assert.equal(one.connected, true)
  await write('crl.pem', await authority.revoke(device.cert))
  process.kill(service.pid, 'SIGHUP')
  await eventually(() => !one.connected)
  await eventually(() => service.stderr().includes('connections that are there go on, but for 1 whose certificate was revoked'))
})

test('a file without a list, and a list without an authority, are told of before anything starts', async (t) => {
  const authority = await startAuthority(t)
  const cwd = authority.directory
  const { cert, key } = await authority.sign('/CN=gateway')
  const files = { cert, key, ca: await authority.root, empty: '', crl: await authority.revoke(), broken: await authority.revoke() + BROKEN_LIST }
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(cwd, `${name}.pem`), text)))
  const flags = ['--mqtt-tls-listen', '127.0.0.1:0', '--mqtt-tls-cert', 'cert.pem', '--mqtt-tls-key', 'key.pem']
  const without = await runSluice(t, ['check', ...flags, '--mqtt-tls-client-ca', 'ca.pem', '--mqtt-tls-crl', 'empty.pem'], { cwd })
  assert.match(without.stderr + without.stdout, /mqtt\.tls\.crl: empty\.pem holds no revocation list; make one with/)
  const broken = await runSluice(t, ['check', ...flags, '--mqtt-tls-client-ca', 'ca.pem', '--mqtt-tls-crl', 'broken.pem'], { cwd })
  assert.match(broken.stderr + broken.stdout, /mqtt\.tls: cannot be spoken with .*broken\.pem/, 'the second list in it is none')
  const vain = await runSluice(t, ['check', ...flags, '--mqtt-tls-crl', 'crl.pem'], { cwd })
  assert.match(vain.stderr + vain.stdout, /revokes certificates that nobody is asked for/)
})

test('the serial numbers in a list are read as openssl wrote them, and what is no list has none', async (t) => {
  const authority = await startAuthority(t)
  const certificates = await Promise.all([(await authority.sign('/CN=a')).cert, (await authority.sign('/CN=b')).cert])
  const serials = certificates.map((cert) => readSerial(new X509Certificate(cert).raw))
  const numbers = serials.map((serial) => serial.replace(/^.* 0*/, '').toUpperCase())
  assert.deepEqual(numbers, certificates.map((cert) => new X509Certificate(cert).serialNumber.replace(/^0+/, '')))
  assert.deepEqual([...readRevokedSerials(await authority.revoke(...certificates))].sort(), serials.sort())
  assert.equal(readRevokedSerials(await (await startAuthority(t)).revoke()).size, 0)
  for (const text of ['', 'x', BROKEN_LIST]) assert.equal(readRevokedSerials(text).size, 0)
})
