// An open loop of MQTT 3.1.1 QoS 1 publishes at an even pace, whatever the broker does: devices in turn, each at a
// phase of its own. Run as a process of its own: paced-load.ts PORT DEVICES IMAGES_PER_SECOND SECONDS BYTES. Prints a
// Load as JSON; latencies count from the moment at which an image was due.

import { randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './child.ts'
import { openDevice, type Device, type Load } from './load.ts'

export interface PacedLoad {
  readonly port: number
  readonly devices: number
  readonly imagesPerSecond: number
  readonly seconds: number
  readonly bytes: number
}

const TIMEOUT_MS = 60_000
const OPENED_TOGETHER = 200

async function runPacedLoad ({ port, devices, imagesPerSecond, seconds, bytes }: PacedLoad): Promise<Load> {
  const body = randomBytes(bytes)
  body.set([0xff, 0xd8, 0xff, 0xe0])
  const run = randomBytes(3).toString('hex')
  const fleet = await openDevices({ port, user: undefined, password: undefined }, devices, 'paced')
  const latencies: number[] = []
  /** Of each device: what it has sent last. One image at a time. */
  const busy: Array<Promise<void>> = fleet.map(() => Promise.resolve())
  const send = async (number: number, dueAt: number): Promise<void> => {
    const nth = number % fleet.length
    const topic = `devices/paced-${nth}/images/${run}-${number}`
    if (await fleet[nth]?.publish(topic, body, number, TIMEOUT_MS) === true) latencies.push(performance.now() - dueAt)
  }
  const startedAt = Date.now()
  const from = performance.now()
  const count = Math.floor(imagesPerSecond * seconds)
  for (let number = 0; number < count; number++) {
    const dueAt = from + (number + Math.random()) * 1000 / imagesPerSecond
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await delay(waitMs)
    const nth = number % fleet.length
    busy[nth] = (busy[nth] ?? Promise.resolve()).then(() => send(number, dueAt))
  }
  await Promise.all(busy)
  const took = (performance.now() - from) / 1000
  for (const device of fleet) device.close()
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN
  const pubackMs = { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
  return { startedAt, imagesPerSecond: latencies.length / took, acknowledged: latencies.length, pubackMs }
}

/** Connected and silent. */
export async function openDevices (
  broker: Parameters<typeof openDevice>[0], count: number, prefix: string
): Promise<Device[]> {
  const devices: Device[] = []
  while (devices.length < count) {
    const together = Array.from({ length: Math.min(OPENED_TOGETHER, count - devices.length) }, (_, nth) =>
      openDevice(broker, `${prefix}-${devices.length + nth}`))
    devices.push(...await Promise.all(together))
  }
  return devices
}

/** By a process of its own. */
export async function pacedLoad ({ port, devices, imagesPerSecond, seconds, bytes }: PacedLoad): Promise<Load> {
  const args = [port, devices, imagesPerSecond, seconds, bytes].map(String)
  const child = new Child(process.execPath, ['--import', 'tsx', 'bench/paced-load.ts', ...args])
  const [line] = await child.prints(/\{.*\}/, seconds * 1500 + 2 * TIMEOUT_MS)
  return JSON.parse(line) as Load // it prints one
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [port = 0, devices = 0, imagesPerSecond = 0, seconds = 0, bytes = 0] = process.argv.slice(2).map(Number)
  console.log(JSON.stringify(await runPacedLoad({ port, devices, imagesPerSecond, seconds, bytes })))
}
