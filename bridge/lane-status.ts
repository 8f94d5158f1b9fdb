// What waits in each lane, as the API, the page and the CLI show it.

import { formatTime } from './limit-status.ts'
import { newImagesUp } from './lane-forecast.ts'
import type { PaceAt } from './plan/pace.ts'
import type { Sum } from './spool/accounts.ts'
import type { QueueClass } from './spool/queues.ts'
import type { Facts } from './status.ts'

export interface Age {
  /** RFC 3339; undefined, and 0 seconds, where nothing waits. */
  readonly oldestReceivedAt: string | undefined
  readonly oldestSeconds: number
}

export interface LaneStatus extends Sum, Age {
  /** By when an image of now will be in the store; absent where that cannot be known (lane-forecast.ts). */
  readonly newImageUpInSeconds: number | undefined
  /** Came in since the start; absent for what an operator has put first. */
  readonly taken: Sum | undefined
}

export type LaneStatuses = Readonly<Record<QueueClass, LaneStatus>>

export function describeLanes (facts: Facts, outAt: PaceAt): LaneStatuses {
  const { now, spool: { queues }, flow } = facts
  const upIn = newImagesUp(facts, outAt)
  const lane = (one: QueueClass): LaneStatus => {
    const taken = one === 'prioritized' ? undefined : flow.lanes[one].taken
    const { count, bytes } = queues[one].waiting
    return { count, bytes, ...ageOf(queues[one], now), newImageUpInSeconds: upIn[one], taken }
  }
  return { prioritized: lane('prioritized'), alarm: lane('alarm'), normal: lane('normal'), bulk: lane('bulk') }
}

export function ageOf ({ oldestReceivedAt }: { oldestReceivedAt: number | undefined }, now: number): Age {
  const oldestSeconds = oldestReceivedAt === undefined ? 0 : Math.max(0, now - oldestReceivedAt) / 1000
  return { oldestReceivedAt: formatTime(oldestReceivedAt), oldestSeconds }
}

/** Those with something in them, or in which something has come; none where all of it is normal. */
export function lanesInUse (lanes: LaneStatuses): ReadonlyArray<readonly [QueueClass, LaneStatus]> {
  const isUsed = ({ count, taken }: LaneStatus): boolean => count > 0 || (taken?.count ?? 0) > 0
  const used = (Object.entries(lanes) as Array<[QueueClass, LaneStatus]>).filter(([, lane]) => isUsed(lane)) // its keys
  return used.every(([name]) => name === 'normal') ? [] : used
}
