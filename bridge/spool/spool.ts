// The spool: what we have custody of, on disk. In its directory:
//
//   FORMAT             the number of this layout
//   segments/<number>  payloads with their entries, a database each (segment.ts)
//   index/             one row per entry, the totals (spool-index.ts)
//   set-aside/         payloads of what will not upload (set-aside.ts)
//
// An append is acknowledged when its segment is synced; the index follows and may lag behind a crash.

import type { DeviceId, ImageId } from '../../broker/topics.ts'
import type { Arrival, Entry, Failure, Held, Ledger, Upload } from '../entry.ts'
import type { Observe } from '../events.ts'
import { Acceptance } from './acceptance.ts'
import type { Backlog } from './backlog.ts'
import { Condition } from '../condition.ts'
import { Chore } from './chore.ts'
import { openParts, type SpoolOptions, type SpoolParts } from './open-parts.ts'
import { SET_ASIDE, type Located } from './index-rows.ts'
import type { SpoolLevels } from './levels.ts'
import type { ListQuery, Page } from './index-list.ts'

export type { SpoolLevels }

const TEND_EVERY_MS = 1000
/** Somebody else may fill the disk, and whoever asks whether we are ready has to be told within a second. */
const WATCH_EVERY_MS = 250
/** A fast line drains several segments in a second. */
const CLEAR_EVERY_MS = 250

export class Spool {
  readonly #parts: SpoolParts
  readonly #observe: Observe
  /** Sequences given but not yet in the index, in order: `waiting` shows nothing behind the first. */
  readonly #unsettled = new Set<number>()
  /** All that was accepted, in order. */
  readonly acceptance: Acceptance
  readonly #condition = new Condition()
  readonly #chores: readonly Chore[]
  #changes = 0
  #oldest: Entry | undefined
  #closing: Promise<void> | undefined

