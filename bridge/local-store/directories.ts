// A file survives a loss of power only if the folder that names it was synced after it got its name
// (fsync(2)), and so on up to the root. Folders are many to one file, so this is done once for each.

import { mkdir, open, opendir, readdir, rename, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno } from './errors.ts'
import { createLock } from './lock.ts'

/** Folders remembered as durable. Forgetting one costs a few syncs, so the whole memory may go at once. */
const durableMax = 20_000

/** How often a put makes a folder that deletes remove again before it gives up. */
const attemptsMax = 20

interface Turn {
  readonly running: Promise<void>
  /** Those who came while it was running wait for this one. */
  next: Promise<void> | undefined
}

export class Directories {
  readonly #root: string
  readonly #durable = new Set<string>()
  /** By path; held while a folder is made or removed, so that what is remembered of it is so. */
  readonly #lock = createLock()
  readonly #syncing = new Map<string, Turn>()

  /** `root` is there, and nothing above it is touched. */
  constructor (root: string) {
    this.#root = root
  }

  /** Resolves once the folder is there for good; rejects with ENOTDIR where a file is in the way. */
  async ensure (path: string): Promise<void> {
    await this.#retry(path, async () => { await this.#make(path) })
  }

  async #make (path: string): Promise<void> {
    if (path === this.#root || this.#durable.has(path)) return
    await this.#make(dirname(path))
    await this.#lock(path, async () => {
      await mkdir(path).catch(async (error: unknown) => {
        if (!isErrno(error, 'EEXIST')) throw error
        await (await opendir(path)).close()
      })
      await this.sync(dirname(path)) // found or made: a crash may have come between its making and this
      if (this.#durable.size >= durableMax) this.#durable.clear()
      this.#durable.add(path)
    })
  }

  /**
   * Gives a file its name, making the folders it needs. The name is durable once its folder is synced.
   * Rejects with ENOTDIR, EISDIR or EEXIST where the name of another file or folder is in the way.
   */
  async move (from: string, to: string, giveName: typeof rename = rename): Promise<void> {
    await this.#retry(dirname(to), async () => {
      await this.#make(dirname(to))
      await giveName(from, to)
    })
  }

  /** A delete may remove an emptied folder at any moment before there is a file in it. */
  async #retry (path: string, work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!isErrno(error, 'ENOENT') || attempt === attemptsMax) throw error
        this.forget(path)
      }
    }
  }

  /** The folder is gone: `ensure` looks again, from the top. */
  forget (path: string): void {
    for (let p = path; p !== this.#root && p !== dirname(p); p = dirname(p)) this.#durable.delete(p)
  }

  /**
   * Resolves once every name that was in the folder before the call is durable. A sync under way may have
   * started before that, so the caller waits for the next one, together with all who came meanwhile.
   */
  async sync (path: string): Promise<void> {
    const turn = this.#syncing.get(path)
    if (turn !== undefined) {
      turn.next ??= turn.running.catch(() => {}).then(async () => { await this.#startSync(path) })
      return await turn.next
    }
    await this.#startSync(path)
  }

  async #startSync (path: string): Promise<void> {
    const turn: Turn = { running: syncDirectory(path), next: undefined }
    this.#syncing.set(path, turn)
    try {
      await turn.running
    } finally {
      if (this.#syncing.get(path) === turn && turn.next === undefined) this.#syncing.delete(path)
    }
  }

  /** Removes the folder and those above it, up to `stop`, for as long as they are empty. */
  async removeEmpty (path: string, stop: string): Promise<void> {
    for (let p = path; p !== stop; p = dirname(p)) {
      if (!await this.#remove(p)) return
    }
  }

  /** Removes the folders below `path` that hold no file, and `path` itself if it is one: then true. */
  async removeHollow (path: string): Promise<boolean> {
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    })
    for (const entry of entries.filter((each) => each.isDirectory())) await this.removeHollow(join(path, entry.name))
    return await this.#remove(path)
  }

  /** True if the folder was empty and is gone. */
  async #remove (path: string): Promise<boolean> {
    return await this.#lock(path, async () => {
      const removed = await isRemoved(path)
      if (removed) this.#durable.delete(path)
      return removed
    })
  }
}

/** True where there is a file in the folder or below. */
export async function holdsFile (path: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(path)) {
      if (entry.isFile() || (entry.isDirectory() && await holdsFile(join(path, entry.name)))) return true
    }
    return false
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

async function isRemoved (path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
    throw error
  }
}

/** A folder that is gone held nothing that was to last; that it is gone lasts with the folder above. */
async function syncDirectory (path: string): Promise<void> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT') && path !== dirname(path)) return undefined
    throw error
  })
  if (handle === undefined) return await syncDirectory(dirname(path))
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
