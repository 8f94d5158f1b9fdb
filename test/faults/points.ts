// Loaded into the service before its own code: it kills the process at the Nth time it comes to a point of custody
// (FAULT_POINT=before-write:3), and says so first. The service knows nothing of it.

import { readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Accounts } from '../../bridge/spool/accounts.ts'
import { SegmentFiles } from '../../bridge/spool/segment-files.ts'
import { Spool } from '../../bridge/spool/spool.ts'
import { Upkeep } from '../../bridge/spool/upkeep.ts'
import { aroundFile, aroundSpoolWrite, before } from './around.ts'

export type Point = keyof typeof points

const DROPPED = /\.dropped$/

const points = {
  'before-write': () => {
    aroundSpoolWrite(async (write) => {
      reached()
      await write(true)
    })
  },
  'before-sync': () => {
    aroundSpoolWrite(async (write) => {
      const isNow = isReached()
      await write(!isNow)
      if (isNow) die()
    })
  },
  'before-puback': () => {
    aroundSpoolWrite(async (write) => {
      await write(true)
      reached()
    })
  },
  'before-mark': () => { before(Spool.prototype, 'markUploaded', reached) },
  // Once the rows of the segment are durable, before the index says that it is sealed.
  sealing: () => {
    const full = new Set<number>()
    before(Upkeep.prototype, 'seal', ({ number }) => { full.add(number) })
    before(Accounts.prototype, 'sealed', (number) => { if (full.has(number)) reached() })
  },
  dropping: () => {
    aroundFile('rename', async ([, to = ''], rename) => {
      await rename()
      if (DROPPED.test(to)) reached()
    })
  },
  // Here or in a start that finds the half of it.
  removing: () => {
    aroundFile('rm', async ([path = ''], rm) => {
      if (DROPPED.test(path) && isReached()) {
        const files = readdirSync(path)
        for (const file of files.slice(0, Math.ceil(files.length / 2))) rmSync(join(path, file))
        die()
      }
      await rm()
    })
  },
  recovering: () => {
    const { entries } = SegmentFiles.prototype
    SegmentFiles.prototype.entries = async function * () {
      for await (const entry of entries.call(this)) {
        reached()
        yield entry
      }
    }
  },
  // Every entry of a segment is read back, before the index says that it is sealed.
  recovered: () => { before(Accounts.prototype, 'sealed', reached) }
}

const [name = '', nth] = process.env['FAULT_POINT']?.split(':') ?? []
let left = Number(nth)
if (!isPoint(name)) throw new Error(`there is no point ${name}`)
points[name]()

function isPoint (text: string): text is Point {
  return Object.hasOwn(points, text)
}

function isReached (): boolean {
  return --left === 0
}

function reached (): void {
  if (isReached()) die()
}

/** The signal is there before the call returns (kill(2): at least one is delivered to the thread that sent it). */
function die (): void {
  writeSync(2, `died at ${name}\n`)
  process.kill(process.pid, 'SIGKILL')
}
