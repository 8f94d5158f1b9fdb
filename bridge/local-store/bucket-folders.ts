import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { holdsFile, type Directories } from './directories.ts'
import { parseBucket, type BucketName } from './keys.ts'
import { statsOf } from './open-file.ts'

export interface Bucket {
  readonly name: string
  readonly createdAt: number
}

/** Buckets are the folders below the root whose names a bucket can have. */
export class BucketFolders {
  readonly #root: string
  readonly #directories: Directories

  constructor (root: string, directories: Directories) {
    this.#root = root
    this.#directories = directories
  }

  async list (): Promise<Bucket[]> {
    const entries = await readdir(this.#root, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory() && parseBucket(entry.name) !== undefined)
      .map(({ name }) => name).sort()
    return await Promise.all(names.map(async (name) => (
      { name, createdAt: (await lstat(join(this.#root, name))).birthtimeMs })))
  }

  async has (bucket: BucketName): Promise<boolean> {
    return (await statsOf(join(this.#root, bucket)))?.isDirectory() === true
  }

  /** False where it was there. Resolves once it would survive a loss of power. */
  async create (bucket: BucketName): Promise<boolean> {
    if (await this.has(bucket)) return false
    await this.#directories.ensure(join(this.#root, bucket))
    return true
  }

  /** False where it holds objects. Its unfinished uploads go with it. */
  async remove (bucket: BucketName): Promise<boolean> {
    const path = join(this.#root, bucket)
    if (await holdsFile(path) || !await this.#directories.removeHollow(path)) return false
    for (const name of ['.meta', '.uploads']) {
      await rm(join(this.#root, name, bucket), { recursive: true, force: true })
    }
    await this.#directories.sync(this.#root)
    return true
  }
}
