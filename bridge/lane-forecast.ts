// By when an image of now would be in the store, for each lane: what goes before it, and how fast.

import { LANES, type Lane } from './entry.ts'
import { sentAfter } from './plan/course.ts'
import { laneSentAfter, type LaneLoad } from './plan/lane-course.ts'
import type { PaceAt } from './plan/pace.ts'
import type { QueueClass } from './spool/queues.ts'
import type { Facts } from './status.ts'
import { SCHEDULER_DEFAULTS } from './uplink/scheduler.ts'

/**
 * Seconds; undefined where nothing is to go out, or where it cannot be known: in a lane that sends the newest first and
 * gets more than it may send, some images go at once and the others are overtaken for as long as that lasts. In a fair
 * lane it is an image of a device that has what devices have on average; one of a device that has nothing goes sooner.
 */
export function newImagesUp (facts: Facts, outAt: PaceAt): Readonly<Record<QueueClass, number | undefined>> {
  const { now, spool: { queues } } = facts
  const prioritized = queues.prioritized.waiting.bytes + underWay(facts, ['prioritized']) + imageBytes(facts, 'prioritized')
  return {
    prioritized: sentAfter(prioritized, now, outAt),
    alarm: newImageUp(facts, 'alarm', outAt),
    normal: newImageUp(facts, 'normal', outAt),
    bulk: newImageUp(facts, 'bulk', outAt)
  }
}

function newImageUp (facts: Facts, lane: Lane, outAt: PaceAt): number | undefined {
  const { now, spool: { queues }, scheduling: { order } = SCHEDULER_DEFAULTS } = facts
  const [before, own] = [aheadOf(facts, lane), imageBytes(facts, lane)]
  const isInTurn = order === 'oldest' || order === 'fair'
  const place = LANES.indexOf(lane)
  return laneSentAfter({
    at: now,
    outAt,
    lane: loadOf(facts, lane),
    moreUrgent: LANES.slice(0, place).map((one) => loadOf(facts, one)),
    lessUrgent: LANES.slice(place + 1).map((one) => loadOf(facts, one)),
    firstBytes: queues.prioritized.waiting.bytes + underWay(facts, isInTurn ? ['prioritized', lane] : ['prioritized']),
    aheadBytes: before + own,
    isOvertaken: !isInTurn
  })
}

/** Of its own lane. */
function aheadOf (facts: Facts, lane: Lane): number {
  const { spool: { queues }, scheduling: { order } = SCHEDULER_DEFAULTS } = facts
  const { waiting: { bytes }, devices } = queues[lane]
  switch (order) {
    case 'fair':
    case 'oldest':
      return bytes
    case 'newest':
      return 0
    case 'newest-per-device':
      return Math.min(bytes, devices * imageBytes(facts, lane)) // one of each other device at most
  }
}

/** What is being sent is neither stopped nor overtaken; it counts where it does not stand in `counted` already. */
function underWay ({ spool, uplink: { uploadingBytes } }: Facts, counted: readonly QueueClass[]): number {
  const { waiting, queues } = spool
  const others = counted.reduce((bytes, one) => bytes - queues[one].waiting.bytes, waiting.bytes)
  return Math.min(uploadingBytes, Math.max(0, others))
}

function loadOf ({ spool: { queues }, flow, scheduling: { lanes } = SCHEDULER_DEFAULTS }: Facts, lane: Lane): LaneLoad {
  return {
    backlogBytes: queues[lane].waiting.bytes,
    inBytesPerSecond: flow.lanes[lane].in.bytesPerSecond,
    share: lanes[lane]
  }
}

/** Of those that come in lately, else of those that wait; a byte where none is known. */
function imageBytes ({ spool: { queues, waiting }, flow }: Facts, one: QueueClass): number {
  const paces = one === 'prioritized' ? [flow.in] : [flow.lanes[one].in, flow.in]
  const pace = paces.find(({ imagesPerSecond }) => imagesPerSecond > 0)
  if (pace !== undefined) return pace.bytesPerSecond / pace.imagesPerSecond
  const { count, bytes } = queues[one].waiting.count > 0 ? queues[one].waiting : waiting
  return count > 0 ? bytes / count : 1
}
