import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceId } from '../../broker/topics.ts'
import type { Fault } from './envelope.ts'

const SAMPLES_MAX = 50
const SAMPLE_BYTES_MAX = 256 * 1024
const EVERY_MS = 1000

/**
 * A few of the payloads that were refused, as plain files, so that somebody can look at what a device
 * sends: `<time>-<device>-<reason>.bin`. At most one a second and 50 in all; it is evidence, not custody.
 */
export class RefusedSamples {
  readonly #directory: string
  #keptAt = 0
  #keeping = Promise.resolve()

  constructor (directory: string) {
    this.#directory = directory
  }

  keep (deviceId: DeviceId | undefined, { reason }: Fault, payload: Buffer): void {
    const now = Date.now()
    if (now - this.#keptAt < EVERY_MS || payload.length === 0) return
    this.#keptAt = now
    const name = `${new Date(now).toISOString().replaceAll(':', '')}-${deviceId ?? 'unknown'}-${reason}.bin`
    // Copied: the payload belongs to whoever offered it.
    const sample = Buffer.from(payload.subarray(0, SAMPLE_BYTES_MAX))
    this.#keeping = this.#keeping.then(() => this.#write(name, sample)).catch(() => {}) // a full disk has louder voices
  }

  async close (): Promise<void> {
    await this.#keeping
  }

  async #write (name: string, sample: Buffer): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    await writeFile(join(this.#directory, name), sample)
    const names = (await readdir(this.#directory)).sort()
    for (const old of names.slice(0, -SAMPLES_MAX)) await rm(join(this.#directory, old), { force: true })
  }
}
