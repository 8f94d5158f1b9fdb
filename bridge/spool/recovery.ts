import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceId, ImageId } from '../../broker/topics.ts'
import type { Entry } from '../entry.ts'
import type { Observe } from '../events.ts'
import { CORRUPT, SpoolOpenError } from './errors.ts'
import { checkFormatText, FORMAT } from './format.ts'
import { SET_ASIDE } from './index-rows.ts'
import type { SegmentFiles } from './segment-files.ts'
import { makeDirectory, syncDirectory } from './segment.ts'
import { DROPPED, type Shelf } from './shelf.ts'
import type { SetAside } from './set-aside.ts'
import type { SpoolIndex } from './spool-index.ts'

/** Segments read at a time. */
const SIDE_BY_SIDE = 4

export interface SpoolPaths {
  readonly segments: string
  readonly index: string
  readonly setAside: string
}

export interface RecoveryDeps {
  readonly index: SpoolIndex
  readonly shelf: Shelf
  readonly setAside: SetAside
  readonly observe: Observe
  /** Reads the sealed segments too. */
  readonly isThorough?: boolean
}

export function pathsOf (directory: string): SpoolPaths {
  return {
    segments: join(directory, 'segments'),
    index: join(directory, 'index'),
    setAside: join(directory, 'set-aside')
  }
}

/** Makes the spool's directories, or refuses a spool that this version cannot read. */
export async function prepareDirectory (directory: string): Promise<SpoolPaths> {
  const paths = pathsOf(directory)
  try {
    await makeDirectory(directory)
    await checkFormat(directory, paths.segments)
    for (const path of Object.values(paths)) await makeDirectory(path)
    await syncDirectory(directory)
  } catch (error) {
    throw explainOpen(directory, error)
  }
  return paths
}

export function explainOpen (directory: string, error: unknown): Error {
  if (error instanceof SpoolOpenError) return error
  const { code, cause, message } = error as NodeJS.ErrnoException
  const inner = cause as NodeJS.ErrnoException | undefined
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SpoolOpenError('not_writable', `the spool ${directory} cannot be written (${code}): ` +
      'give this user the right to, or set spool.dir to a directory it owns', error)
  }
  if (inner?.code === 'LEVEL_LOCKED') {
    return new SpoolOpenError('in_use', `the spool ${directory} is in use by another process: ` +
      'stop that one, or give this one its own dataDir', error)
  }
  if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'ENOENT') {
    return new SpoolOpenError('not_creatable', `the spool ${directory} cannot be made (${code}): ` +
      'a file stands where a directory has to be, or its parent is missing', error)
  }
  if (/No space left|ENOSPC/.test(inner?.message ?? message)) {
    return new SpoolOpenError('io', `the spool ${directory} cannot be opened, because its disk is full: make room on it; ` +
      'every image acknowledged is in the spool', error)
  }
  return new SpoolOpenError('io', `the spool ${directory} cannot be opened: ${inner?.message ?? message}`, error)
}

async function checkFormat (directory: string, segments: string): Promise<void> {
  const file = join(directory, 'FORMAT')
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  // It was written in place once, and a loss of power in the first start left it empty.
  const isNew = text === undefined || (text === '' && await isEmpty(segments))
  if (!isNew) return checkFormatText(directory, text)
  await writeFile(`${file}.new`, `${FORMAT}\n`, { flush: true })
  await rename(`${file}.new`, file) // durable with the directories, which are made next
}

async function isEmpty (directory: string): Promise<boolean> {
  return (await readdir(directory).catch(() => [])).length === 0
}

/**
 * Brings the index up to what is on disk after a crash: the entries of every segment that was not
 * sealed are read, and those the index has never heard of are waiting. Sealed segments are not opened.
 * Returns how many were found that way, the highest number a segment has had, and the segments that cannot be read yet.
 */
