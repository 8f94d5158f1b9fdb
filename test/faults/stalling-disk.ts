// A disk that takes nothing for a while: a file system in a loop image, frozen. Who writes to it or syncs it sleeps in
// the kernel until it goes on, and gets no error.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { makeImage, mountImage, unmount } from './loop.ts'

const run = promisify(execFile)

export interface StallingDisk {
  readonly directory: string
  stall (): Promise<void>
  goOn (): Promise<void>
}

/** Mount it before the service is started: it then goes on before the service is killed, which could not end else. */
export async function mountStallingDisk (t: TestContext, size: string): Promise<StallingDisk> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-stalling-'))
  const [image, directory] = [join(home, 'disk.img'), join(home, 'disk')]
  let isStalled = false
  const goOn = async (): Promise<void> => {
    if (isStalled) await run('fsfreeze', ['--unfreeze', directory])
    isStalled = false
  }
  t.after(async () => {
    await goOn()
    await unmount(directory)
    await rm(home, { recursive: true })
  })
  await makeImage(image, size)
  await mountImage(image, directory)
  return {
    directory,
    goOn,
    async stall () {
      isStalled = true
      await run('fsfreeze', ['--freeze', directory])
    }
  }
}
