import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findLogDamage } from './log-damage.ts'
import { readTable } from './table.ts'

/**
 * What is wrong with a database that is not open, as far as its files tell; undefined where nothing is, or where
 * there is none yet. LevelDB looks at few of its checksums by itself, and deletes the logs that it has read.
 */
export async function findDamage (location: string): Promise<string | undefined> {
  const names = await readdir(location).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (!names.some((name) => /^MANIFEST-|\.(log|ldb|sst)$/.test(name))) return undefined
  if (!names.includes('CURRENT')) return 'CURRENT is not there'
  const manifest = await readFile(join(location, 'CURRENT'), 'latin1')
  if (!/^MANIFEST-\d+\n$/.test(manifest)) return 'CURRENT is damaged'
  if (!names.includes(manifest.trimEnd())) return `${manifest.trimEnd()} is not there`
  for (const name of names) {
    const damage = await findFileDamage(join(location, name), name)
    if (damage !== undefined) return `${name}: ${damage}`
  }
  return undefined
}

async function findFileDamage (path: string, name: string): Promise<string | undefined> {
  if (/\.(ldb|sst)$/.test(name)) {
    const { damaged } = readTable(await readFile(path))
    return damaged === 0 ? undefined : `${damaged} of its blocks are damaged`
  }
  if (!/^MANIFEST-|\.log$/.test(name)) return undefined
  const file = await open(path, 'r')
  try {
    return await findLogDamage(file)
  } finally {
    await file.close()
  }
}
