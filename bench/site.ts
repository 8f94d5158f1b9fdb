import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startLocalStore } from '../bridge/local-store/server.ts'
import { Child } from './child.ts'
import { startService, withTempDirectory, type Status } from './subject.ts'
import { credentials, readReport, storeParent, verifyArguments } from './verified.ts'

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
  /** Bytes that left for the store in any 10 s, by the allowance: the most, and the least while images waited. */
  readonly wireShare: { readonly most: number, readonly least: number }
  readonly isLedgerExact: boolean
}

/** What the line to the store had carried by then, as bench/meter.ts counts it. */
interface Carried {
  readonly at: number
  readonly bytes: number
}

interface Backlog {
  readonly at: number
  readonly waiting: number
}

/** 20 % of 200 Mbit/s, less 5 %. */
export const ALLOWANCE = 200e6 / 8 * 0.2 * 0.95
const WINDOW_MS = 10_000
const SAMPLE_MS = 100
const IN_FLIGHT_MAX = 16

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
  const meter = new Child(process.execPath, ['--import', 'tsx', 'bench/meter.ts', new URL(store.endpoint).port])
  const [, meterPort] = await meter.prints(/listening on (\d+)/)
  const service = await startService(join(directory, 'data'), {
    SLUICE_S3_ENDPOINT: `http://127.0.0.1:${meterPort}`,
    SLUICE_S3_BUCKET: 'images',
    SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey
  })
  const simulator = new Child(process.execPath, ['dist/device-sim/main.js',
    '-p', String(service.mqttPort), '-c', String(devices), '-d', `${seconds}s`, '-s', String(bytes), '--json', '--quiet',
    ...verifyArguments(store.endpoint)])
  const backlogs: Backlog[] = []
  const ended = new AbortController()
  const sampling = (async () => {
    while (!ended.signal.aborted) {
      const { ledger } = await service.status()
      backlogs.push({ at: Date.now(), waiting: ledger.waiting })
      await delay(SAMPLE_MS)
    }
  })()
  await simulator.exited()
  ended.abort()
  await sampling
  const share = wireShare(readMeter(meter.output), backlogs)
  const row = { ...judge(simulator.output), ...await readService(service), wireShare: share }
  await service.child.stop()
  await meter.stop()
  await store.close()
  return { devices, seconds, ...row }
}

async function readService (
  { child, status }: { child: Child, status: () => Promise<Status> }
): Promise<Pick<SiteRow, 'peakMegabytes' | 'isLedgerExact'>> {
  return { peakMegabytes: child.memory().peak / 1e6, isLedgerExact: (await status()).ledger.exact }
}

type Judged = Pick<SiteRow, 'acknowledged' | 'lost' | 'duplicated' | 'corrupted' | 'pubackMs'>

function judge (output: string): Judged {
  const report = readReport(output)
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

export function readMeter (output: string): Carried[] {
  const lines = output.matchAll(/at (\d+) sent (\d+)\n/g)
  return [...lines].map(([, at, bytes]) => ({ at: Number(at), bytes: Number(bytes) }))
}

/** A window counts for the least only where images waited from its beginning to its end. */
function wireShare (carried: readonly Carried[], backlogs: readonly Backlog[]): SiteRow['wireShare'] {
  // Fewer than what is in flight anyway is no backlog.
  const idle = backlogs.filter(({ waiting }) => waiting <= IN_FLIGHT_MAX).map(({ at }) => at)
  let most = 0
  let least = Infinity
  for (const from of carried) {
    const to = carried.find(({ at }) => at >= from.at + WINDOW_MS)
    if (to === undefined) break
    const share = (to.bytes - from.bytes) / ((to.at - from.at) / 1000) / ALLOWANCE
    most = Math.max(most, share)
    if (!idle.some((at) => at >= from.at && at <= to.at)) least = Math.min(least, share)
  }
  return { most, least }
}
