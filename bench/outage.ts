import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { Child } from './child.ts'
import { ALLOWANCE, readMeter } from './site.ts'
import { startService, withTempDirectory } from './subject.ts'

export interface OutageOptions {
  readonly devices: number
  readonly seconds: number
  readonly bytes: number
}

export interface OutageRow {
  readonly devices: number
  readonly seconds: number
  /** When the store came back. */
  readonly waiting: number
  /** Handed to the line while nobody took anything, by the allowance of that time. */
  readonly wastedShare: number
  /** From the store's return on: until the first image is in it, and until a second carries 95 % of the allowance. */
  readonly firstStoredSeconds: number
  readonly atAllowanceSeconds: number
  /** Of the allowance, from 5 s after the return to 15 s. */
  readonly wireShareAfter: number
}

const BEFORE_MS = 10_000
const AFTER_MS = 30_000
const FULL = 0.95 // a second is a few pieces

/** A store that is away for a while, with the devices going on: how soon the line is full again. */
export async function benchOutage ({ devices, seconds, bytes }: OutageOptions): Promise<OutageRow> {
  return await withTempDirectory(async (directory) => {
    const first = await startStore('0')
    const meter = new Child(process.execPath, ['--import', 'tsx', 'bench/meter.ts', first.port])
    const [, meterPort] = await meter.prints(/listening on (\d+)/)
    const service = await startService(join(directory, 'data'), {
      SLUICE_S3_ENDPOINT: `http://127.0.0.1:${meterPort}`,
      SLUICE_S3_ACCESS_KEY_ID: 'a',
      SLUICE_S3_SECRET_ACCESS_KEY: 'b'
    })
    const lasts = `${seconds + (BEFORE_MS + AFTER_MS) / 1000}s`
    const simulator = new Child(process.execPath, ['dist/device-sim/main.js',
      '-p', String(service.mqttPort), '-c', String(devices), '-d', lasts, '-s', String(bytes), '--json', '--quiet'])
    await delay(BEFORE_MS)
    await first.child.stop('SIGKILL')
    const wentAt = Date.now()
    await delay(seconds * 1000)
    const back = await startStore(first.port)
    const returnedAt = Date.now()
    const { waiting } = (await service.status()).ledger
    await delay(AFTER_MS)
    const carried = readMeter(meter.output)
    await simulator.stop()
    await service.child.stop()
    await meter.stop()
    await back.child.stop()
    const sentBetween = (from: number, to: number): number => sentBy(carried, to) - sentBy(carried, from)
    const shareOf = (from: number, to: number): number => sentBetween(from, to) / (ALLOWANCE * (to - from) / 1000)
    const storedAt = /stored [1-9]\d* at (\d+)/.exec(back.child.output)?.[1]
    const fullAt = carried.find(({ at }) => at >= returnedAt && shareOf(at, at + 1000) >= FULL)?.at
    return {
      devices,
      seconds,
      waiting,
      wastedShare: shareOf(wentAt, returnedAt),
      firstStoredSeconds: (Number(storedAt ?? NaN) - returnedAt) / 1000,
      atAllowanceSeconds: ((fullAt ?? NaN) - returnedAt) / 1000,
      wireShareAfter: shareOf(returnedAt + 5_000, returnedAt + 15_000)
    }
  })
}

async function startStore (port: string): Promise<{ readonly child: Child, readonly port: string }> {
  const child = new Child(process.execPath, ['--import', 'tsx', 'bench/drop-store.ts', 'open', port])
  const [, listening = ''] = await child.prints(/listening on (\d+)/)
  return { child, port: listening }
}

function sentBy (carried: ReturnType<typeof readMeter>, at: number): number {
  return carried.findLast((one) => one.at <= at)?.bytes ?? 0
}
