import { createHash } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { isErrno } from './errors.ts'

/** Undefined where nothing has this path. A link is not followed: it could lead out of the folder. */
export async function statsOf (path: string): Promise<BigIntStats | undefined> {
  return await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  })
}

/** For reading; undefined where no plain file has this path. */
export async function openFile (path: string): Promise<{ handle: FileHandle, stats: BigIntStats } | undefined> {
  // Without O_NONBLOCK, opening a named pipe waits for somebody to write to it.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined
    throw error
  })
  if (handle === undefined) return undefined
  const stats = await handle.stat({ bigint: true })
  if (stats.isFile()) return { handle, stats }
  await handle.close()
  return undefined
}

export async function md5Of (handle: FileHandle): Promise<string> {
  const md5 = createHash('md5')
  for await (const piece of handle.createReadStream({ start: 0, autoClose: false })) md5.update(piece as Buffer)
  return md5.digest('hex')
}
