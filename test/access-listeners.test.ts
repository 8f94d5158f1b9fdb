// The authorisation matrix once more, on every listener and by every proof of who somebody is.

import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { SignJWT } from 'jose'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { Access } from '../broker/identities.ts'
import { parseSecret } from '../broker/token-keys.ts'
import { accessOf } from './helpers/access.ts'
import { Authority } from './helpers/authority.ts'
import { eventually } from './helpers/eventually.ts'
import { startTestBroker } from './helpers/mqtt.ts'
import { tempDirectory } from './helpers/sluice.ts'

type Role = 'device' | 'viewer' | 'operator' | 'nameless'
type Table = Readonly<Record<string, readonly Role[]>>

const written: Table = {
  'devices/cam-1/images': ['device'],
  'devices/cam-1/images/a1': ['device'],
  'devices/cam-1/acks': [],
  'devices/cam-2/images': [],
  'devices/cam-2/status': [],
  'devices/cam-10/images/a1': [],
  'devices/vera/images': [],
  'devices/otto/images': [],
  '$SYS/broker/uptime': [],
  'sluice/site/state': [],
  'site/door': ['nameless']
}

const read: Table = {
  'devices/cam-1/acks': ['device', 'viewer', 'operator'],
  'devices/cam-1/config': ['device', 'operator'],
  'devices/cam-1/status': ['viewer', 'operator'],
  'devices/cam-1/images': [],
  'devices/cam-2/acks': ['viewer', 'operator'],
  'devices/cam-2/responses/1': ['operator'],
  'devices/+/acks': ['viewer', 'operator'],
  'devices/#': ['operator'],
  '#': ['operator'],
  '+/#': ['operator'],
  '$SYS/#': ['viewer', 'operator'],
  '$SYS/broker/uptime': ['viewer', 'operator'],
  'site/door': ['operator', 'nameless']
}

interface Column {
  readonly name: string
  readonly role: Role
  readonly options: IClientOptions
}

const secret = 'a secret of more than thirty-two bytes'
const tokenOf = (sub: string, role?: Role): Promise<string> => new SignJWT(role === undefined ? {} : { role })
  .setProtectedHeader({ alg: 'HS256' }).setSubject(sub).setExpirationTime('1m').sign(createSecretKey(Buffer.from(secret)))

async function access (): Promise<Access> {
  const revoked = { ids: new Set<string>(), subjects: new Set<string>() }
  const tokens = { keys: parseSecret(secret).keys, issuer: undefined, audience: undefined, revoked }
  const roles = { operators: new Set(['otto']), viewers: new Set(['vera']) }
  return { ...await accessOf({ 'cam-1': 'one', vera: 'two', otto: 'three' }), tokens, roles }
}

/** Of the listeners where a password says who somebody is, and of those where a certificate does. */
async function columns (authority: Authority): Promise<Record<'word' | 'certificate', readonly Column[]>> {
  const word = [
    { name: 'nameless', role: 'nameless', options: {} },
    { name: 'cam-1 by password', role: 'device', options: { username: 'cam-1', password: 'one' } },
    { name: 'vera by password', role: 'viewer', options: { username: 'vera', password: 'two' } },
    { name: 'otto by password', role: 'operator', options: { username: 'otto', password: 'three' } },
    { name: 'cam-1 by token', role: 'device', options: { username: 'cam-1', password: await tokenOf('cam-1') } },
    { name: 'viv by token', role: 'viewer', options: { username: 'viv', password: await tokenOf('viv', 'viewer') } },
    { name: 'olga by token', role: 'operator', options: { username: 'olga', password: await tokenOf('olga', 'operator') } }
  ] as const
  const pairOf = (name: string) => authority.sign(`/CN=${name}`)
  const both = { ...await pairOf('cam-1'), username: 'cam-1', password: await tokenOf('cam-1', 'operator') }
  const certificate = [
    { name: 'cam-1 by certificate', role: 'device', options: await pairOf('cam-1') },
    { name: 'vera by certificate', role: 'viewer', options: await pairOf('vera') },
    { name: 'otto by certificate', role: 'operator', options: await pairOf('otto') },
    { name: 'cam-1 by certificate, with a token', role: 'device', options: both }
  ] as const
  return { word, certificate }
}

