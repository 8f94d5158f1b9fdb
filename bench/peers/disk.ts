import { execFileSync } from 'node:child_process'
import type { Measured } from '../rounds.ts'
import { ask } from './peer.ts'

const BLOCK = 256 * 1024

/** The disk by itself: one writer, 256 KiB at a time, each synced. */
export const DISK = {
  name: 'the disk: fio, 256 KiB, each synced',
  packages: 'fio',
  version: (): string | undefined => ask('fio', '--version')
} as const

/** An image is a block of 256 KiB; its latency is that of its sync. */
export function measureDisk (directory: string, count: number): Measured {
  const output = execFileSync('fio', ['--name=synced', `--directory=${directory}`, '--rw=write', '--ioengine=sync',
    '--fdatasync=1', `--bs=${BLOCK}`, `--size=${count * BLOCK}`, '--output-format=json'])
  const [job] = (JSON.parse(output.toString()) as FioReport).jobs // fio writes it
  if (job === undefined) throw new Error('fio reported no job')
  const percentile = (name: string): number => (job.sync.lat_ns.percentile?.[name] ?? NaN) / 1e6
  const seconds = job.job_runtime / 1000
  return {
    imagesPerSecond: job.write.bw_bytes / BLOCK,
    megabytesPerSecond: job.write.bw_bytes / 1e6,
    acknowledged: count,
    pubackMs: { p50: percentile('50.000000'), p95: percentile('95.000000'), p99: percentile('99.000000') },
    cpuMsPerImage: (job.usr_cpu + job.sys_cpu) / 100 * seconds * 1000 / count,
    writtenPerByte: job.write.io_bytes / (count * BLOCK)
  }
}

interface FioReport {
  readonly jobs: readonly FioJob[]
}

interface FioJob {
  /** Milliseconds. */
  readonly job_runtime: number
  /** Per cent. */
  readonly usr_cpu: number
  readonly sys_cpu: number
  readonly write: { readonly bw_bytes: number, readonly io_bytes: number }
  readonly sync: { readonly lat_ns: { readonly percentile?: Readonly<Record<string, number>> } }
}
