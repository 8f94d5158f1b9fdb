// A site whose power is cut again and again. The store has its own: it is elsewhere, and loses nothing.

import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { Random } from '../../device-sim/random.ts'
import { assertCounted, devicesOf, fastLine, ledgerOf, sampleLedger, slowLine } from '../helpers/custody.ts'
import { acknowledgedBy } from '../helpers/device.ts'
import { eventually } from '../helpers/eventually.ts'
import { bucket, credentials, startTestStore } from '../helpers/local-store.ts'
import { serviceEnv, startService, type Service } from '../helpers/process.ts'
import { startSluice } from '../helpers/sluice.ts'
import { indexOpened, type Site } from './death.ts'
import { Volume } from './volume.ts'

export interface PoweredSite extends Site {
  readonly volume: Volume
  /** What is in the store lies below. */
  readonly storeRoot: string
  readonly env: Readonly<Record<string, string>>
}

/** In which the power is cut: at the first PUBACK, at random, when a segment was begun, when one is removed. */
export type Moment = 'acknowledged' | 'any' | 'begun' | 'removed'

export async function newPoweredSite (t: TestContext, random: Random): Promise<PoweredSite> {
  const volume = await Volume.make(t)
  const storeRoot = await mkdtemp(join(tmpdir(), 'sluice-store-'))
  const { endpoint } = await startTestStore(t, { dir: join(storeRoot, 'objects') })
  t.after(() => rm(storeRoot, { recursive: true, force: true, maxRetries: 5 }))
  const env = {
    SLUICE_S3_ENDPOINT: endpoint,
    SLUICE_S3_BUCKET: bucket,
    SLUICE_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    SLUICE_SPOOL_LIMIT: '150MB',
    SLUICE_SPOOL_RESERVE: '16MB'
  }
  return { volume, storeRoot, env, dataDir: join(volume.directory, 'data'), devices: devicesOf(random), random }
}

/** Resolves with how often the ledger was looked at meanwhile. */
export async function cutInLoad (
  t: TestContext, site: PoweredSite, moment: Moment, tampered: Readonly<Record<string, string>> = {}
): Promise<number> {
  const { dataDir, devices, volume, random } = site
  const line = moment === 'removed' ? fastLine : slowLine
  const service = await startService(t, { dataDir, env: { ...line, ...site.env, ...tampered } })
  assertCounted(await ledgerOf(service), devices)
  const sampling = sampleLedger(service, devices)
  const before = acknowledgedBy(devices).size
  const publishing = Promise.all(devices.map((device) => device.publishUntilCut(service.mqttPort)))
  await eventually(() => acknowledgedBy(devices).size > before, { timeoutMs: 20_000, what: 'the first PUBACK' })
  await come(moment, site)
  await volume.cutPower(service.pid, () => service.kill('SIGKILL'), { journalWritten: random() < 0.5 })
  await publishing
  return await sampling
}

/** While the spool is made or recovered. */
export async function cutInStart (t: TestContext, { dataDir, env, volume, random }: PoweredSite): Promise<void> {
  const opened = await indexOpened(dataDir)
  const { process: child, ended } = await startSluice(t, ['serve'],
    { env: serviceEnv(dataDir, { ...slowLine, ...env }) })
  const begun = async (): Promise<boolean> => opened === undefined
    ? existsSync(join(dataDir, 'spool'))
    : await indexOpened(dataDir) !== opened
  await eventually(begun, { timeoutMs: 20_000, what: 'a start that comes to the spool' })
  await delay(random() * 150)
  await volume.cutPower(child.pid ?? 0, async () => {
    child.kill('SIGKILL')
    await ended
  }, { journalWritten: random() < 0.5 })
}

/** The last start, over a line on which everything goes out. */
export async function startPowered (t: TestContext, { dataDir, env }: PoweredSite): Promise<Service> {
  return await startService(t, { dataDir, env: { ...fastLine, ...env } })
}

async function come (moment: Moment, { dataDir, random }: PoweredSite): Promise<void> {
  const segments = join(dataDir, 'spool', 'segments')
  const limit = { timeoutMs: 30_000, what: `the moment '${moment}'` }
  switch (moment) {
    case 'acknowledged':
      return
    case 'any':
      return await delay(random() * 500)
    case 'begun': {
      const newest = await newestWritten(segments)
      await eventually(async () => await newestWritten(segments) !== newest, limit)
      return await delay(random() * 30)
    }
    case 'removed': {
      const oldest = (await readdir(segments)).sort()[0]
      await eventually(async () => (await readdir(segments)).sort()[0] !== oldest, limit)
    }
  }
}

/** The segment with the highest number in which there is something. */
async function newestWritten (segments: string): Promise<string | undefined> {
  for (const name of (await readdir(segments)).sort().reverse()) {
    const files = await readdir(join(segments, name)).catch(() => []) // removed meanwhile
    const logs = files.filter((file) => file.endsWith('.log')).map((file) => join(segments, name, file))
    const sizes = await Promise.all(logs.map(async (log) => (await stat(log).catch(() => undefined))?.size ?? 0))
    if (sizes.some((size) => size > 0)) return name
  }
  return undefined
}
