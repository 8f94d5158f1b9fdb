// On disk, below one folder:
//
//   <bucket>/<key>                  an object's bytes, a plain file; segments are escaped as in keys.ts
//   .meta/<bucket>/<key>%.json      its description (sidecar.ts)
//   .uploads/<bucket>/<uploadId>/   multipart uploads (uploads.ts)
//   .drafts/                        files being written (drafts.ts)
//
// A bucket's name starts with a letter or a digit, so no bucket is one of the dotted folders. An object
// is there if and only if its bytes are; everything else may be missing or stale.
//
// The order of a put. A crash or a loss of power at any point leaves the old object or the new one, whole:
//
//   1. the bytes go to a draft and are synced
//   2. the sidecar is written with the new description and the old, synced, renamed, its folder synced
//   3. the draft takes the object's name: by rename(2), or link(2) where it must not be there yet
//   4. the object's folder is synced, and only then is the client told 200
//
// Two puts of one key take turns for 2 and 3. One process at a time works on a folder.

import type { BigIntStats, PathLike } from 'node:fs'
import { link, mkdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BucketFolders } from './bucket-folders.ts'
import { Directories } from './directories.ts'
import { Drafts, type Draft } from './drafts.ts'
import { isErrno, refusal } from './errors.ts'
import { formatKeyPath, type BucketName } from './keys.ts'
import { createLock } from './lock.ts'
import { unnamedHeaders } from './object-headers.ts'
import { md5Of, openFile, statsOf } from './open-file.ts'
import { cacheSidecar, readSidecar, stampOf, writeSidecar, type Description, type Stamped } from './sidecar.ts'

export interface StoredObject {
  readonly description: Description
  readonly bytes: number
  readonly modifiedAt: number
}

/** `handle` reads the bytes that `object` describes, whatever becomes of the name. Who opens it closes it. */
export interface OpenObject {
  readonly object: StoredObject
  readonly handle: FileHandle
}

export interface ObjectName {
  readonly bucket: BucketName
  readonly key: string
}

/** What has to hold of the object that a put replaces, at the moment it does. */
export type PutCondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'etag', readonly etag: string }

interface Paths {
  readonly object: string
  readonly sidecar: string
}

export class Files {
  readonly root: string
  readonly directories: Directories
  readonly buckets: BucketFolders
  readonly drafts: Drafts
  readonly #lock = createLock()

  private constructor (root: string, drafts: Drafts) {
    this.root = root
    this.drafts = drafts
    this.directories = new Directories(root)
    this.buckets = new BucketFolders(root, this.directories)
  }

  /** Makes the folder where it is missing, and removes what a crash left half-written. */
  static async open (dir: string): Promise<Files> {
    const root = resolve(dir)
    await mkdir(root, { recursive: true })
    const files = new Files(root, await Drafts.open(join(root, '.drafts')))
    for (const name of ['.meta', '.uploads']) await files.directories.ensure(join(root, name))
    await files.directories.sync(dirname(root))
    return files
  }

