import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalStore } from '../bridge/local-store/server.ts'
import { Child } from './child.ts'
import { startService, withTempDirectory } from './subject.ts'

export interface VerifiedRow {
  readonly devices: number
  readonly acknowledged: number
  readonly lost: number
  readonly duplicated: number
  readonly corrupted: number
  /** From the first capture until the last object was found, read back and compared. */
  readonly seconds: number
}

export const credentials = { accessKeyId: 'BENCH', secretAccessKey: 'bench-secret' }

/** Where the store's objects lie: in memory if there is such a place, since a bucket is not on the disk of the site. */
export const storeParent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const RATE_PER_DEVICE = 10

/** Unlimited, into the local store: more captures than fit, and the simulator looks for each that got its PUBACK. */
export async function benchVerified (devices: number, count: number): Promise<VerifiedRow> {
  return await withTempDirectory(async (directory) => await withTempDirectory(async (objects) => {
    const store = await startLocalStore({
      listen: { host: '127.0.0.1', port: 0 }, dir: join(objects, 'objects'), credentials, buckets: ['images']
    })
    const service = await startService(join(directory, 'data'), {
      SLUICE_S3_ENDPOINT: store.endpoint,
      SLUICE_S3_BUCKET: 'images',
      SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      SLUICE_UPLINK_CAPACITY: 'unlimited'
    })
    const startedAt = performance.now()
    const simulator = new Child(process.execPath, ['dist/device-sim/main.js', '-p', String(service.mqttPort),
      '-c', String(devices), '-L', String(count), '--rate', `${RATE_PER_DEVICE}/s`, '--json', '--quiet',
      ...verifyArguments(store.endpoint)])
    await simulator.exited()
    const seconds = (performance.now() - startedAt) / 1000
    await service.child.stop()
    await store.close()
    const { counts, verdict } = readReport(simulator.output)
    return {
      devices,
      acknowledged: counts.acknowledged,
      lost: verdict.lost.count,
      duplicated: verdict.duplicated.count,
      corrupted: verdict.corrupted.count,
      seconds
    }
  }, storeParent))
}

/** So that the simulator looks into the store for each image that got its PUBACK. */
export function verifyArguments (endpoint: string): string[] {
  return ['--verify', '--verify-timeout', '15m', '--s3-endpoint', endpoint, '--s3-bucket', 'images', '--s3-region', 'us-east-1',
    '--s3-access-key-id', credentials.accessKeyId, '--s3-secret-access-key', credentials.secretAccessKey]
}

interface Finding { readonly count: number }

interface SimulatorReport {
  readonly counts: { readonly acknowledged: number }
  readonly fromSend: { readonly p50: number, readonly p99: number }
  readonly verdict: { readonly lost: Finding, readonly duplicated: Finding, readonly corrupted: Finding }
}

export function readReport (output: string): SimulatorReport {
  return JSON.parse(output.slice(output.indexOf('{'))) as SimulatorReport // device-sim/report.ts writes it
}
