// What will not upload, in a small database of its own (set-aside/), so that one bad entry never keeps a whole
// segment on disk:
//
//   e<sequence>  Entry (entry-record.ts)
//   p<sequence>  payload bytes, where there are any
//   f<sequence>  Failure, sealed in the same way
//
// The index has all of it but the payload; what stands here is for the day on which the index is lost. An earlier
// version wrote the payload alone, below <sequence>.

import { Level } from 'level'
import type { Entry, Failure } from '../entry.ts'
import type { Observe } from '../events.ts'
import { formatRecord, parseEntry, parseRecord } from './entry-record.ts'
import { formatSequence, openDurably, parseSequence, SYNCED } from './segment.ts'

export interface Failed {
  readonly entry: Entry
  readonly failure: Failure
}

/**
 * Like every LevelDB it cannot be trusted with writes after a failed one, so before the next it is opened anew. One
 * works with it at a time, or what is already under way behind a failed write would be acknowledged and lost.
 */
export class SetAside {
  readonly #location: string
  readonly #observe: Observe
  #db: Level<string, Buffer>
  #isSound = true
  #last: Promise<unknown> = Promise.resolve()

  private constructor (location: string, db: Level<string, Buffer>, observe: Observe) {
    this.#location = location
    this.#db = db
    this.#observe = observe
  }

  static async open (location: string, observe: Observe): Promise<SetAside> {
    return new SetAside(location, await openDatabase(location), observe)
  }

  /** Durable where it resolves with true; with false the payload has to stay where it is. */
  async put (entry: Entry, failure: Failure, payload: Buffer | undefined): Promise<boolean> {
    const key = formatSequence(entry.sequence)
    return await this.#write((db) => db.batch([
      { type: 'put', key: `e${key}`, value: Buffer.from(formatRecord(entry)) },
      ...payload === undefined ? [] : [{ type: 'put' as const, key: `p${key}`, value: payload }],
      { type: 'put', key: `f${key}`, value: Buffer.from(formatRecord(failure)) }
    ], SYNCED))
  }

  async payload (sequence: number): Promise<Buffer | undefined> {
    const key = formatSequence(sequence)
    return await this.#inTurn(async () => {
      if (!this.#isSound && this.#db.status === 'closed') await this.#reopen() // it has failed to
      return await this.#db.get(`p${key}`, { fillCache: false }) ?? await this.#db.get(key, { fillCache: false })
    })
  }

  /** Undefined where only a payload was written, or where it is damaged. */
  async failed (sequence: number): Promise<Failed | undefined> {
    const key = formatSequence(sequence)
    const [entry, failure] = await this.#inTurn(() => this.#db.getMany([`e${key}`, `f${key}`]))
    const written = entry && parseEntry(entry.toString())
    const why = failure && parseRecord(failure.toString())
    return written && why && { entry: written, failure: why as unknown as Failure } // written by put
  }

  /**
   * What cannot be removed now is removed by the next start. Durable, since the index forgets what has left: an image
   * that came back after a loss of power would count as failed.
   */
  async remove (sequence: number): Promise<void> {
    const keys = ['e', 'p', 'f', ''].map((letter) => letter + formatSequence(sequence))
    await this.#write((db) => db.batch(keys.map((key) => ({ type: 'del', key })), SYNCED))
  }

  async sequences (): Promise<number[]> {
    const keys = await this.#inTurn(() => this.#db.keys().all())
    return [...new Set(keys.map((key) => parseSequence(key.slice(-14))))]
  }

  async close (): Promise<void> {
    await this.#inTurn(() => this.#db.close())
  }

  async #write (work: (db: Level<string, Buffer>) => Promise<void>): Promise<boolean> {
    return await this.#inTurn(async () => {
      try {
        if (!this.#isSound) await this.#reopen()
        await work(this.#db)
        return true
      } catch (cause) {
        this.#isSound = false
        this.#observe({ kind: 'spool-fault', operation: 'write', cause: cause as Error })
        return false
      }
    })
  }

  async #inTurn<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {}) // who asked for it is told
    return await turn
  }

  async #reopen (): Promise<void> {
    await this.#db.close()
    this.#db = await openDatabase(this.#location)
    this.#isSound = true
  }
}

async function openDatabase (location: string): Promise<Level<string, Buffer>> {
  const db = new Level<string, Buffer>(location, { valueEncoding: 'buffer', compression: false })
  await openDurably(db)
  return db
}
