// What the simulator itself can do: node --import tsx bench/simulator.ts [devices] [closed] [verify]

import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceId } from '../broker/topics.ts'
import { verify } from '../device-sim/judge/verify.ts'
import { Child } from './child.ts'
import { imageOf, nameOf } from './even-bucket.ts'

const MAIN = 'dist/device-sim/main.js'
const IMAGES = 100_000
const IMAGE_BYTES = 20_000
const LOOK_MS = 100

interface Report {
  readonly imagesPerSecond: number
  readonly counts: { readonly acknowledged: number, readonly unfinished: number, readonly dropped: number }
  readonly lag: { readonly p99: number }
}

/** A run against a broker that drops, and the most memory that its process ever had. */
async function run (flags: readonly string[], under: readonly string[] = []): Promise<void> {
  const broker = new Child(process.execPath, ['--import', 'tsx', 'bench/drop-broker.ts'])
  const [, port = ''] = await broker.prints(/listening on (\d+)/)
  const [command = process.execPath, ...before] = [...under, process.execPath]
  const simulator = new Child(command, [...before, MAIN, 'run', '-p', port, '--quiet', '--json', ...flags])
  let peak = 0
  const ended = new AbortController()
  const watching = watch(ended.signal, () => { peak = Math.max(peak, simulator.memory().peak) })
  await simulator.exited()
  ended.abort()
  await watching
  await broker.stop()
  const { imagesPerSecond, counts, lag } = JSON.parse(simulator.output.slice(simulator.output.indexOf('{'))) as Report
  console.log(`${flags.join(' ')}: ${imagesPerSecond.toFixed(0)} images/s, ${counts.acknowledged} PUBACKed, ${counts.unfinished} unfinished, ` +
    `${counts.dropped} dropped, lag p99 ${lag.p99.toFixed(1)} ms, peak ${(peak / 1e6).toFixed(0)} MB`)
}

/** A process that has just ended has no memory to look at. */
async function watch (signal: AbortSignal, look: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      look()
    } catch {
      return
    }
    await delay(LOOK_MS)
  }
}

async function verifyMany (): Promise<void> {
  const bucket = new Child(process.execPath, ['--import', 'tsx', 'bench/even-bucket.ts', String(IMAGES), String(IMAGE_BYTES)])
  const [, port] = await bucket.prints(/listening on (\d+)/)
  const startedAt = Date.now()
  const acknowledged = Array.from({ length: IMAGES }, (_, number) => ({
    device: 'sim-0001' as DeviceId,
    imageId: nameOf(number),
    bytes: IMAGE_BYTES,
    sha256: createHash('sha256').update(imageOf(number, IMAGE_BYTES)).digest('hex'),
    plannedAt: startedAt,
    expect: 'stored' as const,
    ackedAt: startedAt
  }))
  const access = { endpoint: `http://127.0.0.1:${port}`, bucket: 'images', accessKeyId: 'BENCH', secretAccessKey: 'bench-secret' }
  const { found, held, seconds } = await verify({ run: '0123abcd', startedAt, acknowledged, unacknowledged: new Map() }, access)
  console.log(`verified ${found} images of ${IMAGE_BYTES} bytes, ${held ? 'held' : 'NOT held'}: ${seconds.toFixed(1)} s`)
  await bucket.stop()
}

const asked = process.argv.slice(2)
const isAsked = (name: string): boolean => asked.length === 0 || asked.includes(name)
if (isAsked('devices')) await run(['-c', '5000', '--rate', '2/min', '-d', '60s', '-R', '1000/s'], ['taskset', '-c', '1'])
if (isAsked('closed')) {
  await run(['--model', 'closed', '-c', '50', '-F', '2', '-L', '40000', '-s', '100KB'])
  await run(['--model', 'closed', '-c', '50', '-F', '2', '-L', '40000', '-s', '250KB', '--workers', '2'])
}
if (isAsked('verify')) await verifyMany()
