import { crc32 } from '../crc32.ts'
import type { Entry, Failure } from '../entry.ts'
import type { Observe } from '../events.ts'
import type { ActiveSegments } from './active-segments.ts'
import type { Disk } from './disk.ts'
import { EntryCorrupt } from './errors.ts'
import type { SetAside } from './set-aside.ts'
import type { Shelf } from './shelf.ts'
import { SET_ASIDE, type Located } from './index-rows.ts'

export interface PayloadsDeps {
  readonly setAside: SetAside
  readonly active: ActiveSegments
  readonly shelf: Shelf
  readonly disk: Disk
  readonly observe: Observe
}

/** Reading back, from wherever the payload of an entry lies. */
export class Payloads {
  readonly #deps: PayloadsDeps

  constructor (deps: PayloadsDeps) {
    this.#deps = deps
  }

  /** What is on disk, sound or not; undefined where nothing is. */
  async read ({ entry, segment }: Located): Promise<Buffer | undefined> {
    const { setAside, active, shelf } = this.#deps
    if (segment === SET_ASIDE) return await setAside.payload(entry.sequence)
    try {
      return await (active.segment(segment)?.payload(entry.sequence) ?? shelf.payload(segment, entry.sequence))
    } catch (error) {
      // Closed between finding and reading it; the shelf opens it again.
      if ((error as NodeJS.ErrnoException).code !== 'LEVEL_DATABASE_NOT_OPEN') throw error
      return await shelf.payload(segment, entry.sequence)
    }
  }

  /** Into the set-aside store. False where it has to stay in its segment. */
  async moveAside (located: Located, failure: Failure): Promise<boolean> {
    const { setAside, disk, observe } = this.#deps
    const { entry } = located
    if (disk.pause(entry.bytes)?.reason === 'disk_low') return false // what is kept for recovery is not for this
    try {
      return await setAside.put(entry, failure, await this.read(located))
    } catch (cause) {
      observe({ kind: 'spool-fault', operation: 'read', cause: cause as Error })
      return false
    }
  }

  /** The bytes the device sent, and no others, under the name it gave them. Rejects with EntryCorrupt. */
  async readSound (located: Located | undefined, { sequence, crc32: written }: Entry): Promise<Buffer> {
    if (located === undefined) throw new EntryCorrupt(sequence, 'the index does not have it')
    const payload = await this.read(located)
    const sound = isSound(payload, written) ? payload : await this.#salvage(located, written)
    if (sound === undefined) {
      const found = payload === undefined ? 'not there' : `not what was written: its CRC-32 is not ${written}`
      throw new EntryCorrupt(sequence, `its payload is ${found}`)
    }
    await this.#compare(located)
    return sound
  }

  async #salvage ({ entry: { sequence }, segment }: Located, written: number): Promise<Buffer | undefined> {
    const { active, shelf } = this.#deps
    if (segment === SET_ASIDE || active.segment(segment) !== undefined) return undefined
    const payload = await shelf.salvage(segment, sequence)
    return isSound(payload, written) ? payload : undefined
  }

  /** Each of the two has a checksum of its own, but what was damaged before it was written has a good one. */
  async #compare ({ entry, segment }: Located): Promise<void> {
    const { active, shelf } = this.#deps
    if (segment === SET_ASIDE || active.segment(segment) !== undefined) return
    const written = await shelf.entry(segment, entry.sequence)
    if (written === undefined || JSON.stringify(written) === JSON.stringify(entry)) return
    throw new EntryCorrupt(entry.sequence, `the index calls it ${entry.deviceId}/${entry.imageId}, ` +
      `its segment ${written.deviceId}/${written.imageId}`)
  }
}

function isSound (payload: Buffer | undefined, written: number): boolean {
  return payload !== undefined && crc32(payload) === written
}