async function startListeners (t: TestContext, authority: Authority, isMutual: boolean) {
  const ca = await authority.root
  const listen = { host: '127.0.0.1', port: 0 }
  const at = { listen, keys: { ...await authority.sign('/CN=gateway'), clientCa: isMutual ? ca : undefined } }
  const started = await startTestBroker(t, { access: await access(), tls: at, ws: { listen, tls: at } })
  const { port, broker: { tlsPort, wsPort, wssPort } } = started
  const secure = [`mqtts://127.0.0.1:${tlsPort}`, `wss://127.0.0.1:${wssPort}`]
  const urls = isMutual ? secure : [`mqtt://127.0.0.1:${port}`, `ws://127.0.0.1:${wsPort}`, ...secure]
  const connect = async (url: string, options: IClientOptions): Promise<MqttClient> => {
    const client = mqtt.connect(url, { ca, reconnectPeriod: 0, ...options })
    client.on('error', () => {}) // what is not connected is found below
    t.after(() => client.endAsync(true))
    await eventually(() => client.connected, { what: `a CONNACK from ${url}` })
    return client
  }
  return { ...started, urls, connect }
}

type Listeners = Awaited<ReturnType<typeof startListeners>>

/** What was judged, and what of it wrongly. */
async function play (
  { urls, connect, seen }: Listeners, all: readonly Column[]
): Promise<{ cells: number, wrong: string[] }> {
  const wrong: string[] = []
  let cells = 0
  for (const url of urls) {
    for (const { name, role, options } of all) {
      const client = await connect(url, options)
      const judge = (verb: string, topic: string, may: boolean, granted: boolean): void => {
        cells++
        if (may !== granted) wrong.push(`${name} ${may ? 'may not' : 'may'} ${verb} ${topic} on ${url}`)
      }
      for (const [topic, granted] of Object.entries(written)) {
        const before = seen('topic-refused').length
        await client.publishAsync(topic, 'x', { qos: 1 })
        judge('publish to', topic, seen('topic-refused').length === before, granted.includes(role))
      }
      for (const [filter, granted] of Object.entries(read)) {
        const may = await client.subscribeAsync(filter, { qos: 0 }).then(([one]) => one?.qos === 0, () => false)
        judge('subscribe to', filter, may, granted.includes(role))
      }
    }
  }
  return { cells, wrong }
}

test('on every listener, whatever proves who somebody is, each role may exactly what is its own', async (t) => {
  const authority = new Authority(await tempDirectory(t))
  const { word, certificate } = await columns(authority)
  const plain = await play(await startListeners(t, authority, false), word)
  const mutual = await play(await startListeners(t, authority, true), certificate)
  t.diagnostic(`${plain.cells + mutual.cells} cells`)
  const rows = Object.keys(written).length + Object.keys(read).length
  assert.equal(plain.cells + mutual.cells, (4 * word.length + 2 * certificate.length) * rows)
  assert.deepEqual([...plain.wrong, ...mutual.wrong], [])
})

test('where a certificate says who a device is, no token makes it another one or more than it is', async (t) => {
  const authority = new Authority(await tempDirectory(t))
  const { connect, urls: [url = ''], broker, seen } = await startListeners(t, authority, true)
  const pair = await authority.sign('/CN=cam-1')
  const other = mqtt.connect(url, { ca: await authority.root, reconnectPeriod: 0, ...pair, username: 'cam-2', password: await tokenOf('cam-2') })
  other.on('error', () => {}) // refused
  t.after(() => other.endAsync(true))
  await eventually(() => seen('connect-refused').length === 1)
  assert.match(seen('connect-refused')[0]?.detail ?? '', /its certificate is of cam-1/)
  const device = await connect(url, { ...pair, username: 'cam-1', password: await tokenOf('cam-1') })
  assert.equal(broker.configureAccess({ ...await access(), tokens: undefined }), 0)
  assert.equal(device.connected, true, 'the certificate is still good')
})
