// What a service has at one moment, from outside: its process, its files, and what it says of itself.

import { readdirSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readMemory, readWrittenBytes } from './child.ts'
import type { Service } from './subject.ts'

export interface Sample {
  /** From the first sample on. */
  readonly seconds: number
  readonly residentMegabytes: number
  /** Of files, sockets and the rest. */
  readonly handles: number
  /** Images that are not in the store yet. */
  readonly waiting: number
  readonly liveMegabytes: number
  /** What the spool takes of its volume: blocks, as du(1) counts them, without the reserve for recovery. */
  readonly diskMegabytes: number
  /** Given to the disk since the process began. */
  readonly writtenMegabytes: number
}

export interface Sampling {
  readonly samples: readonly Sample[]
  end (): Promise<readonly Sample[]>
}

/** The file that keeps room for recovery (bridge/spool/reserve.ts). */
const RESERVE = 'reserve'

/** Every so often until it is ended; the last one is taken then. */
export function startSampling (service: Service, spoolDir: string, everyMs: number): Sampling {
  const samples: Sample[] = []
  const startedAt = performance.now()
  const ended = new AbortController()
  const take = async (): Promise<void> => { samples.push(await sample(service, spoolDir, startedAt)) }
  const running = (async () => {
    while (!ended.signal.aborted) {
      await take()
      await delay(everyMs)
    }
    await take()
  })()
  return {
    samples,
    async end () {
      ended.abort()
      await running
      return samples
    }
  }
}

async function sample (service: Service, spoolDir: string, startedAt: number): Promise<Sample> {
  const pid = service.child.process.pid ?? 0
  const { backlog } = await service.status()
  const diskBytes = await readBlockBytes(spoolDir)
  return {
    seconds: (performance.now() - startedAt) / 1000,
    residentMegabytes: readMemory(pid).now / 1e6,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    waiting: backlog.count,
    liveMegabytes: backlog.bytes / 1e6,
    diskMegabytes: diskBytes / 1e6,
    writtenMegabytes: readWrittenBytes(pid) / 1e6
  }
}

/** Files may go while they are looked at. */
async function readBlockBytes (directory: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) sum += await readBlockBytes(path)
    else if (entry.name !== RESERVE) sum += ((await stat(path).catch(() => undefined))?.blocks ?? 0) * 512 // stat(2)
  }
  return sum
}

/** By least squares: how much `read` grows in each minute. */
export function slopePerMinute (samples: readonly Sample[], read: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, one) => sum + of(one), 0) / samples.length
  const [middle, level] = [mean(({ seconds }) => seconds), mean(read)]
  const covariance = mean((one) => (one.seconds - middle) * (read(one) - level))
  return covariance / mean((one) => (one.seconds - middle) ** 2) * 60
}

/** About so many of them, evenly, with the first and the last: what is kept of a long run. */
export function thin (samples: readonly Sample[], count: number): Sample[] {
  const every = Math.max(1, Math.ceil(samples.length / count))
  return samples.filter((_, nth) => nth % every === 0 || nth === samples.length - 1)
}