  /** Undefined where there is no such object. */
  async openObject (name: ObjectName): Promise<OpenObject | undefined> {
    const paths = this.#paths(name)
    for (;;) {
      const file = await openFile(paths.object)
      if (file === undefined) return undefined
      const object = await this.#describe(paths, file.stats).catch(async (error: unknown) => {
        await file.handle.close()
        throw error
      })
      if (object !== undefined) return { object, handle: file.handle }
      await file.handle.close() // replaced since it was opened
    }
  }

  /** Undefined where there is no such object. */
  async describe (name: ObjectName): Promise<StoredObject | undefined> {
    const paths = this.#paths(name)
    for (;;) {
      const stats = await statsOf(paths.object)
      if (stats?.isFile() !== true) return undefined
      const object = await this.#describe(paths, stats)
      if (object !== undefined) return object
    }
  }

  /** The draft becomes the object. Resolves once that survives a loss of power, and not before. */
  async commit (
    name: ObjectName, draft: Draft, description: Description, condition: PutCondition = { kind: 'none' }
  ): Promise<StoredObject> {
    const paths = this.#paths(name)
    const stats = await draft.seal()
    const stamped = { ...description, stamp: stampOf(stats) }
    await this.#lock(paths.object, async () => {
      const old = await this.#current(paths)
      checkCondition(condition, old)
      await this.directories.ensure(dirname(paths.object)) // before the sidecar, which would otherwise stay behind
      const descriptions = old === undefined ? [stamped] : [stamped, old]
      await writeSidecar(this, paths.sidecar, descriptions)
      await this.directories.move(draft.path, paths.object, condition.kind === 'absent' ? giveFreeName : rename)
      draft.keep()
    }).catch((error: unknown) => { throw nameTaken(error, name) })
    await this.directories.sync(dirname(paths.object))
    return storedObject(description, stats)
  }

  /** Resolves once the object is gone for good; also where it was not there. */
  async remove (name: ObjectName): Promise<void> {
    const paths = this.#paths(name)
    await this.#lock(paths.object, async () => {
      if ((await statsOf(paths.object))?.isFile() !== true) return
      await rm(paths.object)
      await this.directories.sync(dirname(paths.object))
      await rm(paths.sidecar, { force: true })
      await this.directories.removeEmpty(dirname(paths.object), join(this.root, name.bucket))
      await this.directories.removeEmpty(dirname(paths.sidecar), join(this.root, '.meta'))
    })
  }

  #paths ({ bucket, key }: ObjectName): Paths {
    const path = formatKeyPath(key)
    if (path === undefined) {
      throw refusal('KeyTooLongError', 'a part of the key between slashes is too long for the name of a file')
    }
    return { object: join(this.root, bucket, path), sidecar: join(this.root, '.meta', bucket, `${path}%.json`) }
  }

  /** What has the object's name now. The key's lock is held. */
  async #current (paths: Paths): Promise<Stamped | undefined> {
    const stats = await statsOf(paths.object)
    if (stats === undefined) return undefined
    if (stats.isFile()) return await this.#identify(paths, stats)
    // A crash between making a folder and filling it leaves one that no key needs.
    if (stats.isDirectory() && await this.directories.removeHollow(paths.object)) return undefined
    throw Object.assign(new Error(`${paths.object} is no plain file`), { code: 'EISDIR' })
  }

  /** Undefined where the file with these stats has the name no longer. */
  async #describe (paths: Paths, stats: BigIntStats): Promise<StoredObject | undefined> {
    const known = findStamped(await readSidecar(paths.sidecar), stats)
    if (known !== undefined) return storedObject(known, stats)
    return await this.#lock(paths.object, async () => {
      const current = await statsOf(paths.object)
      if (current === undefined || stampOf(current) !== stampOf(stats)) return undefined
      return storedObject(await this.#identify(paths, stats), stats)
    })
  }

  /**
   * The description of the bytes that have the name. Bytes that came without a put are read: a description
   * that knows their MD5 is theirs, and a new one is made where there is none. The key's lock is held.
   */
  async #identify (paths: Paths, stats: BigIntStats): Promise<Stamped> {
    const descriptions = await readSidecar(paths.sidecar)
    const known = findStamped(descriptions, stats)
    if (known !== undefined) return known
    const file = await openFile(paths.object)
    if (file === undefined) throw new Error(`${paths.object} was removed by somebody else`)
    const md5 = await md5Of(file.handle).finally(async () => { await file.handle.close() })
    const found = descriptions.find((description) => description.md5 === md5)
    const description = found ?? { md5, etag: md5, checksum: undefined, headers: unnamedHeaders }
    const identified = { ...description, stamp: stampOf(stats) }
    // What was found is known nowhere else, and must not be lost by being written again.
    await (found === undefined ? cacheSidecar : writeSidecar)(this, paths.sidecar, [identified])
    return identified
  }
}

function findStamped (descriptions: readonly Stamped[], stats: BigIntStats): Stamped | undefined {
  return descriptions.find(({ stamp }) => stamp === stampOf(stats))
}

function storedObject (description: Description, { size, mtimeMs }: BigIntStats): StoredObject {
  return { description, bytes: Number(size), modifiedAt: Number(mtimeMs) }
}

function checkCondition (condition: PutCondition, old: Stamped | undefined): void {
  switch (condition.kind) {
    case 'none': return
    case 'absent':
      if (old !== undefined) throw refusal('PreconditionFailed', 'the object is already there')
      return
    case 'etag':
      if (old === undefined) throw refusal('NoSuchKey', 'the object that If-Match names is not there')
      if (old.etag !== condition.etag) throw refusal('PreconditionFailed', `the object's ETag is "${old.etag}"`)
  }
}

/** Unlike rename(2), link(2) fails where the name is taken, whoever took it. */
async function giveFreeName (from: PathLike, to: PathLike): Promise<void> {
  await link(from, to).catch((error: unknown) => {
    throw isErrno(error, 'EEXIST') ? refusal('PreconditionFailed', 'the object is already there') : error
  })
  await rm(from)
}

function nameTaken (error: unknown, { key }: ObjectName): unknown {
  if (!isErrno(error, 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY')) return error
  return refusal('InvalidRequest',
    `'${key}' cannot be an object here: of two keys such as 'a' and 'a/b', one would be a file and a folder`)
}