  private constructor (parts: SpoolParts, observe: Observe) {
    this.#parts = parts
    this.#observe = observe
    this.acceptance = new Acceptance(parts.index, this.#unsettled)
    const chore = (everyMs: number, operation: 'delete' | 'write', work: () => Promise<void>): Chore =>
      new Chore(everyMs, work, (cause) => { observe({ kind: 'spool-fault', operation, cause }) })
    this.#chores = [
      chore(TEND_EVERY_MS, 'delete', () => this.#tend()),
      chore(WATCH_EVERY_MS, 'write', () => this.#watch()),
      // Apart from the one before, which finds the room that an index under repair may wait for here.
      chore(CLEAR_EVERY_MS, 'delete', () => parts.upkeep.removeDrained())
    ]
  }

  /** Resolves once everything a crash left behind is found again. Rejects with SpoolOpenError. */
  static async open (options: SpoolOptions, observe: Observe): Promise<Spool> {
    const startedAt = performance.now()
    const { parts, found } = await openParts(options, observe)
    const spool = new Spool(parts, observe)
    const seconds = (performance.now() - startedAt) / 1000
    observe({ kind: 'spool-recovered', waiting: spool.levels.waiting.count, found, seconds })
    return spool
  }

  get ledger (): Ledger { return this.#parts.index.ledger }

  get levels (): SpoolLevels {
    const { index, disk, admission } = this.#parts
    const waiting = index.sum('waiting')
    return {
      waiting,
      failed: index.sum('failed'),
      uploaded: index.sum('uploaded'),
      paused: admission.pause,
      oldestReceivedAt: waiting.count === 0 ? undefined : this.#oldest?.receivedAt,
      queues: this.backlog.levels,
      ...disk.levels
    }
  }

  /** What waits, by lane and device. */
  get backlog (): Backlog { return this.#parts.backlog }

  /** Grows whenever there may be more to upload; see `changed`. */
  get changes (): number { return this.#changes }

  /** Resolves once `changes` has moved past `seen`, when `signal` aborts, or after `msMax`. */
  changed (seen: number, signal: AbortSignal, msMax?: number): Promise<void> {
    return this.#condition.until(() => this.#changes !== seen, signal, msMax)
  }

  /** Resolves once images are taken again, or when `signal` aborts. */
  accepting (signal: AbortSignal): Promise<void> {
    return this.#parts.admission.accepting(signal)
  }

  /**
   * Takes custody: resolves once the image is on disk and synced, and not before.
   * Rejects with SpoolPaused where it cannot be had at present.
   */
  async append (arrival: Arrival, payload: Buffer): Promise<Entry> {
    const { admission, index, disk, active } = this.#parts
    admission.check(payload.length)
    const entry: Entry = { sequence: index.nextSequence(), ...arrival }
    this.#unsettled.add(entry.sequence)
    disk.grew(payload.length)
    try {
      const segment = await active.append({ entry, payload })
      void index.taken(entry, segment).then(() => { this.#settle(entry.sequence) }) // never rejects
    } catch (error) {
      this.#settle(entry.sequence)
      throw error
    }
    return entry
  }

  /**
   * What is held under this name, of any state; within the dedup window also what has left.
   * Rejects with SpoolPaused while the index is repaired.
   */
  async find (deviceId: DeviceId, imageId: ImageId): Promise<Held | undefined> {
    return this.#parts.index.find(deviceId, imageId)
  }

  /** The images of that name of all devices. */
  findByImageId (imageId: ImageId): Promise<readonly Held[]> { return this.#parts.index.findByImageId(imageId, 100) }

  list (query: ListQuery): Promise<Page> { return this.#parts.index.list(query) }

  /** Up to `limit` waiting entries behind the sequence `after`, oldest first. */
  async waiting (after: number, limit: number): Promise<Entry[]> {
    const [firstUnsettled = Number.MAX_SAFE_INTEGER] = this.#unsettled
    return await this.#parts.index.waiting(after, firstUnsettled, limit)
  }

  /** That nobody reads a payload any more, which came from `payload`: its memory will be overwritten. */
  giveBack (payload: Buffer): void { this.#parts.memory.giveBack(payload) }

  /** The bytes the device sent. Rejects with EntryCorrupt where they are not those any more. */
  async payload (entry: Entry): Promise<Buffer> {
    const startedAt = performance.now()
    await this.#parts.index.readable()
    const payload = await this.#parts.payloads.readSound(this.#parts.index.locate(entry.sequence), entry)
    this.#observe({ kind: 'spool-read', seconds: (performance.now() - startedAt) / 1000 })
    return payload
  }

  /** The store has it. False where it was not waiting any more. */
  async markUploaded ({ sequence }: Entry, upload: Upload): Promise<boolean> {
    return await this.#release(await this.#parts.index.uploaded(sequence, upload))
  }

  /** It will not upload: moves it out of the way, with the reason. Where there is no room it fails where it lies. */
  async setAside ({ sequence }: Entry, failure: Failure): Promise<boolean> {
    const { index } = this.#parts
    await index.readable()
    const located = index.locate(sequence)
    if (located?.state !== 'waiting') return false
    const segment = await this.#parts.payloads.moveAside(located, failure) ? SET_ASIDE : located.segment
    return await index.failed(sequence, failure, segment) !== undefined
  }

  /** Failed to waiting. False where it had not failed. */
  async retry ({ sequence }: Entry): Promise<boolean> {
    const retried = await this.#parts.index.retried(sequence)
    if (retried === undefined) return false
    this.#oldest = undefined
    this.#change()
    this.#observe({ kind: 'entry-retried', entry: retried.entry })
    return true
  }

  /** Waiting, it goes before all lanes from now on. False where it does not wait. */
  async prioritize ({ sequence }: Entry): Promise<boolean> {
    const prioritized = await this.#parts.index.prioritized(sequence)
    if (prioritized === undefined) return false
    this.#change()
    this.#observe({ kind: 'entry-prioritized', entry: prioritized.entry })
    return true
  }

  /** An operator gives up an image that is waiting or failed; the ledger counts it as dropped. */
  async drop ({ sequence }: Entry): Promise<boolean> {
    const dropped = await this.#parts.index.dropped(sequence)
    if (dropped !== undefined) this.#observe({ kind: 'entry-dropped', entry: dropped.entry })
    return await this.#release(dropped)
  }

  /** Finishes what is being written and leaves everything such that the next start opens no old segment. */
  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close (): Promise<void> {
    await Promise.all(this.#chores.map((chore) => chore.stop()))
    const { index, shelf, setAside, active, upkeep } = this.#parts
    for (const number of await active.close()) await index.sealed(number)
    await upkeep.settled() // closing may have sealed more
    await shelf.closeAll()
    await setAside.close()
    await index.close()
  }

  #settle (sequence: number): void {
    this.#unsettled.delete(sequence)
    this.#change()
  }

  #change (): void {
    this.#changes++
    this.#condition.changed()
  }

  async #tend (): Promise<void> {
    await this.#parts.upkeep.tend(this.#parts.active)
    // Looked for from where it was last, since rows that left before it are slow to step over.
    await this.backlog.tend()
    this.#oldest = (await this.waiting((this.#oldest?.sequence ?? 1) - 1, 1))[0]
  }

  async #watch (): Promise<void> {
    try {
      await this.#parts.upkeep.watch()
    } finally {
      this.#parts.admission.review()
    }
  }

  async #release (located: Located | undefined): Promise<boolean> {
    if (located?.segment === SET_ASIDE) {
      await this.#parts.index.sync() // or a loss of power could undo the mark, and not the removal
      await this.#parts.setAside.remove(located.entry.sequence)
    }
    return located !== undefined
  }
}
