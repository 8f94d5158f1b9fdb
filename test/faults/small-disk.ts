// A real file system of a few megabytes in a loop image, to be filled to its last block.

import { mkdtemp, open, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeImage, mountImage, unmount } from './loop.ts'

const MIB = 1024 * 1024

export interface SmallDisk {
  readonly directory: string
  freeBytes (): Promise<number>
  /** Somebody else's file: written until the disk takes no further block, then cut by so much. */
  fill (leaveBytes?: number): Promise<Filler>
}

export interface Filler {
  readonly bytes: number
  remove (): Promise<void>
}

export async function mountSmallDisk (t: TestContext, mebibytes: number): Promise<SmallDisk> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-disk-'))
  const [image, directory] = [join(home, 'disk.img'), join(home, 'disk')]
  await makeImage(image, `${mebibytes}M`)
  await mountImage(image, directory)
  t.after(async () => {
    await unmount(directory)
    await rm(home, { recursive: true })
  })
  return {
    directory,
    async freeBytes () {
      const { bavail, bsize } = await statfs(directory)
      return bavail * bsize
    },
    async fill (leaveBytes = 0) {
      const path = join(directory, 'of-somebody-else')
      const bytes = await fillUp(path, leaveBytes)
      return { bytes, remove: () => rm(path) }
    }
  }
}

async function fillUp (path: string, leaveBytes: number): Promise<number> {
  const file = await open(path, 'w')
  try {
    let bytes = 0
    for (let piece = MIB; piece >= 4096;) {
      const written = await file.write(Buffer.alloc(piece, 1)).then(({ bytesWritten }) => bytesWritten, readNoRoom)
      bytes += written
      if (written < piece) piece /= 4
    }
    if (leaveBytes > 0) await file.truncate(Math.max(0, Math.floor(bytes - leaveBytes)))
    return bytes
  } finally {
    await file.close()
  }
}

function readNoRoom (error: NodeJS.ErrnoException): number {
  if (error.code === 'ENOSPC') return 0
  throw error
}
