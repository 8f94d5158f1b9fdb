// The index: one small row per entry, and the totals. On disk, in index/:
//
//   w<sequence>  waiting    Located (JSON)
//   f<sequence>  failed     Located with its failure
//   u<sequence>  uploaded   Located with what the store answered; kept for the dedup window
//   d<sequence>  dropped    Located; kept likewise
//   i<imageId>/<deviceId>   <sequence> of the latest image of that name
//   q<class><deviceId>/<sequence>   what waits, by lane and device (queues.ts)
//   s<number>               SegmentAccount
//   t                       Totals
//
// Invariants: a sequence is below exactly one of w, f, u, d. A batch that moves a row carries the totals and
// the segment accounts that follow from it. Rows of appended entries are not synced one by one: after a loss of
// power the missing ones are read back from the segments that were not sealed, and a lost mark uploads once more.

import type { DeviceId, ImageId } from '../../broker/topics.ts'
import type { Entry, Failure, Held, Ledger, Upload } from '../entry.ts'
import type { Observe } from '../events.ts'
import { Accounts, type SegmentAccount, type State, type Sum } from './accounts.ts'
import { CORRUPT } from './errors.ts'
import {
  formatAccounts, formatRow, identityKey, LAST, LETTERS, parseRow, readAccounts, SET_ASIDE, STATES,
  type Located, type Location
} from './index-rows.ts'
import { listPage, type ListQuery, type Page } from './index-list.ts'
import { Journal } from './journal.ts'
import { QueueIndex } from './queue-rows.ts'
import { queueOf, queueRow, Queues } from './queues.ts'
import { formatSequence, parseSequence } from './segment.ts'

export class SpoolIndex {
  readonly #accounts: Accounts
  readonly #journal: Journal
  readonly queues: QueueIndex

  private constructor (accounts: Accounts, journal: Journal, queues: QueueIndex) {
    this.#accounts = accounts
    this.#journal = journal
    this.queues = queues
  }

  /** Rejects with IndexDamaged where it is not what was written. */
  static async open (location: string, observe: Observe): Promise<SpoolIndex> {
    let accounts = new Accounts(undefined, [])
    const journal = await Journal.open(location, () => formatAccounts(accounts), observe)
    const queues = new Queues()
    try {
      accounts = await readAccounts(journal, (row) => { queues.add(queueOf(row), row.entry) })
    } catch (error) {
      await journal.abandon()
      throw error
    }
    return new SpoolIndex(accounts, journal, new QueueIndex(journal, queues))
  }

