import type { Sum } from './accounts.ts'
import type { Backlog } from './backlog.ts'
import type { DiskLevels, Pause } from './disk.ts'

export interface SpoolLevels extends DiskLevels {
  readonly waiting: Sum
  readonly failed: Sum
  /** Since the spool was made. */
  readonly uploaded: Sum
  readonly paused: Pause | undefined
  /** Acceptance of the oldest waiting image, ms since epoch; as of a second ago. */
  readonly oldestReceivedAt: number | undefined
  /** What waits, by lane; together as much as `waiting`. */
  readonly queues: Backlog['levels']
}
