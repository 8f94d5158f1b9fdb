import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { accessOf } from './helpers/access.ts'
import { makeCertificate } from './helpers/certificate.ts'
import { eventually } from './helpers/eventually.ts'
import {
  connack, connectOrNot, connectPacket, puback, publishPacket, startTestBroker, type TestBrokerOptions
} from './helpers/mqtt.ts'
import { tempDirectory } from './helpers/sluice.ts'

const image = Buffer.alloc(250_000, 7)
const any = { host: '127.0.0.1', port: 0 }

async function startWs (t: TestContext, options: TestBrokerOptions = {}) {
  const taken: number[] = []
  const started = await startTestBroker(t, {
    ws: { listen: any, tls: undefined },
    takeCustody: async ({ payload }) => { taken.push(payload.length); return { kind: 'taken' } },
    ...options
  })
  return { ...started, taken, wsPort: started.broker.wsPort ?? 0 }
}

function openWs (t: TestContext, port: number, headers: Record<string, string> = {}, protocols = ['mqtt']): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocols, { headers })
  socket.on('error', () => {}) // as above
  t.after(() => { socket.terminate() })
  return socket
}

function formatUpgrade (protocol: string): string {
  const head = ['GET / HTTP/1.1', 'host: 127.0.0.1', 'upgrade: websocket', 'connection: upgrade', 'sec-websocket-version: 13',
    `sec-websocket-protocol: ${protocol}`, `sec-websocket-key: ${Buffer.alloc(16, 1).toString('base64')}`]
  return `${head.join('\r\n')}\r\n\r\n`
}

/** `once` would reject where an error comes first. */
const closeOf = (socket: WebSocket): Promise<void> => new Promise((resolve) => { socket.once('close', () => { resolve() }) })

test('images go over WebSocket as over TCP, with a name and its password, and the same rules hold', async (t) => {
  const { wsPort, taken, seen } = await startWs(t, { access: await accessOf({ 'cam-1': 'one' }), anonymous: 'never' })
  const url = `ws://127.0.0.1:${wsPort}`
  const device = await connectOrNot(t, url, { username: 'cam-1', password: 'one' })
  await Promise.all(Array.from({ length: 8 }, () => device.publishAsync('devices/cam-1/images', image, { qos: 1 })))
  assert.deepEqual(taken, Array<number>(8).fill(250_000))
  await device.publishAsync('devices/cam-2/images', image, { qos: 1 })
  assert.equal(seen('topic-refused').length, 1)
  assert.equal((await connectOrNot(t, url, { username: 'cam-1', password: 'two' })).connected, false)
  assert.equal((await connectOrNot(t, url)).connected, false)
})

test('images go over WebSocket with TLS, and certificates are renewed for connections to come', async (t) => {
  const first = await makeCertificate(await tempDirectory(t))
  const second = await makeCertificate(await tempDirectory(t))
  if (first === undefined || second === undefined) return t.skip('there is no openssl')
  const keysOf = ({ cert, key }: typeof first) => ({ cert: cert.toString(), key: key.toString() })
  const { broker, taken } = await startWs(t, { ws: { listen: undefined, tls: { listen: any, keys: keysOf(first) } } })
  const url = `wss://127.0.0.1:${broker.wssPort}`
  const device = await connectOrNot(t, url, { ca: first.cert })
  await device.publishAsync('devices/cam-1/images', image, { qos: 1 })
  broker.configureTls(keysOf(second))
  assert.equal((await connectOrNot(t, url, { ca: first.cert })).connected, false)
  assert.equal((await connectOrNot(t, url, { ca: second.cert })).connected, true)
  await device.publishAsync('devices/cam-1/images', image, { qos: 1 })
  assert.deepEqual(taken, [250_000, 250_000])
})

test('who offers no subprotocol mqtt, sends text, or no WebSocket at all gets no connection', async (t) => {
  const { wsPort, seen } = await startWs(t)
  const other = openWs(t, wsPort, {}, ['chat'])
  await closeOf(other)
  const text = openWs(t, wsPort)
  await once(text, 'open')
  text.send('hello')
  await once(text, 'close')
  const plain = request({ port: wsPort, host: '127.0.0.1' }).end()
  const [response] = await once(plain, 'response') as [{ statusCode: number, resume: () => void }]
  response.resume()
  assert.equal(response.statusCode, 426)
  assert.equal(seen('client-connected').length, 0)
})

test('a page of another site that a browser here shows is nobody from this machine', async (t) => {
  const { wsPort } = await startWs(t)
  const answerTo = async (headers: Record<string, string>): Promise<Buffer> => {
    const socket = openWs(t, wsPort, headers)
    await once(socket, 'open')
    const answer = once(socket, 'message') as Promise<[Buffer]>
    socket.send(connectPacket())
    const [message] = await answer
    return message
  }
  assert.deepEqual(await answerTo({}), connack(0))
  assert.deepEqual(await answerTo({ origin: `http://127.0.0.1:${wsPort + 1}` }), connack(0))
  assert.deepEqual(await answerTo({ origin: 'https://evil.example' }), connack(5))
  assert.deepEqual(await answerTo({ host: 'evil.example', origin: 'http://evil.example' }), connack(5))
  assert.deepEqual(await answerTo({ 'x-forwarded-for': '192.0.2.7' }), connack(5))
})

