import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startLocalStore } from '../bridge/local-store/server.ts'
import { Child } from './child.ts'
import { startService, withTempDirectory, type Status } from './subject.ts'

export interface SiteOptions {
  readonly devices: number
  readonly seconds: number
  readonly bytes: number
}

export interface SiteRow {
  readonly devices: number
  readonly seconds: number
  readonly acknowledged: number
  readonly lost: number
  readonly duplicated: number
  readonly corrupted: number
  /** From sending the PUBLISH to its PUBACK, at the devices. */
  readonly pubackMs: { readonly p50: number, readonly p99: number }
  readonly peakMegabytes: number
  /** Bytes that reached the store over any 10 s, by the allowance: the most, and the least while images waited. */
  readonly wireShare: { readonly most: number, readonly least: number }
  readonly isLedgerExact: boolean
}

interface Sample {
  readonly at: number
  /** Everything read from the store's sockets so far. */
  readonly bytes: number
  readonly waiting: number
}

const credentials = { accessKeyId: 'BENCH', secretAccessKey: 'bench-secret' }
/** 20 % of 200 Mbit/s, less 5 %. */
const ALLOWANCE = 200e6 / 8 * 0.2 * 0.95
const WINDOW_MS = 10_000
const SAMPLE_MS = 100

/** Where the store's objects lie: in memory if there is such a place, since a bucket is not on the disk of the site. */
const storeParent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** The site of the README: devices that photograph in open loop, one uplink, a store that counts what reaches it. */
export async function benchSite (options: SiteOptions): Promise<SiteRow> {
  return await withTempDirectory(async (directory) =>
    await withTempDirectory(async (storeDirectory) => await runSite(options, directory, storeDirectory), storeParent))
}

async function runSite (
  { devices, seconds, bytes }: SiteOptions, directory: string, storeDirectory: string
): Promise<SiteRow> {
  const store = await startLocalStore({
    listen: { host: '127.0.0.1', port: 0 }, dir: join(storeDirectory, 'objects'), credentials, buckets: ['images']
  })
  const service = await startService(join(directory, 'data'), {
    SLUICE_S3_ENDPOINT: store.endpoint,
    SLUICE_S3_BUCKET: 'images',
    SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey
  })
  const simulator = new Child(process.execPath, ['dist/device-sim/main.js',
    '-p', String(service.mqttPort), '-c', String(devices), '-d', `${seconds}s`, '-s', String(bytes), '--json', '--quiet',
    '--verify', '--verify-timeout', '15m', '--s3-endpoint', store.endpoint, '--s3-bucket', 'images', '--s3-region', 'us-east-1',
    '--s3-access-key-id', credentials.accessKeyId, '--s3-secret-access-key', credentials.secretAccessKey])
  const samples: Sample[] = []
  const ended = new AbortController()
  const sampling = (async () => {
    while (!ended.signal.aborted) {
      const { ledger } = await service.status()
      samples.push({ at: performance.now(), bytes: store.faults.counts().socketBytes, waiting: ledger.waiting })
      await delay(SAMPLE_MS)
    }
  })()
  await simulator.exited()
  ended.abort()
  await sampling
  const row = { ...readReport(simulator.output), ...await readService(service), wireShare: wireShare(samples) }
  await service.child.stop()
  await store.close()
  return { devices, seconds, ...row }
}

async function readService (
  { child, status }: { child: Child, status: () => Promise<Status> }
): Promise<Pick<SiteRow, 'peakMegabytes' | 'isLedgerExact'>> {
  return { peakMegabytes: child.memory().peak / 1e6, isLedgerExact: (await status()).ledger.exact }
}

type Judged = Pick<SiteRow, 'acknowledged' | 'lost' | 'duplicated' | 'corrupted' | 'pubackMs'>

function readReport (output: string): Judged {
  const report = JSON.parse(output.slice(output.indexOf('{'))) as SimulatorReport // device-sim/report.ts writes it
  const { lost, duplicated, corrupted } = report.verdict
  const { p50, p99 } = report.fromSend
  return {
    acknowledged: report.counts.acknowledged,
    lost: lost.count,
    duplicated: duplicated.count,
    corrupted: corrupted.count,
    pubackMs: { p50, p99 }
  }
}

interface Finding { readonly count: number }

interface SimulatorReport {
  readonly counts: { readonly acknowledged: number }
  readonly fromSend: { readonly p50: number, readonly p99: number }
  readonly verdict: { readonly lost: Finding, readonly duplicated: Finding, readonly corrupted: Finding }
}

/** A window counts for the least only where images waited from its beginning to its end. */
export function wireShare (samples: readonly Sample[]): SiteRow['wireShare'] {
  let most = 0
  let least = Infinity
  for (const [first, from] of samples.entries()) {
    const last = samples.findIndex(({ at }, index) => index > first && at >= from.at + WINDOW_MS)
    const to = samples[last]
    if (to === undefined) break
    const share = (to.bytes - from.bytes) / ((to.at - from.at) / 1000) / ALLOWANCE
    most = Math.max(most, share)
    // Fewer than what is in flight anyway is no backlog.
    if (samples.slice(first, last + 1).every(({ waiting }) => waiting > 16)) least = Math.min(least, share)
  }
  return { most, least }
}
