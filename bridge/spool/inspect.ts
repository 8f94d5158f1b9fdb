// Looks at a spool that nobody has open: reads everything, holds every byte to its checksum, and changes nothing.
// LevelDB writes when it opens a database, so it is given links to the files of the index and of the set-aside
// store, in a directory beside them that is removed again: it deletes and renames the links, and no file.

import { link, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from '../crc32.ts'
import type { Entry, Ledger } from '../entry.ts'
import { findMissingLog, holdLock } from './damaged-databases.ts'
import { findDamage } from './database-damage.ts'
import { CORRUPT } from './errors.ts'
import { checkFormatText } from './format.ts'
import { SET_ASIDE } from './index-rows.ts'
import { explainOpen, isLeftover, pathsOf, type SpoolPaths } from './recovery.ts'
import { SegmentFiles } from './segment-files.ts'
import { formatSegmentPath } from './segment.ts'
import { SetAside } from './set-aside.ts'
import { SpoolIndex } from './spool-index.ts'

export interface DamagedEntry {
  readonly deviceId: string
  readonly imageId: string
  /** 0 is the set-aside store. */
  readonly segment: number
  readonly detail: string
}

export interface SpoolReport {
  /** Undefined where the index cannot be read: it is made again at the next start. */
  readonly ledger: (Ledger & { readonly exact: boolean }) | undefined
  readonly segments: number
  /** Images in segments whose bytes were held to their checksums and are sound. */
  readonly sound: number
  /** What is wrong with the index, the set-aside store and segments as such. */
  readonly damages: readonly string[]
  /** Waiting, and not what was acknowledged any more. */
  readonly damaged: readonly DamagedEntry[]
  /** In segments that were not sealed, and not in the index: a start after an abrupt end takes them over. */
  readonly unindexed: number
  /** In sealed segments, and not in the index: no start would look for them. */
  readonly orphaned: readonly string[]
  /** Damaged segments and databases that were kept for people to look at. */
  readonly kept: readonly string[]
}

/** Undefined where there is no spool yet. Rejects with SpoolOpenError, also where another process has it open. */
export async function inspectSpool (directory: string): Promise<SpoolReport | undefined> {
  try {
    return await isMade(directory) ? await inspect(directory) : undefined
  } catch (error) {
    throw explainOpen(directory, error)
  }
}

async function isMade (directory: string): Promise<boolean> {
  const format = await readFile(join(directory, 'FORMAT'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (format === undefined) return false
  checkFormatText(directory, format)
  return true
}

async function inspect (directory: string): Promise<SpoolReport> {
  const paths = pathsOf(directory)
  return await holdLock(paths.index, async () => {
    const damages: string[] = []
    const index = await openCopy({ location: paths.index, name: 'the index', isSynced: false }, damages,
      (location) => SpoolIndex.open(location, () => {}))
    const setAside = await openCopy(
      { location: paths.setAside, name: 'the set-aside store', isSynced: true }, damages,
      (location) => SetAside.open(location, () => {}))
    try {
      const findings = { damages, damaged: [], orphaned: [], sound: 0, unindexed: 0 }
      const segments = await inspectSegments(paths, index?.database, findings)
      if (index !== undefined) {
        await inspectWaiting(paths, index.database, setAside?.database, findings)
        await inspectFailed(index.database, setAside?.database, findings)
      }
      const { ledger } = index?.database ?? {}
      const exactly = ledger && { ...ledger, exact: isExact(ledger) }
      return { ...findings, segments, ledger: exactly, kept: await kept(directory) }
    } finally {
      await index?.remove()
      await setAside?.remove()
    }
  })
}

export function isWell ({ damages, damaged, orphaned, ledger }: SpoolReport): boolean {
  return damages.length + damaged.length + orphaned.length === 0 && ledger?.exact !== false
}

interface Findings {
  readonly damages: string[]
  readonly damaged: DamagedEntry[]
  readonly orphaned: string[]
  sound: number
  unindexed: number
}

interface Copy<Database> {
  readonly database: Database
  remove (): Promise<void>
}

interface Original {
  readonly location: string
  readonly name: string
  /** Every write to it (database-damage.ts). */
  readonly isSynced: boolean
}

async function openCopy<Database extends { close (): Promise<void> }> (
  { location, name, isSynced }: Original, damages: string[], open: (location: string) => Promise<Database>
): Promise<Copy<Database> | undefined> {
  const damage = await findDamage(location, isSynced) ?? await findMissingLog(location)
  if (damage !== undefined) {
    damages.push(`${name}: ${damage}`)
    return undefined
  }
  const beside = await mkdtemp(join(location, '..', '.check-'))
  const remove = (): Promise<void> => rm(beside, { recursive: true, force: true })
  try {
    for (const file of await readdir(location).catch(() => [])) { // not made yet
      if (file !== 'LOCK' && !file.startsWith('LOG')) await link(join(location, file), join(beside, file))
    }
    const database = await open(beside)
    return {
      database,
      async remove () {
        await database.close()
        await remove()
      }
    }
  } catch (error) {
    await remove()
    damages.push(`${name}: ${(error as Error).message}`)
    return undefined
  }
}

/** Segments against the index: what is in them, and whether anybody would look for it. */
async function inspectSegments (
  { segments: root }: SpoolPaths, index: SpoolIndex | undefined, findings: Findings
): Promise<number> {
  const names = (await readdir(root).catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const number of names.map(Number)) {
    const account = index?.segment(number)
    const segment = await SegmentFiles.open(formatSegmentPath(root, number), number)
    try {
      if (segment.damage !== undefined && account?.damaged !== true) {
        findings.damages.push(`segment ${number}: ${segment.damage}`)
      }
      for await (const { sequence, entry, isWhole } of segment.entries()) {
        const located = index?.locate(sequence)
        const payload = entry && await segment.payload(sequence)
        const isSound = payload !== undefined && crc32(payload) === entry?.crc32
        if (isSound) findings.sound++
        if (entry === undefined && located?.state === 'waiting') {
          const { deviceId, imageId } = located.entry
          findings.damages.push(`segment ${number}: the record of ${deviceId}/${imageId} is damaged`)
        }
        if (located !== undefined || !isWhole) continue
        if (index !== undefined && entry !== undefined && isLeftover(entry, index)) continue
        const name = entry === undefined ? `entry ${sequence}` : `${entry.deviceId}/${entry.imageId}`
        if (account?.sealed === true) findings.orphaned.push(`${name} in segment ${number}`)
        else if (isSound) findings.unindexed++
        else findings.damaged.push(describe(entry, sequence, number))
      }
    } finally {
      await segment.close()
    }
  }
  return names.length
}

const PAGE = 1000

/** The index against segments and the set-aside store: whether every waiting image can be sent. */
async function inspectWaiting (
  { segments: root }: SpoolPaths, index: SpoolIndex, setAside: SetAside | undefined, findings: Findings
): Promise<void> {
  let open: SegmentFiles | undefined
  try {
    for (let after = 0, page = await index.waiting(after, Number.MAX_SAFE_INTEGER, PAGE); page.length > 0;) {
      for (const entry of page) {
        const number = index.locate(entry.sequence)?.segment ?? SET_ASIDE
        if (number !== SET_ASIDE && open?.number !== number) {
          await open?.close()
          open = await SegmentFiles.open(formatSegmentPath(root, number), number)
        }
        const reader = number === SET_ASIDE ? setAside : open
        let payload = await reader?.payload(entry.sequence)
        if (payload !== undefined && crc32(payload) === entry.crc32) continue
        if (reader === open) await open?.salvage()
        payload = await reader?.payload(entry.sequence)
        if (payload !== undefined && crc32(payload) === entry.crc32) continue
        findings.damaged.push(describe(entry, entry.sequence, number, payload))
      }
      after = page.at(-1)?.sequence ?? Infinity
      page = await index.waiting(after, Number.MAX_SAFE_INTEGER, PAGE)
    }
  } finally {
    await open?.close()
  }
}

/** Whether the bytes of what failed are kept; of an image that had rotted before, nobody says that they are. */
async function inspectFailed (index: SpoolIndex, setAside: SetAside | undefined, findings: Findings): Promise<void> {
  if (setAside === undefined) return // told already
  for (let after: number | undefined, isMore = true; isMore;) {
    const { held, next } = await index.list({ state: 'failed', limit: PAGE, ...after !== undefined && { after } })
    for (const { entry } of held.filter((one) => one.state === 'failed' && one.failure.reason !== CORRUPT)) {
      if (index.locate(entry.sequence)?.segment !== SET_ASIDE) continue
      const payload = await setAside.payload(entry.sequence)
      if (payload === undefined || crc32(payload) !== entry.crc32) {
        findings.damaged.push(describe(entry, entry.sequence, SET_ASIDE, payload))
      }
    }
    after = next
    isMore = next !== undefined
  }
}

function describe (entry: Entry | undefined, sequence: number, segment: number, payload?: Buffer): DamagedEntry {
  const { deviceId, imageId } = entry ?? { deviceId: 'unknown', imageId: `entry-${sequence}` }
  return { deviceId, imageId, segment, detail: payload === undefined ? 'it is not there' : 'its CRC-32 does not hold' }
}

async function kept (directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  return names.filter((name) => /\.damaged(-\d+)?$/.test(name)).map((name) => join(directory, name))
}

function isExact ({ acknowledged, uploaded, waiting, failed, dropped }: Ledger): boolean {
  return acknowledged === uploaded + waiting + failed + dropped
}
