import { Level } from 'level'
import type { Observe } from '../events.ts'
import { formatSequence, openDurably, parseSequence } from './segment.ts'

/**
 * The payloads of entries that will not upload, in a small database of their own (set-aside/,
 * <sequence> -> payload), so that one bad entry never keeps a whole segment on disk.
 *
 * Like every LevelDB it cannot be trusted with writes after a failed one, so before the next it is opened anew.
 */
export class SetAside {
  readonly #location: string
  readonly #observe: Observe
  #db: Level<string, Buffer>
  #isSound = true
  #reopening: Promise<void> | undefined

  private constructor (location: string, db: Level<string, Buffer>, observe: Observe) {
    this.#location = location
    this.#db = db
    this.#observe = observe
  }

  static async open (location: string, observe: Observe): Promise<SetAside> {
    return new SetAside(location, await openDatabase(location), observe)
  }

  /** Durable where it resolves with true; with false the payload has to stay where it is. */
  async put (sequence: number, payload: Buffer): Promise<boolean> {
    return await this.#write((db) => db.put(formatSequence(sequence), payload, { sync: true }))
  }

  async payload (sequence: number): Promise<Buffer | undefined> {
    await this.#reopening
    return await this.#db.get(formatSequence(sequence), { fillCache: false })
  }

  /** What cannot be removed now is removed by the next start. */
  async remove (sequence: number): Promise<void> {
    await this.#write((db) => db.del(formatSequence(sequence)))
  }

  async sequences (): Promise<number[]> {
    return (await this.#db.keys().all()).map(parseSequence)
  }

  async close (): Promise<void> {
    await this.#reopening
    await this.#db.close()
  }

  async #write (work: (db: Level<string, Buffer>) => Promise<void>): Promise<boolean> {
    try {
      if (!this.#isSound) await (this.#reopening ??= this.#reopen().finally(() => { this.#reopening = undefined }))
      await work(this.#db)
      return true
    } catch (cause) {
      this.#isSound = false
      this.#observe({ kind: 'spool-fault', operation: 'write', cause: cause as Error })
      return false
    }
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
