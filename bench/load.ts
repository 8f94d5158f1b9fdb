// A closed loop of MQTT 3.1.1 QoS 1 publishes, to compare brokers with: each device has one image without
// PUBACK at a time. Run as a process of its own: load.ts PORT DEVICES COUNT BYTES TOPIC [USER PASSWORD];
// TOPIC holds %d for the device and %n for the image, and USER may hold %d. Prints a Load as JSON.

import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { pathToFileURL } from 'node:url'

export interface Load {
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly imagesPerSecond: number
  readonly acknowledged: number
  readonly pubackMs: { readonly p50: number, readonly p95: number, readonly p99: number }
}

interface Broker {
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
}

interface Target extends Broker {
  readonly devices: number
  readonly count: number
  readonly bytes: number
  readonly topic: string
}

const TIMEOUT_MS = 100_000

export async function runLoad (target: Target): Promise<Load> {
  const body = randomBytes(target.bytes)
  body.set([0xff, 0xd8, 0xff, 0xe0])
  const run = randomBytes(3).toString('hex')
  const sockets = await Promise.all(Array.from({ length: target.devices }, (_, d) =>
    openDevice({ ...target, user: target.user?.replaceAll('%d', `bench-${d}`) }, `bench-${d}`)))
  const latencies: number[] = []
  let sent = 0
  const startedAt = Date.now()
  const from = performance.now()
  const deadline = from + TIMEOUT_MS
  await Promise.all(sockets.map(async (device, d) => {
    while (sent < target.count && performance.now() < deadline) {
      const number = sent++
      const topic = target.topic.replaceAll('%d', `bench-${d}`).replaceAll('%n', `${run}-${number}`)
      const at = performance.now()
      if (!await device.publish(topic, body, number, deadline - at)) return
      latencies.push(performance.now() - at)
    }
  }))
  const seconds = (performance.now() - from) / 1000
  for (const device of sockets) device.close()
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN
  const acknowledged = latencies.length
  const pubackMs = { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
  return { startedAt, imagesPerSecond: acknowledged / seconds, acknowledged, pubackMs }
}

export interface Device {
  /** False when the connection ended or the time was over without a PUBACK. */
  publish (topic: string, body: Buffer, number: number, timeoutMs: number): Promise<boolean>
  close (): void
}

/** Resolves once it is connected; rejects where it is not admitted. */
export async function openDevice ({ port, user, password }: Broker, clientId: string): Promise<Device> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  let answered: (type: number | undefined) => void = () => {}
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    // CONNACK and PUBACK only: four bytes each.
    while (rest.length >= 4) {
      answered((rest[0] ?? 0) >> 4)
      rest = rest.subarray(4)
    }
  })
  socket.on('error', () => {}) // 'close' follows
  socket.on('close', () => { answered(undefined) })
  const answer = (type: number, timeoutMs: number): Promise<boolean> => new Promise((resolve) => {
    const timer = setTimeout(() => { resolve(false) }, timeoutMs)
    answered = (got) => { clearTimeout(timer); resolve(got === type) }
  })
  const admitted = answer(2, TIMEOUT_MS)
  socket.write(formatConnect(clientId, user, password))
  if (!await admitted) throw new Error(`${clientId} was not admitted on port ${port}`)
  return {
    publish (topic, body, number, timeoutMs) {
      const acknowledged = answer(4, timeoutMs)
      writePublish(socket, topic, body, number)
      return acknowledged
    },
    close () { socket.destroy() }
  }
}

/** Every payload differs from every other by its last bytes, behind the picture. */
function writePublish (socket: Socket, topic: string, body: Buffer, number: number): void {
  const name = text(topic)
  const tail = Buffer.alloc(16)
  tail.writeDoubleBE(number)
  const remaining = length(name.length + 2 + body.length + tail.length)
  const head = Buffer.concat([Buffer.of(0x32), remaining, name, Buffer.of(0, 1)])
  socket.cork()
  socket.write(head)
  socket.write(body)
  socket.write(tail)
  socket.uncork()
}

function formatConnect (clientId: string, user: string | undefined, password: string | undefined): Buffer {
  const credentials = user === undefined || password === undefined ? [] : [text(user), text(password)]
  const flags = credentials.length === 0 ? 0x02 : 0xc2
  const rest = Buffer.concat([text('MQTT'), Buffer.of(4, flags, 0, 0), text(clientId), ...credentials])
  return Buffer.concat([Buffer.of(0x10), length(rest.length), rest])
}

function text (value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes])
}

/** [MQTT 3.1.1 section 2.2.3] */
function length (value: number): Buffer {
  const bytes: number[] = []
  do {
    bytes.push(value % 128 | (value > 127 ? 0x80 : 0))
    value = Math.floor(value / 128)
  } while (value > 0)
  return Buffer.from(bytes)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [port, devices, count, bytes, topic = '', user, password] = process.argv.slice(2)
  const numbers = { port: Number(port), devices: Number(devices), count: Number(count), bytes: Number(bytes) }
  console.log(JSON.stringify(await runLoad({ ...numbers, topic, user, password })))
}
