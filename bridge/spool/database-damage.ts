import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findLogDamage } from './log-damage.ts'
import { readLiveTables } from './manifest.ts'
import { countDamaged } from './table.ts'

const TABLE = /\.(ldb|sst)$/

/**
 * What is wrong with a database that is not open, as far as its files tell; undefined where nothing is, or where
 * there is none yet. LevelDB looks at few of its checksums by itself, and deletes the logs that it has read. Where
 * every write `isSynced`, what is not sound at the end of a log may be an image that was acknowledged.
 */
export async function findDamage (location: string, isSynced = false): Promise<string | undefined> {
  const names = await readdir(location).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (!names.some((name) => /^MANIFEST-|\.(log|ldb|sst)$/.test(name))) return undefined
  if (!names.includes('CURRENT')) return 'CURRENT is not there'
  const current = await readFile(join(location, 'CURRENT'), 'latin1')
  if (!/^MANIFEST-\d+\n$/.test(current)) return 'CURRENT is damaged'
  const manifest = current.trimEnd()
  if (!names.includes(manifest)) return `${manifest} is not there`
  const live = readLiveTables(await readFile(join(location, manifest)))
  if (live === undefined) return `${manifest} is damaged`
  for (const number of live) {
    if (!names.some((name) => TABLE.test(name) && parseInt(name, 10) === number)) return `table ${number} is not there`
  }
  for (const name of names) {
    if (TABLE.test(name) && !live.has(parseInt(name, 10))) continue
    const damage = await findFileDamage(join(location, name), name, isSynced)
    if (damage !== undefined) return `${name}: ${damage}`
  }
  return undefined
}

async function findFileDamage (path: string, name: string, isSynced: boolean): Promise<string | undefined> {
  if (TABLE.test(name)) {
    const damaged = countDamaged(await readFile(path))
    return damaged === 0 ? undefined : `${damaged} of its blocks are damaged`
  }
  if (!/^MANIFEST-|\.log$/.test(name)) return undefined
  const file = await open(path, 'r')
  try {
    return await findLogDamage(file, isSynced)
  } finally {
    await file.close()
  }
}
