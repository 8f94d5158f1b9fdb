import { join } from 'node:path'
import { startDropStore, type DropStore } from './drop-store-child.ts'
import { runLoad, type Load } from './load.ts'
import { pacedLoad } from './paced-load.ts'
import { NO_STORE, startService, withTempDirectory, type Service } from './subject.ts'

export interface SteadyOptions {
  readonly devices: number
  readonly imagesPerSecond: number
  readonly seconds: number
  /** What drains at the allowance beside it. */
  readonly backlogImages: number
  readonly bytes: number
}

/** What goes on beside the intake. */
export type Beside = 'nothing waits' | 'a backlog drains' | 'the store is down'

export interface SteadyRow {
  readonly beside: Beside
  readonly devices: number
  readonly imagesPerSecond: number
  readonly seconds: number
  /** On disk before the first of these images came. */
  readonly waitingBefore: number
  readonly waitingAfter: number
  readonly acknowledged: number
  /** From the moment an image was due. */
  readonly pubackMs: Load['pubackMs']
  /** The 99th percentile, by the service's own metric; its sampler's pace of 10 ms is part of it. */
  readonly eventLoopMs: number
  readonly peakMegabytes: number
}

interface Case {
  readonly beside: Beside
  readonly hasBacklog: boolean
  readonly env: Readonly<Record<string, string>>
}

const CASES: readonly Case[] = [
  { beside: 'nothing waits', hasBacklog: false, env: { SLUICE_UPLINK_CAPACITY: 'unlimited' } },
  { beside: 'a backlog drains', hasBacklog: true, env: {} }, // 40 Mbit/s
  { beside: 'the store is down', hasBacklog: false, env: NO_STORE }
]
const WARM_UP_SECONDS = 5

/** A site's ordinary day: PUBACKs at the pace of its cameras, whatever goes on with the store. */
export async function benchSteady (options: SteadyOptions): Promise<SteadyRow[]> {
  const rows: SteadyRow[] = []
  for (const { beside, hasBacklog, env } of CASES) {
    rows.push(await withTempDirectory(async (directory) => {
      const store = await startDropStore({ isOpen: !hasBacklog })
      const service = await startService(join(directory, 'data'), { ...store.env, ...env })
      const row = await measure(service, { ...options, backlogImages: hasBacklog ? options.backlogImages : 0 }, store)
      await service.child.stop()
      await store.child.stop()
      return { beside, ...row }
    }))
  }
  return rows
}

async function measure (service: Service, options: SteadyOptions, store: DropStore): Promise<Omit<SteadyRow, 'beside'>> {
  const { devices, imagesPerSecond, seconds, backlogImages, bytes } = options
  const port = service.mqttPort
  const target = { port, devices: 100, bytes, topic: 'devices/%d/images/%n', user: undefined, password: undefined }
  for (let left = backlogImages; left > 0; left -= 5000) await runLoad({ ...target, count: Math.min(left, 5000) })
  if (backlogImages > 0) store.open()
  const paced = { port, devices, imagesPerSecond, bytes }
  await pacedLoad({ ...paced, seconds: WARM_UP_SECONDS })
  const { backlog: before } = await service.status()
  await readEventLoopMs(service) // counts from here
  const load = await pacedLoad({ ...paced, seconds })
  const eventLoopMs = await readEventLoopMs(service)
  const { backlog: after } = await service.status()
  return {
    devices,
    imagesPerSecond: load.imagesPerSecond,
    seconds,
    waitingBefore: before.count,
    waitingAfter: after.count,
    acknowledged: load.acknowledged,
    pubackMs: load.pubackMs,
    eventLoopMs,
    peakMegabytes: service.child.memory().peak / 1e6
  }
}

/** Since it was read last: prom-client begins anew at each scrape (lib/metrics/eventLoopLag.js). */
async function readEventLoopMs ({ httpPort }: Service): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]) * 1000
}