test('a packet may come in pieces and two in one message, and a message may be no longer than a packet', async (t) => {
  const { wsPort, seen, taken } = await startWs(t, { packetBytesMax: 20_000 })
  const pieces = openWs(t, wsPort)
  await once(pieces, 'open')
  for (const byte of connectPacket({ clientId: 'a' })) pieces.send(Buffer.of(byte))
  await eventually(() => seen('client-connected').length === 1)
  pieces.send(Buffer.alloc(30_000))
  await once(pieces, 'close')
  const first = openWs(t, wsPort)
  await once(first, 'open')
  first.send(Buffer.alloc(9_000, 0x10)) // longer than a CONNECT may be
  await once(first, 'close')
  assert.deepEqual(taken, [])
})

test('an image that takes longer than the keep alive arrives over WebSocket, too, in one message', async (t) => {
  const { wsPort, taken } = await startWs(t)
  const slow = openWs(t, wsPort)
  await once(slow, 'open')
  slow.send(connectPacket({ keepAliveSeconds: 1 }))
  await once(slow, 'message')
  const packet = publishPacket({ topic: 'devices/cam-1/images', payload: image })
  const answers: Buffer[] = []
  slow.on('message', (message: Buffer) => { answers.push(message) })
  const pieces = 10
  for (let nth = 0; nth < pieces; nth++) {
    const piece = packet.subarray(packet.length * nth / pieces, packet.length * (nth + 1) / pieces)
    slow.send(piece, { fin: nth === pieces - 1 })
    await delay(400)
  }
  await eventually(() => answers.length > 0, { what: 'a PUBACK' })
  assert.deepEqual([answers, taken], [[puback(1)], [250_000]])
})

test('a handshake that does not go on is cut off in time', async (t) => {
  const { wsPort } = await startWs(t, { limits: { connectMs: 200 } })
  const idle = connect(wsPort, '127.0.0.1')
  idle.on('error', () => {}) // reset
  idle.write('GET / HTTP/1.1\r\n')
  await once(idle.resume(), 'close')
  const silent = openWs(t, wsPort)
  await once(silent, 'close')
})

test('before it is known who sends it no message is longer than a CONNECT may be, however many came before', async (t) => {
  const { wsPort, seen } = await startWs(t)
  const socket = openWs(t, wsPort)
  const closed = closeOf(socket)
  await once(socket, 'open')
  socket.send(connectPacket().subarray(0, 1))
  socket.send(Buffer.alloc(1_000_000))
  await closed
  assert.deepEqual(seen('limit-reached').map(({ limit }) => limit), ['connect_bytes'])
  assert.equal(seen('connect-refused')[0]?.result, 'over_limit')
})

test('a message longer than a packet may be ends the connection by name', async (t) => {
  const { wsPort, taken, seen } = await startWs(t)
  const socket = openWs(t, wsPort)
  const closed = closeOf(socket)
  await once(socket, 'open')
  socket.send(connectPacket())
  await once(socket, 'message')
  socket.send(Buffer.alloc(30_000_000))
  await closed
  assert.equal((await eventually(() => seen('client-disconnected')[0])).reason, 'refused')
  assert.deepEqual([taken, seen('limit-reached').map(({ limit }) => limit)], [[], ['packet_bytes']])
})

test('an address has no more connections in front of the upgrade than behind it, and one deadline for both', async (t) => {
  const { broker, wsPort, seen } = await startWs(t, { limits: { connectionsPerAddressMax: 3, connectMs: 300 } })
  const open = async (port: number): Promise<boolean> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).resume()
    t.after(() => { socket.destroy() })
    return await Promise.race([once(socket, 'close').then(() => false), delay(150, true)])
  }
  const isOpen = await Promise.all([wsPort, wsPort, wsPort, wsPort].map(open))
  assert.equal(isOpen.filter((one) => !one).length, 1)
  assert.equal(await open(broker.port), false, 'and the limit is of all listeners together')
  assert.deepEqual(seen('limit-reached').map(({ limit }) => limit), ['connections_per_address', 'connections_per_address'])
  await eventually(() => seen('connect-refused').filter(({ result }) => result === 'timeout').length === 3)
  assert.deepEqual(seen('limit-reached').slice(2).map(({ limit }) => limit), ['handshake', 'handshake', 'handshake'])
  assert.equal(await open(broker.port), true, 'once they are gone there is room')
})

test('a connection that is refused at its upgrade is refused once, also where the peer does not hang up', async (t) => {
  const { wsPort, seen } = await startWs(t, { limits: { connectMs: 200 } })
  const socket = connect({ port: wsPort, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => { socket.destroy() })
  let answer = ''
  socket.on('error', () => {}).on('data', (chunk: Buffer) => { answer += chunk.toString() })
  socket.write(formatUpgrade('other'))
  await once(socket, 'end')
  await delay(400)
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.deepEqual(seen('connect-refused').map(({ result }) => result), ['unsupported_protocol'])
})

test('what was spent on the upgrade is not given again to CONNECT', async (t) => {
  const { wsPort, seen } = await startWs(t, { limits: { connectMs: 600, pulseMs: 20 } })
  const socket = connect(wsPort, '127.0.0.1')
  t.after(() => { socket.destroy() })
  const from = performance.now()
  await delay(400)
  socket.write(formatUpgrade('mqtt'))
  socket.resume()
  await once(socket, 'close')
  assert.ok(performance.now() - from < 900, `cut after ${performance.now() - from} ms`)
  assert.equal(seen('connect-refused')[0]?.result, 'timeout')
})
