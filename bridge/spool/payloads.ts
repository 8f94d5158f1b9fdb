import { crc32 } from '../crc32.ts'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import type { ActiveSegments } from './active-segments.ts'
import type { Disk } from './disk.ts'
import { SpoolDamaged } from './errors.ts'
import type { SetAside } from './set-aside.ts'
import type { Shelf } from './shelf.ts'
import { SET_ASIDE, type Located } from './spool-index.ts'

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

  /** Into the set-aside store. False where the payload has to stay in its segment. */
  async moveAside (located: Located): Promise<boolean> {
    const { setAside, disk, observe } = this.#deps
    const { sequence, bytes } = located.entry
    if (disk.pause(bytes)?.reason === 'disk_low') return false // what is kept for recovery is not for this
    try {
      const payload = await this.read(located)
      return payload === undefined || await setAside.put(sequence, payload)
    } catch (cause) {
      observe({ kind: 'spool-fault', operation: 'read', cause: cause as Error })
      return false
    }
  }

  /**
   * The bytes the device sent, and no others: LevelDB does not verify what it reads, and drops damaged
   * regions of a log without a word. Rejects with SpoolDamaged.
   */
  async readSound (located: Located | undefined, { sequence, crc32: written }: Entry): Promise<Buffer> {
    const payload = located === undefined ? undefined : await this.read(located)
    if (payload === undefined) throw new SpoolDamaged(sequence, 'its payload is not there')
    const found = crc32(payload)
    if (found !== written) throw new SpoolDamaged(sequence, `its CRC-32 is ${found}, written was ${written}`)
    return payload
  }
}
