import { ImageMemory } from '../../broker/image-memory.ts'
import type { Observe } from '../events.ts'
import { ActiveSegments } from './active-segments.ts'
import { Admission } from './admission.ts'
import { Backlog } from './backlog.ts'
import { openIndex, openSetAside, removeLeftovers } from './damaged-databases.ts'
import { Disk } from './disk.ts'
import { Payloads } from './payloads.ts'
import { explainOpen, prepareDirectory, recover } from './recovery.ts'
import { refuseOpened, SEGMENT_BYTES_MAX } from './segment.ts'
import type { SetAside } from './set-aside.ts'
import { Shelf } from './shelf.ts'
import type { SpoolIndex } from './spool-index.ts'
import { takeOver } from './take-over.ts'
import { Upkeep } from './upkeep.ts'

export interface SpoolOptions {
  readonly directory: string
  readonly segmentBytes: number
  readonly limitBytes: number
  readonly reserveBytes: number
  /** How long an image that has left is remembered by its name. */
  readonly dedupWindowMs: number
  /** Segments filled side by side. */
  readonly activeSegmentsMax?: number
  /** Segments open for reading. */
  readonly openSegmentsMax?: number
  /** Payload bytes written and synced together. */
  readonly batchBytesMax?: number
  /** Reads every segment at the start, not only those that were not sealed. */
  readonly isThorough?: boolean
}

/** What a spool is made of. */
export interface SpoolParts {
  readonly index: SpoolIndex
  readonly shelf: Shelf
  readonly setAside: SetAside
  readonly disk: Disk
  readonly active: ActiveSegments
  readonly payloads: Payloads
  /** For payloads that are read, until they are given back. */
  readonly memory: ImageMemory
  readonly backlog: Backlog
  readonly admission: Admission
  readonly upkeep: Upkeep
}

const MIB = 1024 * 1024
/** Kept of it at most while nobody reads: eight images at once of two megabytes each. */
const IDLE_MEMORY_BYTES_MAX = 16 * MIB

/** Opens them in the order in which one needs the other. Rejects with SpoolOpenError. */
export async function openParts (
  options: SpoolOptions, observe: Observe
): Promise<{ parts: SpoolParts, found: number }> {
  const paths = await prepareDirectory(options.directory)
  try {
    await refuseOpened(paths.index) // before the disk gives up a reserve, which may be another's
    const disk = await Disk.open(options.directory, options)
    const index = await openIndex(paths, observe)
    await removeLeftovers(options.directory) // now that nobody else has the spool
    await index.queues.align()
    const setAside = await openSetAside(paths, observe)
    await takeOver({ location: paths.setAside, setAside, index })
    const onDamage = (number: number, detail: string): void => {
      if (index.damaged(number)) observe({ kind: 'spool-damaged', part: 'segment', detail: `segment ${number}: ${detail}` })
    }
    const memory = new ImageMemory(IDLE_MEMORY_BYTES_MAX)
    const allocate = (bytes: number): Buffer => memory.allocate(bytes)
    const shelf = new Shelf(paths.segments, { openMax: options.openSegmentsMax ?? 16, allocate, onDamage })
    const recovery = { ...options, index, shelf, setAside, observe }
    const { found, lastNumber, unrecovered } = await recover(paths.segments, recovery)
    const upkeep = new Upkeep({ index, shelf, disk, observe }, options.dedupWindowMs, unrecovered)
    const active = await ActiveSegments.open({
      onFull: (segment) => { upkeep.seal(segment) },
      onBroken: (segment, cause) => { upkeep.giveUp(segment, cause) },
      observe
    }, {
      root: paths.segments,
      firstNumber: lastNumber + 1,
      segmentBytes: Math.min(options.segmentBytes, SEGMENT_BYTES_MAX),
      activeMax: options.activeSegmentsMax ?? 2,
      batchBytesMax: options.batchBytesMax ?? 2 * MIB
    })
    const admission = new Admission({ index, active, disk, observe })
    admission.review() // who asks before the first image comes has to be told, too
    const payloads = new Payloads({ setAside, active, shelf, disk, observe })
    const backlog = new Backlog({ index, active, shelf })
    return { parts: { index, shelf, setAside, disk, active, payloads, memory, backlog, admission, upkeep }, found }
  } catch (error) {
    throw explainOpen(options.directory, error)
  }
}
