import { join } from 'node:path'
import { Child, readCpuSeconds } from './child.ts'
import { runLoad } from './load.ts'
import { startService, withTempDirectory } from './subject.ts'

export interface DrainRow {
  readonly images: number
  readonly bytes: number
  readonly imagesPerSecond: number
  /** Of the whole service: reading from the spool, hashing, signing, sending, marking. */
  readonly cpuMsPerImage: number
  readonly peakMegabytes: number
}

interface Point {
  readonly stored: number
  readonly at: number
}

/** How fast a backlog leaves where nothing limits it, for a store that drops what it gets. */
export async function benchDrain (images: number, bytes = 250_000): Promise<DrainRow> {
  return await withTempDirectory(async (directory) => {
    const store = new Child(process.execPath, ['--import', 'tsx', 'bench/drop-store.ts'])
    const [, port] = await store.prints(/listening on (\d+)/)
    const service = await startService(join(directory, 'data'), {
      SLUICE_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      SLUICE_S3_ACCESS_KEY_ID: 'a',
      SLUICE_S3_SECRET_ACCESS_KEY: 'b',
      SLUICE_UPLINK_CAPACITY: 'unlimited'
    })
    const topic = 'devices/%d/images/%n'
    const target = { port: service.mqttPort, devices: 20, bytes, topic, user: undefined, password: undefined }
    await runLoad({ ...target, count: images })
    const pid = service.child.process.pid ?? 0
    const cpuBefore = readCpuSeconds(pid)
    store.process.kill('SIGUSR2')
    await store.prints(new RegExp(`stored ${images} at`), 600_000)
    const cpuMsPerImage = (readCpuSeconds(pid) - cpuBefore) * 1000 / images
    const points = [...store.output.matchAll(/stored (\d+) at (\d+)/g)]
      .map(([, stored, at]): Point => ({ stored: Number(stored), at: Number(at) }))
    const peakMegabytes = service.child.memory().peak / 1e6
    await service.child.stop()
    await store.stop()
    return { images, bytes, imagesPerSecond: rateOf(points, images), cpuMsPerImage, peakMegabytes }
  })
}

/** Without the first tenth, in which the store is found to be back and code is compiled, and without the last. */
function rateOf (points: readonly Point[], images: number): number {
  const first = points.find(({ stored }) => stored >= images * 0.1)
  const last = points.find(({ stored }) => stored >= images * 0.9)
  if (first === undefined || last === undefined) return NaN
  return (last.stored - first.stored) / (last.at - first.at) * 1000
}
