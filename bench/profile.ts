import { mkdirSync, readdirSync, readFileSync, writeFileSync, chmodSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { formatFlameGraph, type CpuProfile, readFrames, selfTimes, type SelfTime } from './flame-graph.ts'
import { load } from './intake.ts'
import { startSluice } from './peers/sluice.ts'
import { withTempDirectory } from './subject.ts'

export interface ProfileRow {
  readonly devices: number
  readonly images: number
  /** Where the flame graph of the main thread is. */
  readonly file: string
  /** Main thread, in the order of what they cost; the first is mostly `(idle)`. */
  readonly functions: readonly SelfTime[]
}

const WARM_UP = 1000
const FUNCTIONS = 30
/** Between two samples. */
const INTERVAL_MICROSECONDS = 200

/** Where the main thread's time goes while images are taken in: written to `file` as a flame graph. */
export async function profileIntake (devices: number, count: number, file: string): Promise<ProfileRow> {
  return await withTempDirectory(async (directory) => {
    const peer = await startSluice(directory, { env: { PATH: profilingPath(directory) } })
    await load(peer, devices, Math.min(count, WARM_UP))
    const from = nowMicroseconds()
    const { acknowledged } = await load(peer, devices, count)
    const to = nowMicroseconds()
    await peer.stop()
    const frames = readFrames(readProfile(directory), { from, to })
    const title = `${acknowledged} images of ${devices} devices: PUBLISH to PUBACK, main thread`
    writeFileSync(file, formatFlameGraph(frames, title))
    return { devices, images: acknowledged, file, functions: selfTimes(frames, acknowledged).slice(0, FUNCTIONS) }
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
