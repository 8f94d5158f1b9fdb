import { readFileSync } from 'node:fs'
import { SimulatorError } from '../errors.ts'

/** Sockets are not all that is open: files, the store's connections, the runtime's own. */
const OTHERS = 64

/** Throws where the system would refuse the sockets of so many devices, if it tells its limit. */
export function checkDescriptors (devices: number, limit: number | undefined = readLimit()): void {
  if (limit === undefined || limit >= devices + OTHERS) return
  throw new SimulatorError('USAGE', `${devices} devices need ${devices + OTHERS} open files, and this shell allows ${limit}; ` +
    `say "ulimit -n ${devices + OTHERS}" first, or take fewer devices`)
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
