// What docs/security.md says of attacks on a running service, where no other test shows it.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { deflateSync } from 'node:zlib'
import mqtt from 'mqtt'
import { detectType } from '../bridge/intake/image-type.ts'
import { objectOf } from './contract/object-store.ts'
import { rounds } from './faults/rounds.ts'
import { eventually } from './helpers/eventually.ts'
import { ask, startSite } from './helpers/http.ts'
import { connectDevice, header, openRaw, startTestBroker } from './helpers/mqtt.ts'
import { startService, type Service } from './helpers/process.ts'
import { startScripted, storeAt } from './helpers/s3.ts'

const run = promisify(execFile)
const OVERSIZE = 1_000
const HALF_OPEN = 2_000
/** A second, on a machine that does nothing else: `SLUICE_FAULTS=long`. */
const MS_MAX = rounds({ fast: 5_000, long: 1_000 })

test('each attack that docs/security.md tells of names tests, and each of them is there', async () => {
  const page = await readFile('docs/security.md', 'utf8')
  const attacks = page.split('## Attacks')[1]?.split('\n## ')[0] ?? ''
  const rows = attacks.split('\n').filter((line) => line.startsWith('| ')).slice(1)
  assert.ok(rows.length > 20, `${rows.length} attacks`)
  for (const row of rows) {
    const named = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path)
    assert.ok(named.length > 0, `no test is named: ${row.slice(0, 80)}`)
    for (const path of named) assert.ok(existsSync(path), `${path} is not there`)
  }
})

async function residentBytes ({ pid }: Service): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

async function open (t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}) // cut by the broker
  t.after(() => { socket.destroy() })
  await once(socket, 'connect')
  return socket
}

test('a thousand oversize CONNECTs are each cut within a second of their header, and take no memory', async (t) => {
  const service = await startService(t)
  const before = await residentBytes(service)
  const delaysMs = await Promise.all(Array.from({ length: OVERSIZE }, async () => {
    const socket = await open(t, service.mqttPort)
    socket.resume()
    const closed = once(socket, 'close')
    const sentAt = performance.now()
    socket.write(Buffer.concat([header(0x10, 100_000_000), Buffer.alloc(1_000)]))
    await closed
    return performance.now() - sentAt
  }))
  const grownBytes = await residentBytes(service) - before
  const slowestMs = Math.max(...delaysMs)
  t.diagnostic(`${OVERSIZE} sockets, the slowest cut after ${slowestMs.toFixed()} ms, resident +${(grownBytes / 1e6).toFixed()} MB`)
  assert.ok(grownBytes <= 64e6, `resident +${grownBytes}`)
  assert.ok(slowestMs < MS_MAX, `cut after ${slowestMs} ms`)
})

/** A process of its own that holds so many sockets and says nothing, or it would be its own delay that is measured. */
async function holdOpen (t: TestContext, port: number, count: number): Promise<void> {
  const script = `let open = 0
    for (let nth = 0; nth < ${count}; nth++) {
      require('node:net').connect(${port}, '127.0.0.1', () => { if (++open === ${count}) console.log('all') }).on('error', () => {})
    }`
  const attacker = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => { attacker.kill('SIGKILL') })
  await once(attacker.stdout, 'data')
}

