import { reachedAfter, type Start } from './plan/course.ts'
import type { SpoolLevels } from './spool/spool.ts'

/** Nobody is told of what is further away. */
export const WEEK_SECONDS = 7 * 86_400

/** Seconds until its limit is reached or the disk is full, whichever comes first; undefined where it does not fill. */
export function fullAfter (
  { waiting, limitBytes, usedBytes, diskFreeBytes }: Pick<SpoolLevels, 'waiting' | 'limitBytes' | 'usedBytes' | 'diskFreeBytes'>,
  paces: Omit<Start, 'backlogBytes'>
): number | undefined {
  const room = Math.max(0, Math.min(limitBytes - usedBytes, diskFreeBytes))
  return reachedAfter({ ...paces, backlogBytes: waiting.bytes }, waiting.bytes + Math.max(1, room))
}
