import { mkdirSync, readdirSync, readFileSync, writeFileSync, chmodSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Child } from './child.ts'
import { startDropStore } from './drop-store-child.ts'
import { storedAt } from './end-to-end.ts'
import { formatFlameGraph, type CpuProfile, readFrames, selfTimes, type SelfTime } from './flame-graph.ts'
import { load } from './intake.ts'
import { startSluice } from './peers/sluice.ts'
import { withTempDirectory } from './subject.ts'

export interface ProfileRow {
  readonly stage: Stage
  readonly devices: number
  readonly images: number
  /** Where the flame graph of the main thread is. */
  readonly file: string
  /** Main thread, in the order of what they cost; the first is mostly `(idle)`. */
  readonly functions: readonly SelfTime[]
}

/** From where to where an image goes meanwhile. */
export type Stage = 'PUBLISH to PUBACK' | 'device to confirmed object'

const WARM_UP = 1000
const FUNCTIONS = 30
/** Between two samples. */
const INTERVAL_MICROSECONDS = 200

/** Where the main thread's time goes with images that come in, and with images that leave besides. */
export async function profileStages (
  devices: number, count: number, fileOf: (ending: string) => string
): Promise<ProfileRow[]> {
  const store = await startDropStore({ isOpen: true })
  try {
    const intake = await profile({ stage: 'PUBLISH to PUBACK', devices, count, file: fileOf('-intake-flame.html') })
    const whole = await profile({
      stage: 'device to confirmed object',
      devices,
      count,
      file: fileOf('-end-to-end-flame.html'),
      store: store.child,
      endpoint: store.env['SLUICE_S3_ENDPOINT']
    })
    return [intake, whole]
  } finally {
    await store.child.stop()
  }
}

interface Profiled {
  readonly stage: Stage
  readonly devices: number
  readonly count: number
  /** Where the flame graph is written. */
  readonly file: string
  /** Undefined: nothing leaves. */
  readonly endpoint?: string | undefined
  readonly store?: Child
}

async function profile ({ stage, devices, count, file, endpoint, store }: Profiled): Promise<ProfileRow> {
  return await withTempDirectory(async (directory) => {
    const peer = await startSluice(directory, { endpoint, env: { PATH: profilingPath(directory) } })
    const warmUp = await load(peer, devices, Math.min(count, WARM_UP))
    if (store !== undefined) await storedAt(store, warmUp.acknowledged)
    const from = nowMicroseconds()
    const { acknowledged } = await load(peer, devices, count)
    if (store !== undefined) await storedAt(store, warmUp.acknowledged + acknowledged)
    const to = nowMicroseconds()
    await peer.stop()
    const frames = readFrames(readProfile(directory), { from, to })
    writeFileSync(file, formatFlameGraph(frames, `${acknowledged} images of ${devices} devices: ${stage}, main thread`))
    const functions = selfTimes(frames, acknowledged).slice(0, FUNCTIONS)
    return { stage, devices, images: acknowledged, file, functions }
  })
}

/** A PATH whose `node` writes a profile on exit: so the service runs with the very flags that bridge/sluice gives. */
function profilingPath (directory: string): string {
  const folder = join(directory, 'bin')
  mkdirSync(folder)
  const node = join(folder, 'node')
  const flags = `--cpu-prof --cpu-prof-dir='${directory}' --cpu-prof-interval=${INTERVAL_MICROSECONDS}`
  writeFileSync(node, `#!/bin/sh\nexec '${process.execPath}' ${flags} "$@"\n`)
  chmodSync(node, 0o755)
  return [folder, process.env['PATH']].join(delimiter)
}

/** Of the main thread: node names each CPU.DATE.TIME.PID.TID.SEQUENCE.cpuprofile, and the main thread's id is 0. */
function readProfile (directory: string): CpuProfile {
  const name = readdirSync(directory).find((one) => /^CPU\.\d+\.\d+\.\d+\.0\.\d+\.cpuprofile$/.test(one))
  if (name === undefined) throw new Error(`the service left no profile in ${directory}`)
  return JSON.parse(readFileSync(join(directory, name), 'utf8')) as CpuProfile // V8 writes it
}

/** On the clock that V8 stamps its samples with: CLOCK_MONOTONIC, the same in all processes. */
function nowMicroseconds (): number {
  return Number(process.hrtime.bigint() / 1000n)
}
