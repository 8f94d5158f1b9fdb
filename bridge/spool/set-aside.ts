import { Level } from 'level'
import { formatSequence, openDurably, parseSequence } from './segment.ts'

/**
 * The payloads of entries that will not upload, in a small database of their own (set-aside/,
 * <sequence> -> payload), so that one bad entry never keeps a whole segment on disk.
 */
export class SetAside {
  readonly #db: Level<string, Buffer>

  private constructor (db: Level<string, Buffer>) {
    this.#db = db
  }

  static async open (location: string): Promise<SetAside> {
    const db = new Level<string, Buffer>(location, { valueEncoding: 'buffer', compression: false })
    await openDurably(db)
    return new SetAside(db)
  }

  /** Durable when it resolves. */
  async put (sequence: number, payload: Buffer): Promise<void> {
    await this.#db.put(formatSequence(sequence), payload, { sync: true })
  }

  async payload (sequence: number): Promise<Buffer | undefined> {
    return await this.#db.get(formatSequence(sequence), { fillCache: false })
  }

  async remove (sequence: number): Promise<void> {
    await this.#db.del(formatSequence(sequence))
  }

  async sequences (): Promise<number[]> {
    return (await this.#db.keys().all()).map(parseSequence)
  }

  async close (): Promise<void> {
    await this.#db.close()
  }
}
