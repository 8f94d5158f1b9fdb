import { join } from 'node:path'
import { startDropStore } from './drop-store-child.ts'
import type { Load } from './load.ts'
import { pacedLoad } from './paced-load.ts'
import { slopePerMinute, startSampling, thin, type Sample } from './samples.ts'
import { startService, withTempDirectory } from './subject.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly devices: number
  readonly imagesPerSecond: number
  readonly bytes: number
}

export interface SoakRow extends SoakOptions {
  readonly acknowledged: number
  readonly pubackMs: Load['pubackMs']
  /** From here on it is judged: 5 minutes, or a third of a shorter run. */
  readonly settledMinutes: number
  /** By least squares. */
  readonly residentMegabytesPerMinute: number
  readonly residentMegabytes: { readonly settled: number, readonly end: number, readonly most: number }
  readonly handles: { readonly settled: number, readonly end: number, readonly most: number }
  readonly diskMegabytes: { readonly settled: number, readonly end: number, readonly most: number }
  readonly waitingMost: number
  readonly samples: readonly Sample[]
}

const SETTLING_MINUTES = 5
const EVERY_MS = 1000
const KEPT = 180

/** Images in and out at one pace for a long time: what grows with it. */
export async function benchSoak (options: SoakOptions): Promise<SoakRow> {
  const { minutes, devices, imagesPerSecond, bytes } = options
  return await withTempDirectory(async (directory) => {
    const store = await startDropStore({ isOpen: true })
    const dataDir = join(directory, 'data')
    const service = await startService(dataDir, { ...store.env, SLUICE_UPLINK_CAPACITY: 'unlimited' })
    const sampling = startSampling(service, join(dataDir, 'spool'), EVERY_MS)
    const load = await pacedLoad({ port: service.mqttPort, devices, imagesPerSecond, seconds: minutes * 60, bytes })
    const samples = await sampling.end()
    await service.child.stop()
    await store.child.stop()
    const settledMinutes = Math.min(SETTLING_MINUTES, minutes / 3)
    const settled = samples.filter(({ seconds }) => seconds >= settledMinutes * 60 && seconds <= minutes * 60)
    const levels = (read: (sample: Sample) => number): SoakRow['handles'] => ({
      settled: read(settled[0] ?? NOTHING),
      end: read(settled.at(-1) ?? NOTHING),
      most: Math.max(...settled.map(read))
    })
    return {
      ...options,
      acknowledged: load.acknowledged,
      pubackMs: load.pubackMs,
      settledMinutes,
      residentMegabytesPerMinute: slopePerMinute(settled, (sample) => sample.residentMegabytes),
      residentMegabytes: levels((sample) => sample.residentMegabytes),
      handles: levels((sample) => sample.handles),
      diskMegabytes: levels((sample) => sample.diskMegabytes),
      waitingMost: Math.max(...settled.map(({ waiting }) => waiting)),
      samples: thin(samples, KEPT)
    }
  })
}

const NOTHING: Sample = {
  seconds: NaN,
  residentMegabytes: NaN,
  handles: NaN,
  waiting: NaN,
  liveMegabytes: NaN,
  diskMegabytes: NaN,
  writtenMegabytes: NaN
}
