// File systems in loop images.

import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** An empty ext4 of which no block is kept for root. `size` as truncate(1) takes it. */
export async function makeImage (image: string, size: string): Promise<void> {
  await run('truncate', ['--size', size, image])
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image])
}

export async function mountImage (image: string, directory: string, options: readonly string[] = []): Promise<void> {
  await mkdir(directory, { recursive: true })
  await run('mount', ['-o', ['loop', ...options].join(','), image, directory])
}

/** Whatever is still open in it, and where it is not mounted at all. */
export async function unmount (directory: string): Promise<void> {
  await run('umount', ['--lazy', directory]).catch(() => {})
}
