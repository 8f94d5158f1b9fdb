// Listing walks the folders in the order of keys, one folder in memory at a time, and reads none that
// cannot hold a key of the page. Where a folder's keys all fall under one common prefix, it is enough
// to know that there is a file somewhere below.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { holdsFile } from './directories.ts'
import { isErrno } from './errors.ts'
import { compareKeys, formatName, parseName } from './keys.ts'

export interface ListRequest {
  readonly prefix: string
  readonly delimiter: string
  /** Only what comes behind this is listed; undefined starts at the first. */
  readonly after: Found | undefined
  readonly max: number
}

/** A key, or the prefix that several keys have in common up to the delimiter. */
export interface Found {
  readonly kind: 'key' | 'prefix'
  readonly text: string
}

export interface Page {
  readonly found: readonly Found[]
  /** Undefined on the last page; else where the next one goes on. */
  readonly next: Found | undefined
}

/** `root` is the bucket's folder. */
export async function listPage (root: string, request: ListRequest): Promise<Page> {
  if (request.max === 0) return { found: [], next: undefined }
  const found: Found[] = []
  // Everything below the prefix's last slash is in this folder.
  const base = request.prefix.slice(0, request.prefix.lastIndexOf('/') + 1)
  const folder = join(root, ...base.split('/').slice(0, -1).map(formatName))
  for await (const each of walk(folder, base, request)) {
    const last = found.at(-1)
    if (last?.kind === 'prefix' && each.kind === 'prefix' && last.text === each.text) continue
    if (found.length === request.max) return { found, next: last }
    found.push(each)
  }
  return { found, next: undefined }
}

async function * walk (folder: string, base: string, request: ListRequest): AsyncGenerator<Found> {
  for (const { key, name, isFolder } of await readFolder(folder, base)) {
    if (isFolder ? !mayHold(key, request) : !isListed(key, request)) continue
    const rolled = rollUp(key, request)
    if (!isFolder) {
      yield rolled ?? { kind: 'key', text: key }
    } else if (rolled !== undefined && request.after?.text.startsWith(key) !== true) {
      if (await holdsFile(join(folder, name))) yield rolled
    } else {
      yield * walk(join(folder, name), key, request)
    }
  }
}

interface Row {
  /** A folder's ends with a slash: the prefix of every key below. */
  readonly key: string
  readonly name: string
  readonly isFolder: boolean
}

async function readFolder (folder: string, base: string): Promise<Row[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return []
    throw error
  })
  const rows = entries.flatMap((entry) => {
    const segment = parseName(entry.name)
    if (segment === undefined || !(entry.isFile() || entry.isDirectory())) return []
    const isFolder = entry.isDirectory()
    return [{ key: isFolder ? `${base}${segment}/` : `${base}${segment}`, name: entry.name, isFolder }]
  })
  return rows.sort((a, b) => compareKeys(a.key, b.key))
}

function isListed (key: string, { prefix, after }: ListRequest): boolean {
  return key.startsWith(prefix) && !isPassed(key, after)
}

/** Of a folder: whether a key below it can be listed. */
function mayHold (folder: string, { prefix, after }: ListRequest): boolean {
  if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false
  return !isPassed(folder, after) || after?.text.startsWith(folder) === true // a mark inside it leaves keys behind
}

function isPassed (key: string, after: Found | undefined): boolean {
  if (after === undefined) return false
  return compareKeys(key, after.text) <= 0 || (after.kind === 'prefix' && key.startsWith(after.text))
}

function rollUp (key: string, { prefix, delimiter }: ListRequest): Found | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : { kind: 'prefix', text: key.slice(0, at + delimiter.length) }
}