async function connackMs (port: number): Promise<number> {
  const startedAt = performance.now()
  const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`)
  const ms = performance.now() - startedAt
  await device.endAsync()
  return ms
}

test('while two thousand sockets that say nothing are opened, and once they are, an honest device is in within a second', async (t) => {
  const service = await startService(t)
  await connackMs(service.mqttPort)
  const during: number[] = []
  const open = new AbortController()
  const opening = holdOpen(t, service.mqttPort, HALF_OPEN).finally(() => { open.abort() })
  while (!open.signal.aborted) during.push(await connackMs(service.mqttPort))
  await opening
  const after = await connackMs(service.mqttPort)
  const ms = Math.max(...during, after)
  t.diagnostic(`${HALF_OPEN} half-open sockets: CONNACK after ${Math.max(...during).toFixed()} ms at most while they came, ` +
    `${after.toFixed()} ms then`)
  assert.ok(ms < MS_MAX, `CONNACK after ${ms} ms`)
})

test('as many sockets wait to be accepted as the kernel lets, so that no handshake of a fleet that comes at once is dropped', async (t) => {
  const { port } = await startTestBroker(t)
  const listening = await run('ss', ['-ltnH', `sport = :${port}`]).then(({ stdout }) => stdout.trim().split(/\s+/), () => undefined)
  if (listening === undefined) return t.skip('there is no ss')
  const kernelMax = Number(await readFile('/proc/sys/net/core/somaxconn', 'utf8'))
  assert.equal(Number(listening[2]), Math.min(kernelMax, 8_192))
})

test('a CONNECT that drips byte by byte is cut at its deadline, whatever it has sent by then', async (t) => {
  const { port, seen } = await startTestBroker(t, { limits: { connectMs: 300 } })
  const slow = await openRaw(t, port)
  const drip = setInterval(() => { slow.send(Buffer.of(0x10)) }, 20)
  t.after(() => { clearInterval(drip) })
  slow.send(header(0x10, 5_000))
  await slow.closed()
  assert.equal((await eventually(() => seen('connect-refused')[0])).result, 'timeout')
})

test('an image that would unpack to gigabytes is looked at by its first bytes, and never unpacked', async () => {
  const chunk = (type: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)])
  }
  const size = Buffer.from('0000ea600000ea600806000000', 'hex') // 60,000 by 60,000 pixels, 14 GB
  const bomb = Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', size), chunk('IDAT', deflateSync(Buffer.alloc(20_000_000))), chunk('IEND', Buffer.of())
  ])
  const before = process.memoryUsage().arrayBuffers
  assert.equal(await detectType(bomb), 'image/png')
  assert.ok(process.memoryUsage().arrayBuffers - before < 1e6)
})

test('a store that sends its client elsewhere is not followed there', async (t) => {
  const asked: string[] = []
  const elsewhere = await startScripted(t, (request, response) => {
    asked.push(request.url ?? '')
    response.end()
  })
  const endpoint = await startScripted(t, (_request, response) => {
    response.writeHead(307, { location: `${elsewhere}/images/stolen` }).end()
  })
  const { store } = storeAt(t, endpoint)
  const outcome = await store.put(objectOf(Buffer.from('an image')), new AbortController().signal)
  assert.notEqual(outcome.kind, 'stored')
  assert.deepEqual(asked, [])
})

test('nothing that HTTP can change names a host, a file or a command', async (t) => {
  const site = await startSite(t)
  const change = async (path: string, body: object): Promise<number> =>
    (await ask(site.url + path, { method: 'PATCH', headers: { 'content-type': 'application/json' } }, JSON.stringify(body))).status
  const before = await (await fetch(`${site.url}/api/v1/uplink`)).text()
  for (const body of [{ endpoint: 'http://169.254.169.254/' }, { 's3.endpoint': 'http://evil.example' }, { tokenFile: '/etc/passwd' }]) {
    assert.equal(await change('/api/v1/uplink/limits', body), 400, JSON.stringify(body))
  }
  assert.equal(await (await fetch(`${site.url}/api/v1/uplink`)).text(), before)
})

test('a client that names a new topic in every message leaves nothing behind but what it retains, and that has a limit', async (t) => {
  const { port, seen } = await startTestBroker(t, { limits: { retainedBytesMax: 10_000 } })
  const device = await connectDevice(t, port)
  for (let nth = 0; nth < 500; nth++) {
    device.publish(`site/${nth}/${'x'.repeat(100)}`, 'x', { qos: 0, retain: true })
  }
  await device.publishAsync('site/last', 'x', { qos: 1 })
  const refused = seen('topic-refused').filter(({ detail }) => detail.startsWith('no room to retain it'))
  assert.ok(refused.length > 300, `${refused.length} of 500 were refused`)
})
