// What a fault takes that not every machine has or allows. A test without it is skipped by name, with the reason.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { makeImage, mountImage, unmount } from './loop.ts'

const run = promisify(execFile)

/** Undefined where it is there. */
type Lack = () => Promise<string | undefined>

export function testWith (lack: Lack, name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    const reason = await lack()
    if (reason !== undefined) return t.skip(reason)
    await body(t)
  })
}

/** A file system of our own, in a loop image. */
export async function mounting (): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root to mount a file system'
  const home = await mkdtemp(join(tmpdir(), 'sluice-mount-'))
  const [image, directory] = [join(home, 'image'), join(home, 'mounted')]
  try {
    await makeImage(image, '16M')
    await mountImage(image, directory)
    return undefined
  } catch (error) {
    return `cannot mount a file system: ${(error as Error).message}`
  } finally {
    await unmount(directory)
    await rm(home, { recursive: true, force: true })
  }
}

export async function tracing (): Promise<string | undefined> {
  const args = ['-f', '--seccomp-bpf', '-e', 'trace=fsync', '-o', '/dev/null', 'true']
  return await run('strace', args).then(() => undefined, (error: Error) => `needs strace, and the right to trace: ${error.message}`)
}
