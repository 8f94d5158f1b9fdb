// What the simulator itself can do: node --import tsx bench/simulator.ts [devices] [closed] [verify] [local]

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceId } from '../broker/topics.ts'
import { verify } from '../device-sim/judge/verify.ts'
import { Child } from './child.ts'
import { imageOf, nameOf } from './even-bucket.ts'
import { beginResults, nameFile } from './results.ts'

const MAIN = 'dist/device-sim/main.js'
const IMAGES = 100_000
const IMAGE_BYTES = 20_000
const LOOK_MS = 100
const FOLDER_IMAGES = 1000

interface Report {
  readonly imagesPerSecond: number
  readonly counts: { readonly acknowledged: number, readonly unfinished: number, readonly dropped: number }
  readonly lag: { readonly p99: number }
}

interface RunRow extends Report {
  readonly flags: string
  readonly peakBytes: number
}

/** A run against a broker that drops, and the most memory that its process ever had. */
async function run (flags: readonly string[], under: readonly string[] = []): Promise<RunRow> {
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
  return { flags: flags.join(' '), imagesPerSecond, counts, lag, peakBytes: peak }
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

interface VerifiedRow {
  readonly from: string
  readonly images: number
  readonly bytes: number
  readonly held: boolean
  readonly seconds: number
}

interface Access {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

async function verifyMany (from: string, access: Access): Promise<VerifiedRow> {
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
  const evidence = { run: '0123abcd', startedAt, measuredFrom: startedAt, acknowledged, unacknowledged: new Map() }
  const { found, held, seconds } = await verify(evidence, access)
  console.log(`verified ${found} images of ${IMAGE_BYTES} bytes from ${from}, ${held ? 'held' : 'NOT held'}: ${seconds.toFixed(1)} s`)
  return { from, images: found, bytes: IMAGE_BYTES, held, seconds }
}

/** From a bucket that makes each image as it is read, so that only the judge is measured. */
async function verifyEven (): Promise<VerifiedRow> {
  const bucket = new Child(process.execPath, ['--import', 'tsx', 'bench/even-bucket.ts', String(IMAGES), String(IMAGE_BYTES)])
  const [, port] = await bucket.prints(/listening on (\d+)/)
  const access = { endpoint: `http://127.0.0.1:${port}`, bucket: 'images', accessKeyId: 'BENCH', secretAccessKey: 'bench-secret' }
  const row = await verifyMany('a bucket of the benchmark', access)
  await bucket.stop()
  return row
}

/** From `sluice store`; its objects are plain files and were put there as such: it describes them as it lists them. */
async function verifyLocal (): Promise<VerifiedRow> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-store-'))
  const store = new Child('bridge/sluice', ['store', '--listen', '127.0.0.1:0', '--dir', dir])
  try {
    await store.prints(/control /)
    for (let number = 0; number < IMAGES; number++) {
      const folder = join(dir, 'objects/images/images/sim-0001', String(Math.floor(number / FOLDER_IMAGES)))
      if (number % FOLDER_IMAGES === 0) await mkdir(folder, { recursive: true })
      await writeFile(join(folder, `${nameOf(number)}.jpg`), imageOf(number, IMAGE_BYTES))
    }
    return await verifyMany('the local store', JSON.parse(await readFile(join(dir, 'local-store.json'), 'utf8')) as Access)
  } finally {
    await store.stop()
    await rm(dir, { recursive: true })
  }
}

const asked = process.argv.slice(2)
const isAsked = (name: string): boolean => asked.length === 0 || asked.includes(name)
const kept = { ...beginResults(), runs: [] as RunRow[], verified: [] as VerifiedRow[] }
if (isAsked('devices')) {
  kept.runs.push(await run(['-c', '5000', '--rate', '2/min', '-d', '60s', '-R', '1000/s'], ['taskset', '-c', '1']))
}
if (isAsked('closed')) {
  kept.runs.push(await run(['--model', 'closed', '-c', '50', '-F', '2', '-L', '40000', '-s', '100KB']))
  kept.runs.push(await run(['--model', 'closed', '-c', '50', '-F', '2', '-L', '40000', '-s', '250KB', '--workers', '2']))
}
if (isAsked('verify')) kept.verified.push(await verifyEven())
if (isAsked('local')) kept.verified.push(await verifyLocal())
const file = nameFile(kept, '-simulator.json')
await writeFile(file, `${JSON.stringify(kept, undefined, 2)}\n`)
console.log(file)
