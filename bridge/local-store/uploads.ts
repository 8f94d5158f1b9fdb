// Multipart uploads on disk:
//
//   .uploads/<bucket>/<uploadId>/upload.json       { "key", "headers", "startedAt" }
//   .uploads/<bucket>/<uploadId>/<number>-<md5>    a part's bytes; the number has five digits
//
// An upload is there if its upload.json is. A part's name says all that is known of it, so that one rename
// makes it. A part sent twice may be there twice after a crash: completing names the MD5 that is meant.

import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Draft } from './drafts.ts'
import { isErrno, refusal } from './errors.ts'
import type { Files, ObjectName } from './files.ts'
import type { BucketName } from './keys.ts'
import { createLock, type Lock } from './lock.ts'

export interface MultipartUpload {
  readonly key: string
  /** The object's own response headers. */
  readonly headers: Readonly<Record<string, string>>
  readonly startedAt: number
}

export interface Part {
  readonly number: number
  /** Hex; the part's ETag. */
  readonly md5: string
  readonly bytes: number
  readonly modifiedAt: number
  readonly path: string
}

/** One upload among many: S3 wants its bucket and key again with every request. */
export interface UploadName extends ObjectName {
  readonly uploadId: string
}

export class Uploads {
  readonly #files: Files
  /**
   * By upload id. Held while a part gets its name and while an upload is completed or aborted: no part is
   * added to an upload that is gone, and a client that completes twice does not make the object twice.
   */
  readonly lock: Lock = createLock()

  constructor (files: Files) {
    this.#files = files
  }

  async create ({ bucket, key }: ObjectName, headers: MultipartUpload['headers'], now: number): Promise<string> {
    const uploadId = randomBytes(16).toString('hex')
    const path = join(this.#folder(bucket, uploadId), 'upload.json')
    await this.#files.drafts.use(async (draft) => {
      await draft.write(Buffer.from(JSON.stringify({ key, headers, startedAt: now }, undefined, 2)))
      await draft.seal()
      await this.#files.directories.move(draft.path, path)
      draft.keep()
    })
    await this.#files.directories.sync(dirname(path))
    return uploadId
  }

  /** Rejects with NoSuchUpload where it is not there, or of another key. */
  async find ({ bucket, key, uploadId }: UploadName): Promise<MultipartUpload> {
    const upload = /^[0-9a-f]{32}$/.test(uploadId) ? await this.#read(bucket, uploadId) : undefined
    if (upload?.key !== key) throw noSuchUpload()
    return upload
  }

  /** In the order of their keys, and of their ids within a key. */
  async list (bucket: BucketName): Promise<(MultipartUpload & { readonly uploadId: string })[]> {
    const ids = await namesIn(join(this.#files.root, '.uploads', bucket))
    const uploads = await Promise.all(ids.map(async (uploadId) => {
      const upload = await this.#read(bucket, uploadId)
      return upload === undefined ? [] : [{ ...upload, uploadId }]
    }))
    return uploads.flat()
  }

  /** The draft becomes the part. Resolves once that survives a loss of power. */
  async addPart (name: UploadName, { number, md5 }: { number: number, md5: string }, draft: Draft): Promise<void> {
    await draft.seal()
    const path = join(this.#folder(name.bucket, name.uploadId), `${digits(number)}-${md5}`)
    await this.lock(name.uploadId, async () => {
      await this.find(name) // again: it may have been aborted while the part was on its way
      await this.#files.directories.move(draft.path, path)
      draft.keep()
      for (const older of await this.parts(name)) {
        if (older.number === number && older.md5 !== md5) await rm(older.path)
      }
    })
    await this.#files.directories.sync(dirname(path))
  }

  /** In the order of their numbers. */
  async parts ({ bucket, uploadId }: UploadName): Promise<Part[]> {
    const folder = this.#folder(bucket, uploadId)
    const rows = await Promise.all((await namesIn(folder)).map(async (name) => await readPart(folder, name)))
    return rows.filter((part) => part !== undefined).sort((a, b) => a.number - b.number || b.modifiedAt - a.modifiedAt)
  }

  /** It is gone at once, and its bytes soon after. The lock is held. */
  async remove ({ bucket, uploadId }: UploadName): Promise<void> {
    const folder = this.#folder(bucket, uploadId)
    const draft = this.#files.drafts.path()
    await rename(folder, draft)
    this.#files.directories.forget(folder)
    await this.#files.directories.sync(dirname(folder))
    await rm(draft, { recursive: true, force: true })
  }

  #folder (bucket: BucketName, uploadId: string): string {
    return join(this.#files.root, '.uploads', bucket, uploadId)
  }

  async #read (bucket: BucketName, uploadId: string): Promise<MultipartUpload | undefined> {
    try {
      const text = await readFile(join(this.#folder(bucket, uploadId), 'upload.json'), 'utf8')
      return JSON.parse(text) as MultipartUpload // written by create, and whole or not at all
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }
}

function noSuchUpload () {
  return refusal('NoSuchUpload', 'the upload does not exist; it may have been aborted or completed')
}

async function readPart (folder: string, name: string): Promise<Part | undefined> {
  const [, number, md5] = /^(\d{5})-([0-9a-f]{32})$/.exec(name) ?? []
  if (number === undefined || md5 === undefined) return undefined
  const path = join(folder, name)
  const { size, mtimeMs } = await stat(path)
  return { number: Number(number), md5, bytes: size, modifiedAt: mtimeMs, path }
}

function digits (number: number): string {
  return String(number).padStart(5, '0')
}

async function namesIn (folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  })
}