  get ledger (): Ledger { return this.#accounts.ledger }
  get broken (): Error | undefined { return this.#journal.broken }
  get isReadable (): boolean { return this.#journal.isReadable }
  get segments (): readonly SegmentAccount[] { return this.#accounts.segments }
  sum (state: State): Sum { return this.#accounts.sum(state) }
  segment (number: number): SegmentAccount | undefined { return this.#accounts.segment(number) }
  nextSequence (): number { return this.#accounts.nextSequence() }

  /** Counts an entry that is on disk in `segment`; resolves once `waiting` shows it. */
  taken (entry: Entry, segment: Location): Promise<void> {
    this.#accounts.sawSequence(entry.sequence)
    this.#accounts.taken(entry.bytes, segment)
    const row: Located = { state: 'waiting', entry, segment }
    return this.#journal.write([
      formatRow(row),
      ...queueRow(row),
      { key: identityKey(entry.deviceId, entry.imageId), value: formatSequence(entry.sequence) }
    ]).then(() => { this.queues.moved(undefined, row) })
  }

  /** Counts an entry that was acknowledged and that cannot be sent, found on disk again. */
  takenAsFailed (entry: Entry, failure: Failure): Promise<void> {
    this.#accounts.sawSequence(entry.sequence)
    this.#accounts.takenAsFailed(entry.bytes)
    return this.#journal.write([
      formatRow({ state: 'failed', entry, failure, segment: SET_ASIDE }),
      { key: identityKey(entry.deviceId, entry.imageId), value: formatSequence(entry.sequence) }
    ])
  }

  uploaded (sequence: number, upload: Upload): Promise<Located | undefined> {
    return this.#move(sequence, ['waiting'], ({ entry, segment }) => ({ state: 'uploaded', entry, upload, segment }))
  }

  /** The payload is in `segment` by now: the set-aside store, or where it was. */
  async failed (sequence: number, failure: Failure, segment: Location): Promise<Located | undefined> {
    await this.readable()
    const held = this.locate(sequence)
    const isInSegment = held?.state === 'waiting' && held.segment !== SET_ASIDE
    if (failure.reason === CORRUPT && isInSegment) this.#accounts.damaged(held.segment)
    return await this.#move(sequence, ['waiting'], ({ entry }) => ({ state: 'failed', entry, failure, segment }))
  }

  /** What had failed is gone, too. */
  lost (sequence: number, failure: Failure): Promise<Located | undefined> {
    return this.#move(sequence, ['failed'], ({ entry, segment }) => ({ state: 'failed', entry, failure, segment }))
  }

  retried (sequence: number): Promise<Located | undefined> {
    return this.#move(sequence, ['failed'], ({ entry, segment }) => ({ state: 'waiting', entry, segment }))
  }

  /** It stays waiting, before all lanes. */
  prioritized (sequence: number): Promise<Located | undefined> {
    return this.#move(sequence, ['waiting'], ({ entry, segment }) =>
      ({ state: 'waiting', entry, segment, prioritized: true }))
  }

  dropped (sequence: number): Promise<Located | undefined> {
    return this.#move(sequence, ['waiting', 'failed'], ({ entry, segment }) => ({ state: 'dropped', entry, segment }))
  }

  locate (sequence: number): Located | undefined {
    const key = formatSequence(sequence)
    for (const state of STATES) {
      const value = this.#journal.get(LETTERS[state] + key)
      if (value !== undefined) return parseRow(LETTERS[state] + key, value)
    }
    return undefined
  }

  find (deviceId: DeviceId, imageId: ImageId): Located | undefined {
    const sequence = this.#journal.get(identityKey(deviceId, imageId))
    return sequence === undefined ? undefined : this.locate(parseSequence(sequence))
  }

  async findByImageId (imageId: ImageId, limit: number): Promise<Held[]> {
    const { rows } = await this.#journal.range({ gt: `i${imageId}/`, lt: `i${imageId}/${LAST}`, limit })
    return rows.map(([, sequence]) => this.locate(parseSequence(sequence))).filter((held) => held !== undefined)
  }

  /** Waiting entries with a sequence between the two, both exclusive, oldest first. */
  async waiting (after: number, before: number, limit: number): Promise<Entry[]> {
    const bounds = { gt: `w${formatSequence(after)}`, lt: `w${formatSequence(before)}`, limit }
    const rows = await this.#journal.rows(bounds)
    return rows.flatMap(([key, value]) => parseRow(key, value)?.entry ?? [])
  }

  list (query: ListQuery): Promise<Page> { return listPage(this.#journal, query) }

  /** The last that was given. */
  get lastSequence (): number { return this.#accounts.totals.sequence }

  /** The lowest sequence above `after` that has a row; undefined where none has. */
  async nextRow (after: number): Promise<number | undefined> {
    const sequences = await Promise.all(STATES.map(async (state) => {
      const bounds = { gt: LETTERS[state] + formatSequence(after), lt: LETTERS[state] + LAST, limit: 1 }
      return (await this.#journal.range(bounds)).last
    }))
    return sequences.flatMap((key) => key === undefined ? [] : [parseSequence(key.slice(1))]).sort((a, b) => a - b)[0]
  }

  /** Forgets up to `limit` images that left before `receivedBefore` and whose segment is gone; says how many. */
  async prune (receivedBefore: number, limit: number): Promise<number> {
    let pruned = 0
    for (const state of ['uploaded', 'dropped'] as const) {
      const { rows } = await this.#journal.range({ gt: LETTERS[state], lt: LETTERS[state] + LAST, limit })
      for (const [key, value] of rows) {
        const row = parseRow(key, value)
        if (row === undefined) continue
        const { entry, segment } = row
        if (entry.receivedAt >= receivedBefore) break
        if (this.#accounts.segment(segment) !== undefined && segment !== SET_ASIDE) continue
        const identity = identityKey(entry.deviceId, entry.imageId)
        const latest = this.#journal.get(identity) === formatSequence(entry.sequence)
        await this.#journal.write([{ key, value: undefined }, ...latest ? [{ key: identity, value: undefined }] : []])
        pruned++
      }
    }
    return pruned
  }

  /** Durable when it resolves: from now on the segment's rows are all here. */
  async sealed (segment: number): Promise<void> {
    await this.#journal.sync()
    this.#accounts.sealed(segment)
    await this.#journal.sync()
  }

  /** Not everything in the segment is what was written: it is kept once it is drained. False where that is known. */
  damaged (segment: number): boolean {
    if (this.#accounts.segment(segment)?.damaged === true) return false
    this.#accounts.damaged(segment)
    void this.#journal.write([]) // never rejects
    return true
  }

  /** The sequence stands on disk, whether or not an entry comes of it: it is not given again. */
  saw (sequence: number): void { this.#accounts.sawSequence(sequence) }

  /** What was given before is not known any more: goes on from a number that no count of images has reached. */
  skipSequences (now: number): void {
    this.#accounts.sawSequence(now * 1000)
    void this.#journal.write([]) // never rejects
  }

  /** Durable when it resolves: nothing in the segment is wanted any more. */
  async forgot (segment: number): Promise<void> {
    this.#accounts.forgot(segment)
    await this.#journal.sync()
  }

  async sync (): Promise<void> { await this.#journal.sync() }

  /** Resolves once `locate` and `find` can answer; while the index is repaired they throw SpoolPaused. */
  async readable (): Promise<void> { await this.#journal.readable() }

  async close (): Promise<void> { await this.#journal.close() }

  /**
   * Resolves with the row as it was; undefined where the entry is in none of the states `from`. Reading and
   * moving share one tick, so of two that would move the same entry the second finds it gone.
   */
  async #move (
    sequence: number, from: readonly State[], to: (row: Located) => Located
  ): Promise<Located | undefined> {
    await this.readable()
    const old = this.locate(sequence)
    if (old === undefined || !from.includes(old.state)) return undefined
    const moved = to(old)
    this.#accounts.moved(old.entry.bytes, old.state, moved.state)
    const gone = moved.state === 'uploaded' || moved.state === 'dropped' || moved.segment !== old.segment
    if (gone && old.segment !== SET_ASIDE) this.#accounts.released(old.segment)
    const left = [formatRow(old), ...queueRow(old)].map(({ key }) => ({ key, value: undefined }))
    await this.#journal.write([...left, formatRow(moved), ...queueRow(moved)])
    this.queues.moved(old, moved)
    return old
  }
}