export async function recover (
  root: string, { index, shelf, setAside, observe, isThorough = false }: RecoveryDeps
): Promise<{ found: number, lastNumber: number, unrecovered: readonly number[] }> {
  let found = 0
  const unrecovered: number[] = []
  const names = await readdir(root)
  for (const name of names.filter((name) => name.endsWith(DROPPED))) await rm(join(root, name), { recursive: true })
  const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number)
  reportMissing(numbers, index, observe)
  await recoverSetAside(setAside, index, numbers) // first, or what failed would be found waiting in its segment
  const unsealed = numbers.filter((number) => isThorough || index.segment(number)?.sealed !== true).values()
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
    for (const number of unsealed) {
      try {
        found += await shelf.recover(number, (segment) => recoverSegment(segment, index))
        await index.sealed(number)
      } catch (cause) {
        unrecovered.push(number)
        observe({ kind: 'spool-fault', operation: 'open', cause: cause as Error })
      }
    }
  }))
  if (unrecovered.length > 0) index.skipSequences(Date.now()) // numbers in those are not to be given twice
  const known = [...names.map((name) => Number.parseInt(name, 10)), ...index.segments.map(({ number }) => number)]
  return { found, unrecovered, lastNumber: Math.max(0, ...known.filter(Number.isFinite)) }
}

/** Nothing of ours removes a segment that the index still counts on. Its images fail when their turn comes. */
function reportMissing (numbers: readonly number[], index: SpoolIndex, observe: Observe): void {
  const missing = index.segments.filter(({ number, live }) => live > 0 && !numbers.includes(number))
  if (missing.length === 0) return
  index.skipSequences(Date.now()) // the index may be older than what has been
  for (const { number, live } of missing) {
    if (index.damaged(number)) {
      const detail = `segment ${number} is not there, and with it ${live} images that have not been uploaded`
      observe({ kind: 'spool-damaged', part: 'segment', detail })
    }
  }
}

/** What failed stays failed, whatever the index has forgotten; what has left meanwhile is removed. */
async function recoverSetAside (
  setAside: SetAside, index: SpoolIndex, segments: readonly number[]
): Promise<void> {
  for (const sequence of await setAside.sequences()) {
    const located = index.locate(sequence)
    if (located?.segment === SET_ASIDE && (located.state === 'waiting' || located.state === 'failed')) continue
    const failed = await setAside.failed(sequence)
    if (located === undefined && failed !== undefined) await index.takenAsFailed(failed.entry, failed.failure)
    else if (located?.state === 'waiting' && !segments.includes(located.segment) && failed !== undefined) {
      await index.failed(sequence, failed.failure, SET_ASIDE)
    } else if (located !== undefined) await setAside.remove(sequence)
  }
}

/** Adds the entries of one segment that the index does not know; says how many. */
export async function recoverSegment (segment: SegmentFiles, index: SpoolIndex): Promise<number> {
  await segment.sync() // whoever sends one of these again is told that we have it
  const taking: Array<Promise<void>> = []
  for await (const { sequence, entry, isWhole } of segment.entries()) {
    index.saw(sequence)
    if (!isWhole || index.locate(sequence) !== undefined) continue
    if (entry === undefined) {
      index.damaged(segment.number)
      taking.push(index.takenAsFailed(nameless(sequence), {
        failedAt: Date.now(),
        reason: CORRUPT,
        detail: `segment ${segment.number} does not say any more which image of which device it is`,
        attempts: 0
      }))
      continue
    }
    if (isLeftover(entry, index)) continue
    taking.push(index.taken(entry, segment.number))
  }
  await Promise.all(taking)
  return taking.length
}

/**
 * A batch that failed may be on disk all the same; its images were then appended again, and those the index has. One
 * that comes after what the index has was taken because that had left long ago, or cannot be read.
 */
export function isLeftover ({ sequence, deviceId, imageId, crc32, bytes }: Entry, index: SpoolIndex): boolean {
  const again = index.find(deviceId, imageId)?.entry
  return again !== undefined && again.crc32 === crc32 && again.bytes === bytes && again.sequence > sequence
}

/** Stands in the ledger for an image whose record is damaged. */
function nameless (sequence: number): Entry {
  return {
    sequence,
    deviceId: 'unknown' as DeviceId, // both are in their alphabets
    imageId: `entry-${sequence}` as ImageId,
    bytes: 0,
    crc32: 0,
    sha256: undefined,
    contentType: 'application/octet-stream',
    sourceTopic: '',
    capturedAt: undefined,
    receivedAt: Date.now(),
    meta: undefined
  }
}
