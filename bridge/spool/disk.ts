import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { PauseReason } from '../events.ts'
import { Reserve } from './reserve.ts'

export interface DiskLimits {
  /** The spool withholds PUBACKs beyond it: bytes on the volume. */
  readonly limitBytes: number
  /** Kept on the volume, half of it as a file; recovery of a segment needs about the size of its log. */
  readonly reserveBytes: number
}

export interface DiskLevels {
  readonly usedBytes: number
  readonly limitBytes: number
  readonly diskFreeBytes: number
  readonly diskSizeBytes: number
}

export interface Pause {
  readonly reason: PauseReason
  readonly detail: string
}

/** While images come in, one look in so many brings the reserve a piece: each look would cost intake a tenth. */
const LOOKS_PER_PIECE = 20

/**
 * Real bytes on the volume: measured now and then, and what was appended since added on top, so that
 * the limits are never passed by more than one batch.
 */
export class Disk {
  readonly #directory: string
  readonly #limits: DiskLimits
  readonly #reserve: Reserve
  /** Appended since the spool was opened, and what of it each measurement has seen. */
  #appendedBytes = 0
  #usedSince = 0
  #freeSince = 0
  #usedBytes = 0
  #freeBytes = 0
  #sizeBytes = 0
  /** At the last piece that the reserve got, or could have. */
  #grewAt = { appendedBytes: 0, looks: 0 }

  private constructor (directory: string, limits: DiskLimits, reserve: Reserve) {
    this.#directory = directory
    this.#limits = limits
    this.#reserve = reserve
  }

  /** Before anything is opened: LevelDB writes when it opens, and on a full disk the reserve is there for that. */
  static async open (directory: string, limits: DiskLimits): Promise<Disk> {
    const reserve = await Reserve.open(directory, limits.reserveBytes / 2)
    const disk = new Disk(directory, limits, reserve)
    await disk.measure({ walk: true })
    if (disk.#freeBytes < limits.reserveBytes / 2) await disk.#giveUpReserve()
    return disk
  }

  get levels (): DiskLevels {
    return {
      usedBytes: this.#usedBytes + this.#appendedBytes - this.#usedSince,
      limitBytes: this.#limits.limitBytes,
      diskFreeBytes: Math.max(0, this.#freeBytes - (this.#appendedBytes - this.#freeSince)),
      diskSizeBytes: this.#sizeBytes
    }
  }

  grew (bytes: number): void { this.#appendedBytes += bytes }

  /** Reads the volume's free space, and with `walk` the size of every file of the spool. */
  async measure ({ walk }: { walk: boolean }): Promise<void> {
    const appended = this.#appendedBytes
    const { bsize, bavail, blocks } = await statfs(this.#directory)
    this.#freeBytes = bavail * bsize
    this.#sizeBytes = blocks * bsize
    this.#freeSince = appended
    if (!walk) return
    this.#usedBytes = Math.max(0, await bytesBelow(this.#directory) - this.#reserve.heldBytes)
    this.#usedSince = appended
  }

  /** Gives the reserve up where the spool is `stuck` for want of room; restores it bit by bit where there is enough. */
  async tendReserve (stuck: boolean): Promise<void> {
    if (stuck && this.#freeBytes < this.#limits.reserveBytes / 2) await this.#giveUpReserve()
    else if (!stuck && this.pause(0) === undefined && this.#isTurnOfReserve()) await this.#reserve.grow()
  }

  #isTurnOfReserve (): boolean {
    const looks = this.#grewAt.looks + 1
    const isTurn = this.#grewAt.appendedBytes === this.#appendedBytes || looks >= LOOKS_PER_PIECE
    this.#grewAt = { appendedBytes: this.#appendedBytes, looks: isTurn ? 0 : looks }
    return isTurn
  }

  async #giveUpReserve (): Promise<void> {
    await this.#reserve.giveUp()
    await this.measure({ walk: false })
  }

  /** Why nothing more is to be written, undefined where there is room for `bytes`. */
  pause (bytes: number): Pause | undefined {
    const { usedBytes, limitBytes, diskFreeBytes } = this.levels
    if (usedBytes + bytes > limitBytes) {
      const detail = `the spool holds ${usedBytes} of ${limitBytes} bytes: raise spool.limit, or give the uplink more`
      return { reason: 'spool_full', detail }
    }
    const missingBytes = this.#limits.reserveBytes - this.#reserve.heldBytes
    if (diskFreeBytes - bytes < missingBytes) {
      const detail = `${diskFreeBytes} bytes are free on the volume of ${this.#directory} and ` +
        `${missingBytes} are kept for recovery: make room there`
      return { reason: 'disk_low', detail }
    }
    return undefined
  }
}

/** One after the other the few thousand files of a backlog delay a start by seconds; all at once they cost memory. */
const SIDE_BY_SIDE = 16

async function bytesBelow (directory: string): Promise<number> {
  const entries = (await readdir(directory, { withFileTypes: true }).catch(() => [])).values() // removed meanwhile
  const sums = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
    let sum = 0
    for (const entry of entries) {
      const path = join(directory, entry.name)
      sum += entry.isDirectory() ? await bytesBelow(path) : await bytesOf(path)
    }
    return sum
  }))
  return sums.reduce((whole, sum) => whole + sum, 0)
}

async function bytesOf (path: string): Promise<number> {
  return ((await stat(path).catch(() => undefined))?.blocks ?? 0) * 512 // stat(2): st_blocks
}
