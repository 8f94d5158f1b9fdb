import { join } from 'node:path'
import { median } from './child.ts'
import { IMAGE_BYTES, load } from './intake.ts'
import { runLoad, type Load } from './load.ts'
import { openDevices } from './paced-load.ts'
import { startSluice } from './peers/sluice.ts'
import { withTempDirectory } from './subject.ts'

export interface FlatOptions {
  readonly rounds: number
  /** Images in each measurement, of 100 devices. */
  readonly count: number
  /** Images on disk before it. */
  readonly waiting: readonly number[]
  /** Silent connections beside it. */
  readonly idle: readonly number[]
}

/** Medians of the rounds; ratios against the first of their kind in the same rounds. */
export interface FlatRow {
  readonly beside: 'images waiting' | 'idle connections'
  readonly level: number
  readonly imagesPerSecond: number
  readonly pubackMs: { readonly p50: number, readonly p99: number }
  readonly imagesPerSecondRatio: number
  readonly p99Ratio: number
}

interface Case {
  readonly beside: FlatRow['beside']
  readonly level: number
  measure (): Promise<Load>
}

const DEVICES = 100
const WARM_UP = 1000

/** Intake beside a backlog, and beside connections that only stand there; interleaved, there and back. */
export async function benchFlat ({ rounds, count, waiting, idle }: FlatOptions): Promise<FlatRow[]> {
  return await withTempDirectory(async (directory) => {
    const backlogs: Case[] = []
    for (const level of waiting) {
      // What a measurement adds to a small backlog would make a larger one of it.
      const isKept = level >= 2 * rounds * (count + WARM_UP)
      const kept = join(directory, String(level))
      if (isKept) await fill(kept, level)
      const measure = async (): Promise<Load> => isKept ? await measureIn(kept, count) : await measureAnew(level, count)
      backlogs.push({ beside: 'images waiting', level, measure })
    }
    const connections = idle.map((level): Case =>
      ({ beside: 'idle connections', level, measure: () => withTempDirectory((fresh) => measureIn(fresh, count, level)) }))
    return [...await runCases(backlogs, rounds), ...await runCases(connections, rounds)]
  })
}

async function runCases (cases: readonly Case[], rounds: number): Promise<FlatRow[]> {
  const loads = new Map<Case, Load[]>(cases.map((one) => [one, []]))
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? cases : [...cases].reverse()) {
      const measured = await one.measure()
      loads.get(one)?.push(measured)
      console.error(`round ${round + 1}: ${one.level} ${one.beside}: ${measured.imagesPerSecond.toFixed(0)} images/s, ` +
        `p99 ${measured.pubackMs.p99.toFixed(0)} ms`)
    }
  }
  const of = (one: Case | undefined, read: (load: Load) => number): number =>
    median((one === undefined ? [] : loads.get(one) ?? []).map(read))
  const rate = (one: Case | undefined): number => of(one, (load) => load.imagesPerSecond)
  const p99 = (one: Case | undefined): number => of(one, (load) => load.pubackMs.p99)
  return cases.map((one): FlatRow => ({
    beside: one.beside,
    level: one.level,
    imagesPerSecond: rate(one),
    pubackMs: { p50: of(one, (load) => load.pubackMs.p50), p99: p99(one) },
    imagesPerSecondRatio: rate(one) / rate(cases[0]),
    p99Ratio: p99(one) / p99(cases[0])
  }))
}

async function measureAnew (waiting: number, count: number): Promise<Load> {
  return await withTempDirectory(async (directory) => {
    await fill(directory, waiting)
    return await measureIn(directory, count)
  })
}

async function fill (directory: string, waiting: number): Promise<void> {
  const peer = await startSluice(directory, {})
  const { port, topic } = peer
  const target = { port, topic, devices: DEVICES, bytes: IMAGE_BYTES, user: undefined, password: undefined }
  for (let left = waiting; left > 0; left -= 5000) await runLoad({ ...target, count: Math.min(left, 5000) })
  await peer.stop()
}

async function measureIn (directory: string, count: number, idle = 0): Promise<Load> {
  const peer = await startSluice(directory, {})
  try {
    const silent = await openDevices({ port: peer.port, user: undefined, password: undefined }, idle, 'silent')
    await load(peer, DEVICES, Math.min(count, WARM_UP))
    const measured = await load(peer, DEVICES, count)
    for (const device of silent) device.close()
    return measured
  } finally {
    await peer.stop()
  }
}
