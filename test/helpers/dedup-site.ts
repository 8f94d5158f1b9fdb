// A spool with its intake and no network, on a real disk, that can be crashed between any two steps.

import { cp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createIntake, type Intake } from '../../bridge/intake/intake.ts'
import { RefusedSamples } from '../../bridge/intake/refused-samples.ts'
import type { State } from '../../bridge/spool/accounts.ts'
import { Journal } from '../../bridge/spool/journal.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { Upkeep } from '../../bridge/spool/upkeep.ts'
import { spoolOptions } from './spool.ts'

export const WINDOW_MS = 3_600_000

const SEGMENT_BYTES = 20_000
const STATES: readonly State[] = ['waiting', 'failed', 'uploaded', 'dropped']

export class DedupSite {
  readonly #root: string
  #generation = 0
  #running: { readonly spool: Spool, readonly intake: Intake } | undefined
  /** Bytes of each log of the index that a power cut leaves. */
  #syncedBytes = new Map<string, number>()
  #tending = Promise.resolve()
  #restore = (): void => {}

  private constructor (root: string) {
    this.#root = root
  }

  /** Time stands still but for `pass`. */
  static async open (t: TestContext, root: string): Promise<DedupSite> {
    const site = new DedupSite(root)
    const { sync } = Journal.prototype
    const synced = t.mock.method(Journal.prototype, 'sync', async function (this: Journal) {
      await sync.call(this)
      site.#syncedBytes = await logSizes(site.#index)
    })
    const { tend } = Upkeep.prototype
    const tended = t.mock.method(Upkeep.prototype, 'tend', function (this: Upkeep, ...of: Parameters<Upkeep['tend']>) {
      site.#tending = tend.apply(this, of)
      return site.#tending
    })
    site.#restore = () => { for (const { mock } of [synced, tended]) mock.restore() }
    await site.#start()
    return site
  }

  get spool (): Spool { return this.#up.spool }
  get intake (): Intake { return this.#up.intake }

  /** Lets the clock go on for minutes, and the housekeeping with it. */
  async pass (t: TestContext, minutes: number): Promise<void> {
    t.mock.timers.tick(minutes * 60_000)
    await this.#tending
    this.#syncedBytes = await logSizes(this.#index) // the kernel leaves nothing unwritten for so long
  }

  async restart (): Promise<void> {
    await this.#stop()
    await this.#start()
  }

  async crash (cut: 'process' | 'power'): Promise<void> {
    const synced = this.#syncedBytes
    const copy = join(this.#root, String(this.#generation + 1))
    await copyWhole(this.#directory, copy)
    await this.#stop()
    this.#generation++
    if (cut === 'power') await cutLogs(this.#index, synced)
    await this.#start()
  }

  /** The state of everything that is still known, by sequence. */
  async states (): Promise<Map<number, State>> {
    const found = new Map<number, State>()
    for (const state of STATES) {
      for (const { entry } of (await this.spool.list({ state, limit: 1000 })).held) found.set(entry.sequence, state)
    }
    return found
  }

  async close (): Promise<void> {
    this.#restore()
    await this.#stop()
  }

  async #stop (): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.spool.close()
  }

  get #up (): { readonly spool: Spool, readonly intake: Intake } {
    if (this.#running === undefined) throw new Error('the site is closed')
    return this.#running
  }

  get #directory (): string { return join(this.#root, String(this.#generation)) }
  get #index (): string { return join(this.#directory, 'index') }

  async #start (): Promise<void> {
    this.#syncedBytes = new Map()
    const options = { segmentBytes: SEGMENT_BYTES, dedupWindowMs: WINDOW_MS }
    const spool = await Spool.open(spoolOptions(this.#directory, options), () => {})
    const samples = new RefusedSamples(join(this.#root, 'refused'))
    const intake = createIntake({ spool, samples, observe: () => {} }, {
      imageTypes: ['image/jpeg'], imageKey: 'image', dedupWindowMs: WINDOW_MS, withholdMs: 300
    })
    this.#running = { spool, intake }
  }
}

/** A segment that is being made meanwhile renames its files. */
async function copyWhole (from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await cp(from, to, { recursive: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === 10) throw error
      await rm(to, { recursive: true, force: true })
    }
  }
}

async function logSizes (index: string): Promise<Map<string, number>> {
  const names = (await readdir(index)).filter((name) => name.endsWith('.log'))
  return new Map(await Promise.all(names.map(async (name) => [name, (await stat(join(index, name))).size] as const)))
}

async function cutLogs (index: string, synced: ReadonlyMap<string, number>): Promise<void> {
  for (const [name, size] of await logSizes(index)) {
    await truncate(join(index, name), Math.min(size, synced.get(name) ?? 0))
  }
}
