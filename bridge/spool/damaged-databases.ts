// The index and the set-aside store are looked at before LevelDB opens them, since it reads past most damage without
// a word and deletes the logs that it has read. What is damaged is kept under another name, and begun anew: the
// index from the segments (recovery.ts), the set-aside store from what is still sound in it.

import { access, link, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Level } from 'level'
import type { Observe } from '../events.ts'
import { findDamage } from './database-damage.ts'
import { IndexDamaged } from './errors.ts'
import { readLogNumber } from './manifest.ts'
import type { SpoolPaths } from './recovery.ts'
import { makeDirectory, syncDirectory } from './segment.ts'
import { SetAside } from './set-aside.ts'
import { SpoolIndex } from './spool-index.ts'

/** Empty where what it was is lost: it is filled from the segments then. */
export async function openIndex ({ index: location, segments }: SpoolPaths, observe: Observe): Promise<SpoolIndex> {
  const damage = await findDamage(location) ?? await findLoss(location, segments)
  if (damage === undefined) {
    try {
      return await SpoolIndex.open(location, observe)
    } catch (error) {
      if (!isDamage(error)) throw error
      return await beginAnew(location, messageOf(error), observe)
    }
  }
  return await beginAnew(location, damage, observe)
}

async function beginAnew (location: string, damage: string, observe: Observe): Promise<SpoolIndex> {
  const kept = await keep(location)
  const index = await SpoolIndex.open(location, observe)
  index.skipSequences(Date.now())
  observe({
    kind: 'spool-damaged',
    part: 'index',
    detail: `${damage}; it is made again from the segments, so the ledger begins with what they hold and images that ` +
      `have left before may be uploaded once more; remove ${kept} once nobody wants to look at it`
  })
  return index
}

/** Empty where it was damaged: what is sound has to be taken over then (take-over.ts). */
export async function openSetAside ({ setAside: location }: SpoolPaths, observe: Observe): Promise<SetAside> {
  let damage = await findDamage(location, true) ?? await findMissingLog(location)
  if (damage === undefined) {
    try {
      return await SetAside.open(location, observe)
    } catch (error) {
      if (!isDamage(error)) throw error
      damage = messageOf(error)
    }
  }
  const kept = await keep(location)
  observe({
    kind: 'spool-damaged',
    part: 'set-aside',
    detail: `${damage}; what is sound of the failed images is taken over; remove ${kept} once nobody wants to look at it`
  })
  return await SetAside.open(location, observe)
}

/** A first start has neither; an index that vanished leaves its segments behind. */
async function findLoss (location: string, segments: string): Promise<string | undefined> {
  const isThere = await access(join(location, 'CURRENT')).then(() => true, () => false)
  if (isThere) return await findMissingLog(location)
  const hasSegments = (await readdir(segments)).some((name) => /^\d+$/.test(name))
  return hasSegments ? 'it is not there' : undefined
}

/** LevelDB opens a database without its log, and has forgotten what only stood there. */
export async function findMissingLog (location: string): Promise<string | undefined> {
  const manifest = await readFile(join(location, 'CURRENT'), 'latin1').catch(() => undefined) // not made yet
  if (manifest === undefined) return undefined
  const number = readLogNumber(await readFile(join(location, manifest.trimEnd())))
  const logs = (await readdir(location)).filter((name) => name.endsWith('.log'))
  return number === 0 || logs.some((name) => parseInt(name, 10) === number) ? undefined : `log ${number} is not there`
}

function isDamage (error: unknown): boolean {
  if (error instanceof IndexDamaged) return true
  const { code, cause } = error as { code?: string, cause?: { code?: string } }
  return [code, cause?.code].some((name) => name === 'LEVEL_CORRUPTION' || name === 'LEVEL_NOT_FOUND')
}

/** LevelDB's own words stand in the cause. */
function messageOf (error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message : message
}

/** Renames it to the first free name, and makes an empty directory in its place. */
async function keep (location: string): Promise<string> {
  await holdLock(location, async () => {})
  const taken = await readdir(dirname(location))
  const name = basename(location)
  let kept = `${name}.damaged`
  for (let nth = 2; taken.includes(kept); nth++) kept = `${name}.damaged-${nth}`
  const path = join(dirname(location), kept)
  await rename(location, path)
  await syncDirectory(dirname(location))
  await makeDirectory(location)
  return path
}

/**
 * Works while no other process can open the database, which is not opened itself and stays as it is: its lock
 * belongs to a file, whatever that is called, so an empty database with the same LOCK is opened beside it. Rejects
 * with LevelDB's error where another process has it open.
 */
export async function holdLock<T> (location: string, work: () => Promise<T>): Promise<T> {
  const beside = await mkdtemp(join(dirname(location), '.lock-'))
  try {
    await link(join(location, 'LOCK'), join(beside, 'LOCK')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error // never opened, so not open now
    })
    return await holdOpen(new Level(beside), work) // not made before: it opens by itself in the next tick
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

async function holdOpen<T> (db: Level, work: () => Promise<T>): Promise<T> {
  try {
    await db.open()
    return await work()
  } finally {
    await db.close().catch(() => {}) // it never opened
  }
}

/** What a check or a lock left beside the databases when it was killed. */
export async function removeLeftovers (directory: string): Promise<void> {
  for (const name of (await readdir(directory)).filter((name) => /^\.(check|lock)-/.test(name))) {
    await rm(join(directory, name), { recursive: true, force: true })
  }
}
