import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startDropStore } from './drop-store-child.ts'
import { runLoad } from './load.ts'
import { startSampling, thin, type Sample } from './samples.ts'
import { startService, withTempDirectory, type Service } from './subject.ts'

export interface DiskUseRow {
  readonly images: number
  readonly bytes: number
  /** Bytes given to the disk by each byte of payload, until all of it was taken in, and until all of it had left. */
  readonly writtenPerByte: { readonly intake: number, readonly drained: number }
  /** The most, over time, of what the spool takes by 1.5 x what waits and two segments: at most 1 is wanted. */
  readonly ofBoundMost: { readonly intake: number, readonly drain: number }
  /** By what waits, in the middle of each. */
  readonly diskPerLiveByte: { readonly intake: number, readonly drain: number }
  /** From the last image in the store until two segments or less are taken. */
  readonly reclaimedSeconds: number
  readonly megabytesLeft: number
  readonly samples: readonly Sample[]
}

const SEGMENT_MEGABYTES = 64 * 2 ** 20 / 1e6
const EVERY_MS = 100
const KEPT = 120
const DRAIN_MS_MAX = 900_000
const RECLAIM_MS_MAX = 60_000

/** What a backlog takes of the disk while it comes and while it goes. */
export async function benchDiskUse (images: number, bytes = 250_000): Promise<DiskUseRow> {
  return await withTempDirectory(async (directory) => {
    const store = await startDropStore({ isOpen: false })
    const dataDir = join(directory, 'data')
    const service = await startService(dataDir, { ...store.env, SLUICE_UPLINK_CAPACITY: 'unlimited' })
    const sampling = startSampling(service, join(dataDir, 'spool'), EVERY_MS)
    const topic = 'devices/%d/images/%n'
    const target = { port: service.mqttPort, devices: 100, bytes, topic, user: undefined, password: undefined }
    for (let left = images; left > 0; left -= 5000) await runLoad({ ...target, count: Math.min(left, 5000) })
    await delay(2 * EVERY_MS)
    const takenIn = sampling.samples.length
    store.open()
    await drained(service)
    const drainedAt = sampling.samples.length
    const deadline = Date.now() + RECLAIM_MS_MAX
    while ((sampling.samples.at(-1)?.diskMegabytes ?? 0) > 2 * SEGMENT_MEGABYTES && Date.now() < deadline) {
      await delay(EVERY_MS)
    }
    const samples = await sampling.end()
    await service.child.stop()
    await store.child.stop()
    const judged = judge(samples, { takenIn, drainedAt }, images * bytes / 1e6)
    return { images, bytes, ...judged, samples: thin(samples, KEPT) }
  })
}

type Judged = Omit<DiskUseRow, 'images' | 'bytes' | 'samples'>

function judge (
  samples: readonly Sample[], { takenIn, drainedAt }: { takenIn: number, drainedAt: number }, megabytes: number
): Judged {
  const [intake, drain] = [samples.slice(0, takenIn), samples.slice(takenIn)]
  const ofBound = ({ diskMegabytes, liveMegabytes }: Sample): number =>
    diskMegabytes / (1.5 * liveMegabytes + 2 * SEGMENT_MEGABYTES)
  const most = (some: readonly Sample[]): number => Math.max(...some.map(ofBound))
  const half = ({ liveMegabytes }: Sample): boolean => liveMegabytes > megabytes / 2
  const perLiveByte = (sample: Sample | undefined): number =>
    (sample?.diskMegabytes ?? NaN) / (sample?.liveMegabytes ?? NaN)
  const written = (sample: Sample | undefined): number =>
    ((sample?.writtenMegabytes ?? NaN) - (samples[0]?.writtenMegabytes ?? NaN)) / megabytes
  const small = samples.slice(drainedAt).find(({ diskMegabytes }) => diskMegabytes <= 2 * SEGMENT_MEGABYTES)
  return {
    writtenPerByte: { intake: written(intake.at(-1)), drained: written(samples.at(-1)) },
    ofBoundMost: { intake: most(intake), drain: most(drain) },
    diskPerLiveByte: { intake: perLiveByte(intake.find(half)), drain: perLiveByte(drain.findLast(half)) },
    reclaimedSeconds: (small?.seconds ?? NaN) - (samples[drainedAt - 1]?.seconds ?? NaN),
    megabytesLeft: samples.at(-1)?.diskMegabytes ?? NaN
  }
}

/** Resolves once nothing waits. */
async function drained (service: Service): Promise<void> {
  for (const deadline = Date.now() + DRAIN_MS_MAX; Date.now() < deadline; await delay(EVERY_MS)) {
    if ((await service.status()).backlog.count === 0) return
  }
  throw new Error(`the backlog did not drain in ${DRAIN_MS_MAX / 1000} s`)
}
