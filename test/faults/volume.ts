// A file system that can lose its power: ext4 in an image, whose journal is written every five minutes and not sooner.
// What nobody synced is then only in memory, and a copy of the image is what a power cut leaves.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { syncDirectory } from '../../bridge/spool/segment.ts'
import { eventually } from '../helpers/eventually.ts'
import { makeImage, mountImage, unmount } from './loop.ts'

const run = promisify(execFile)

const MEMORY = '/dev/shm' // of Linux, so that copies take no time
const COMMIT_SECONDS = 300

export interface Cut {
  readonly journalWritten: boolean
}

export class Volume {
  /** Where it is mounted. */
  readonly directory: string
  readonly #image: string

  private constructor (root: string) {
    this.directory = join(root, 'mounted')
    this.#image = join(root, 'image')
  }

  /** Empty, and unmounted with the test. Rejects where nothing may be mounted. */
  static async make (t: TestContext, size = '256M'): Promise<Volume> {
    const root = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'sluice-volume-'))
    const volume = new Volume(root)
    t.after(() => volume.remove())
    await makeImage(volume.#image, size)
    await volume.#mount()
    return volume
  }

  /**
   * The process stops, everything that is not synced by then is lost, and the file system is back with what is left.
   * Resolves once the process is gone. Where the journal was written just before, as it is every five seconds in the
   * field, names and sizes are left of which the contents are not.
   */
  async cutPower (pid: number, kill: () => Promise<unknown>, { journalWritten }: Cut): Promise<void> {
    await stop(pid)
    if (journalWritten) await syncDirectory(this.directory)
    const unsynced = join(this.directory, 'unsynced')
    await writeFile(unsynced, 'in memory')
    await run('cp', ['--sparse=always', this.#image, `${this.#image}.left`])
    await kill()
    await run('umount', [this.directory])
    await rename(`${this.#image}.left`, this.#image)
    await this.#mount()
    if (existsSync(unsynced)) throw new Error('what was not synced is still there: this is no power cut')
  }

  /** Whatever is on it, and however far its making came. */
  async remove (): Promise<void> {
    await unmount(this.directory)
    await rm(dirname(this.directory), { recursive: true, force: true, maxRetries: 5 })
  }

  async #mount (): Promise<void> {
    await mountImage(this.#image, this.directory, [`commit=${COMMIT_SECONDS}`])
  }
}

/** Resolves once no thread of the process runs: one that syncs ends its call before it stops. */
async function stop (pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await eventually(async () => {
    const threads = await readdir(`/proc/${pid}/task`)
    const stats = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
    return stats.every((stat) => /\) T /.test(stat)) // proc(5): the state stands behind the name
  }, { what: 'the stop of the process' })
}
