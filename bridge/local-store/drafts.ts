// Files that are being written, under names nobody looks at until they are given their own:
//
//   .drafts/<pid>/<number>
//
// A process that starts removes what processes left that are no more, and leaves alone what another one
// is writing that was started on the same folder by mistake.

import type { BigIntStats } from 'node:fs'
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from './errors.ts'

// Pieces come off a socket in a few kB; a write of each would be a trip to the thread pool.
const batchBytesMin = 256 * 1024
const batchPiecesMax = 1000

export class Drafts {
  readonly #folder: string
  #given = 0

  private constructor (folder: string) {
    this.#folder = folder
  }

  static async open (folder: string): Promise<Drafts> {
    const mine = join(folder, String(process.pid))
    await mkdir(folder, { recursive: true })
    for (const name of await readdir(folder)) {
      if (join(folder, name) === mine || !isRunning(Number(name))) {
        await rm(join(folder, name), { recursive: true, force: true })
      }
    }
    await mkdir(mine)
    return new Drafts(mine)
  }

  /** Hands out a new draft. Whatever happens, nothing is left of it but what was kept. */
  async use<T> (work: (draft: Draft) => Promise<T>): Promise<T> {
    const path = this.path()
    const draft = new Draft(path, await open(path, 'wx'))
    try {
      return await work(draft)
    } finally {
      await draft.discard()
    }
  }

  /** A path that was never given out. */
  path (): string {
    return join(this.#folder, String(++this.#given))
  }
}

export class Draft {
  readonly path: string
  readonly #handle: FileHandle
  #isOpen = true
  #isKept = false
  #batch: Buffer[] = []
  #batchBytes = 0

  constructor (path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  async write (piece: Buffer): Promise<void> {
    this.#batch.push(piece)
    this.#batchBytes += piece.length
    if (this.#batchBytes >= batchBytesMin || this.#batch.length === batchPiecesMax) await this.#writeBatch()
  }

  /** Resolves once the bytes are durable, though their name is not. Nothing may be written after it. */
  async seal (): Promise<BigIntStats> {
    await this.#writeBatch()
    await this.#handle.datasync()
    const stats = await this.#handle.stat({ bigint: true })
    await this.#close()
    return stats
  }

  /** Like `seal`, for what a loss of power may take. */
  async end (): Promise<void> {
    await this.#writeBatch()
    await this.#close()
  }

  /** The file has been given its own name: there is nothing to discard. */
  keep (): void {
    this.#isKept = true
  }

  /** Nothing remains of it, unless it is kept. */
  async discard (): Promise<void> {
    await this.#close()
    if (!this.#isKept) await rm(this.path, { force: true })
  }

  async #writeBatch (): Promise<void> {
    const [batch, bytes] = [this.#batch, this.#batchBytes]
    this.#batch = []
    this.#batchBytes = 0
    if (bytes === 0) return
    const { bytesWritten } = await this.#handle.writev(batch)
    if (bytesWritten === bytes) return
    // A write may be short, on a disk that is nearly full for instance; writeFile goes on until it is whole or fails.
    await this.#handle.writeFile(Buffer.concat(batch).subarray(bytesWritten))
  }

  async #close (): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#handle.close()
  }
}

/** Signal 0 asks and sends nothing (kill(2)); EPERM means that it runs as somebody else. */
function isRunning (pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isErrno(error, 'EPERM')
  }
}
