import { readFileSync } from 'node:fs'
import { SimulatorError } from '../errors.ts'

/** Sockets are not all that is open: files, the store's connections, the runtime's own. */
const OTHERS = 64

/** Throws where the system would refuse one process the sockets of so many devices, if it tells its limit. */
export function checkDescriptors (devices: number, limit: number | undefined = readLimit()): void {
  if (limit === undefined || limit >= devices + OTHERS) return
  throw new SimulatorError('USAGE', `${devices} devices need ${devices + OTHERS} open files, and this shell allows ${limit}; ` +
    `say "ulimit -n ${devices + OTHERS}" first, or take fewer devices`)
}

/** Node reads the files of a program side by side; with 100 it gives up, with 128 it does not. */
const START_FILES = 128

/** Why the program cannot even be loaded, in a sentence; undefined where it can. */
export function explainNoStart (limit: number | undefined = readLimit()): string | undefined {
  if (limit === undefined || limit >= START_FILES) return undefined
  return `the simulator needs ${START_FILES} open files to start, and one more for each device, and this shell allows ${limit}; ` +
    'say "ulimit -n 1024" first'
}

// Linux: proc(5).
function readLimit (): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
