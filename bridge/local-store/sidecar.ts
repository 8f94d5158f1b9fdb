// What is known of an object beside its bytes, in a file a person can read:
//
//   .meta/<bucket>/<key>%.json    { "descriptions": [ Stamped, ... ] }
//
// Bytes and sidecar are two files, and a crash can come between their renames. So the bytes decide: a
// description says which file it belongs to (its stamp), and a put writes its own *beside* the one it
// replaces before its bytes take the name. Whichever bytes are found, their description is there.
//
// Bytes that no description is stamped for were put there by hand, edited, or restored from a backup
// (files.ts, adopt).

import type { BigIntStats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Checksum } from './checksums.ts'
import type { Directories } from './directories.ts'
import type { Drafts } from './drafts.ts'
import { isErrno } from './errors.ts'

/** What a put learned of an object, apart from the file it became. */
export interface Description {
  /** Hex, of the whole object. */
  readonly md5: string
  /** Without quotes: the MD5, or `<md5 of the parts' md5s>-<parts>` after a multipart upload. */
  readonly etag: string
  /** Of the whole object, where the client sent one. */
  readonly checksum: Checksum | undefined
  /** Response headers that are the object's own: content-type, x-amz-meta-* and the like. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Stamped extends Description {
  /** Size, time of the last write and inode of the file this belongs to; a rename changes none of them. */
  readonly stamp: string
}

export interface SidecarDeps {
  readonly drafts: Drafts
  readonly directories: Directories
}

export function stampOf ({ size, mtimeNs, ino }: BigIntStats): string {
  return `${size}-${mtimeNs}-${ino}`
}

/** None where there is no sidecar, or it was damaged: the bytes are then described anew. */
export async function readSidecar (path: string): Promise<readonly Stamped[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return ''
    throw error
  })
  return parseSidecar(text) ?? []
}

function parseSidecar (text: string): readonly Stamped[] | undefined {
  try {
    const { descriptions } = JSON.parse(text) as { descriptions?: unknown } // checked in the next line
    return Array.isArray(descriptions) && descriptions.every(isStamped) ? descriptions : undefined
  } catch {
    return undefined
  }
}

function isStamped (value: unknown): value is Stamped {
  const { stamp, md5, etag, headers } = (value ?? {}) as Partial<Stamped> // each is checked here
  return typeof stamp === 'string' && typeof md5 === 'string' && typeof etag === 'string' && typeof headers === 'object'
}

/** Resolves once the descriptions are durable under their name. */
export async function writeSidecar (
  { drafts, directories }: SidecarDeps, path: string, descriptions: readonly Stamped[]
): Promise<void> {
  await drafts.use(async (draft) => {
    await draft.write(formatSidecar(descriptions))
    await draft.seal()
    await directories.move(draft.path, path)
    draft.keep()
  })
  await directories.sync(dirname(path))
}

/** For what the bytes say themselves: it saves reading them again, and a loss of power may take it. */
export async function cacheSidecar (
  { drafts, directories }: SidecarDeps, path: string, descriptions: readonly Stamped[]
): Promise<void> {
  await drafts.use(async (draft) => {
    await draft.write(formatSidecar(descriptions))
    await draft.end()
    await directories.move(draft.path, path)
    draft.keep()
  })
}

function formatSidecar (descriptions: readonly Stamped[]): Buffer {
  return Buffer.from(JSON.stringify({ descriptions }, undefined, 2))
}
