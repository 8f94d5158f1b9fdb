// strace makes the Nth sync or write of the real process fail with EIO. The store lies outside of it, so every file
// that is hit is the spool's.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { createRandom, type Random } from '../../device-sim/random.ts'
import { assertCounted, assertStored, drained, fastLine, ledgerOf, sampleLedger } from '../helpers/custody.ts'
import { acknowledgedBy, Device } from '../helpers/device.ts'
import { eventually } from '../helpers/eventually.ts'
import { bucket, credentials, startTestStore } from '../helpers/local-store.ts'
import { startService, type Service } from '../helpers/process.ts'
import { tempDirectory } from '../helpers/sluice.ts'
import { testWith, tracing } from './needs.ts'
import { rounds } from './rounds.ts'
import { seedOf } from './seed.ts'

/** A call that fails, in all of the spool or in some of its files only. */
interface Fault {
  readonly name: string
  readonly call: 'fdatasync' | 'fsync' | 'write'
  readonly files: readonly string[]
  readonly nthMax: number
}

// A write to a socket is no business of these tests, so writes have files: the logs of the first databases.
const segments = ['segments/0000000001/000003.log', 'segments/0000000002/000003.log']
const index = ['index/000003.log']
const faults: readonly Fault[] = [
  { name: 'the spool', call: 'fdatasync', files: [], nthMax: 50 },
  { name: 'a segment', call: 'write', files: segments, nthMax: 50 },
  { name: 'the index', call: 'write', files: index, nthMax: 50 },
  { name: 'the index', call: 'fdatasync', files: index, nthMax: 4 },
  { name: 'a directory', call: 'fsync', files: [], nthMax: 20 }
]

interface Scene {
  readonly env: Readonly<Record<string, string>>
  /** `objects/` in it is the store's. */
  readonly outside: string
  readonly random: Random
  readonly devices: Device[]
  readonly hit: Map<string, number>
  readonly goesOnMs: number[]
  ends: number
}

async function setScene (t: TestContext): Promise<Scene> {
  const outside = await tempDirectory(t)
  const store = await startTestStore(t, { dir: join(outside, 'objects') })
  const env = {
    ...fastLine,
    UV_THREADPOOL_SIZE: '2', // strace counts the calls of each thread
    SLUICE_SPOOL_RESERVE: '8MB',
    SLUICE_S3_ENDPOINT: store.endpoint,
    SLUICE_S3_BUCKET: bucket,
    SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey
  }
  return { env, outside, random: createRandom(seedOf(t)), devices: [], hit: new Map(), goesOnMs: [], ends: 0 }
}

/** Runs the service so that it meets EIO in the nth such call of a thread; detached, and so not in between. */
function failing ({ call, files, nth }: Fault & { nth: number }, dataDir: string, trace: string): readonly string[] {
  const paths = files.flatMap((file) => ['-P', join(dataDir, 'spool', file)])
  return ['strace', '-D', '-f', '-y', '--seccomp-bpf', '-o', trace, ...paths,
    '-e', `trace=${call}`, '-e', `inject=${call}:error=EIO:when=${nth}`]
}

/** The names of the files that were hit, below the spool. */
async function readHits (trace: string, dataDir: string): Promise<string[]> {
  const text = await readFile(trace, 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line.includes('(INJECTED)'))
    .map((line) => /<([^>]+)>/.exec(line)?.[1]?.replace(join(dataDir, 'spool'), '').split('/')[1] ?? 'the spool itself')
}

/** Undefined where the start itself met EIO, and ended with 74 and a sentence about it. */
async function startUnder (
  t: TestContext, { env }: Scene, dataDir: string, under: readonly string[]
): Promise<Service | undefined> {
  try {
    return await startService(t, { dataDir, env, under })
  } catch (error) {
    assert.match((error as Error).message, /^the service ended with 74: .*(EIO|Input\/output error)[^\n]*\n$/s)
    return undefined
  }
}

/** One round: EIO in the nth call under load, kill -9 a while later, and then everything is there. */
async function failOnce (t: TestContext, scene: Scene, fault: Fault & { nth: number }): Promise<void> {
  const { call, nth } = fault
  const { random, devices, env, hit, goesOnMs } = scene
  const home = await tempDirectory(t)
  const [dataDir, trace] = [join(home, 'data'), join(home, 'trace')]
  const own = [0, 1].map((i) => new Device(`${call}-${nth}-${i}`, random))
  devices.push(...own)
  const traced = await startUnder(t, scene, dataDir, failing(fault, dataDir, trace))
  if (traced !== undefined) {
    const sampling = sampleLedger(traced, own)
    const publishing = Promise.all(own.map((device) => device.publishUntilCut(traced.mqttPort)))
    await eventually(async () => (await readHits(trace, dataDir)).length > 0, { timeoutMs: 30_000, what: `EIO in ${call} ${nth}` })
    const [failedAt, before] = [performance.now(), acknowledgedBy(own).size]
    await eventually(() => acknowledgedBy(own).size > before + 6, { timeoutMs: 5000, what: 'PUBACKs after EIO' })
    goesOnMs.push(performance.now() - failedAt)
    await delay(random() * 200)
    await traced.kill('SIGKILL')
    await publishing
    assert.ok(await sampling > 0)
  } else {
    scene.ends++
  }
  const hits = await readHits(trace, dataDir)
  assert.ok(hits.length > 0, 'nothing was injected')
  for (const name of hits) hit.set(name, (hit.get(name) ?? 0) + 1)

  const service = await startService(t, { dataDir, env })
  assertCounted(await ledgerOf(service), own)
  await Promise.all(own.map((device) => device.publishKept(service.mqttPort)))
  assert.equal((await drained(service)).failed, 0)
  await assertStored(scene.outside, devices) // before all is sent again, or what was lost would come back unnoticed
  await Promise.all(own.map((device) => device.publishAllAgain(service.mqttPort)))
  await drained(service)
  assert.equal((await service.kill('SIGTERM')).code, 0)
}

for (const fault of faults.slice(0, rounds({ fast: 2, long: faults.length }))) {
  const claim = `EIO in any ${fault.call} of ${fault.name} costs no image, and all goes on by itself or after a start`
  testWith(tracing, claim, async (t) => {
    const scene = await setScene(t)
    const count = rounds({ fast: 1, long: fault.nthMax })
    for (let round = 0; round < count; round++) {
      const nth = count === fault.nthMax ? round + 1 : 1 + Math.floor(scene.random() * fault.nthMax)
      await failOnce(t, scene, { ...fault, nth })
    }
    await assertStored(scene.outside, scene.devices)
    const files = [...scene.hit].map(([name, times]) => `${name} ${times}`).join(', ')
    t.diagnostic(`hit: ${files}; PUBACKs went on after at most ${Math.round(Math.max(0, ...scene.goesOnMs))} ms, ` +
      `${scene.ends} starts of ${count} ended with 74`)
  })
}
