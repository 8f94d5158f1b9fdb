import { randomFillSync } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Written at a time, so that the disk is not kept from its work. */
const PIECE = 1024 * 1024

/**
 * Room for recovery that nobody else can take: a file on the spool's volume (<spool>/reserve), removed when the spool
 * itself meets a full disk, and written again, piece by piece, once there is plenty of room.
 */
export class Reserve {
  readonly #file: string
  readonly #bytesMax: number
  /** Zeros would take no room on some volumes. Made once: buffers that are thrown away lie about until a collection. */
  readonly #piece = randomFillSync(Buffer.allocUnsafeSlow(PIECE))
  #heldBytes = 0

  private constructor (file: string, bytesMax: number) {
    this.#file = file
    this.#bytesMax = bytesMax
  }

  static async open (directory: string, bytesMax: number): Promise<Reserve> {
    const reserve = new Reserve(join(directory, 'reserve'), bytesMax)
    await reserve.#measure()
    return reserve
  }

  /** On the volume. */
  get heldBytes (): number { return this.#heldBytes }

  async grow (): Promise<void> {
    if (this.#heldBytes + PIECE > this.#bytesMax) return
    const file = await open(this.#file, 'a')
    try {
      await file.write(this.#piece)
    } finally {
      await file.close()
      await this.#measure()
    }
  }

  async giveUp (): Promise<void> {
    await rm(this.#file, { force: true })
    this.#heldBytes = 0
  }

  async #measure (): Promise<void> {
    this.#heldBytes = ((await stat(this.#file).catch(() => undefined))?.blocks ?? 0) * 512 // stat(2): st_blocks
  }
}
