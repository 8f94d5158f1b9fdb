// What lanes make of one line, as flows instead of single images: a lane in which something waits has its share, one in
// which nothing does takes what comes in, and what is left goes to the most urgent that can use it
// (uplink/lane-shares.ts decides the same image by image).

import type { PaceAt } from './pace.ts'

export interface LaneLoad {
  readonly backlogBytes: number
  readonly inBytesPerSecond: number
  /** Guaranteed, 0 to 1; together at most 1. */
  readonly share: number
}

export interface LaneImage {
  /** ms since epoch. */
  readonly at: number
  readonly outAt: PaceAt
  readonly lane: Omit<LaneLoad, 'backlogBytes'>
  readonly moreUrgent: readonly LaneLoad[]
  readonly lessUrgent: readonly LaneLoad[]
  /** What goes before all lanes, a lane of its own. */
  readonly firstBytes: number
  /** What goes before it in its own lane, and the image. */
  readonly aheadBytes: number
  /** True where what comes in later goes before it, too. */
  readonly isOvertaken: boolean
}

interface Flow extends LaneLoad {
  left: number
  bytesPerSecond: number
}

const STEPS_MAX = 10_000
/** As far as course.ts looks. */
const HORIZON_SECONDS = 60 * 86_400
/** What is left of a subtraction of two large numbers is nobody's image. */
const BYTES_MIN = 0.001
/** A line without limit. */
const BYTES_PER_SECOND_MAX = 1e15

/** Seconds until the image is up; undefined where that never comes, or is not to be foreseen. */
export function laneSentAfter (image: LaneImage): number | undefined {
  const { outAt, isOvertaken, lane, aheadBytes } = image
  const own: Flow = { ...lane, backlogBytes: aheadBytes, left: aheadBytes, bytesPerSecond: 0 }
  const flows = [...image.moreUrgent.map(flowOf), own, ...image.lessUrgent.map(flowOf)]
  let [at, seconds, first] = [image.at, 0, image.firstBytes]
  for (let steps = 0; steps < STEPS_MAX && seconds <= HORIZON_SECONDS; steps++) {
    const slot = outAt(at)
    const line = Math.min(slot.bytesPerSecond, BYTES_PER_SECOND_MAX)
    divide(first > 0 ? 0 : line, flows)
    const changeSeconds = slot.until === undefined ? Infinity : (slot.until - at) / 1000
    const overtaking = isOvertaken ? own.inBytesPerSecond : 0
    const upSeconds = first > 0 ? Infinity : endOf(own.left, own.bytesPerSecond - overtaking)
    const ends = flows.filter((flow) => flow !== own)
      .map(({ left, bytesPerSecond, inBytesPerSecond }) => endOf(left, bytesPerSecond - inBytesPerSecond))
    const step = Math.min(changeSeconds, upSeconds, endOf(first, line), ...ends)
    if (step === Infinity) return undefined
    seconds += step
    if (step === upSeconds) return seconds
    at = step === changeSeconds && slot.until !== undefined ? slot.until : at + step * 1000
    first = rest(first - line * step)
    for (const flow of flows) {
      const more = flow === own ? overtaking : flow.inBytesPerSecond
      flow.left = rest(flow.left + (more - flow.bytesPerSecond) * step)
    }
  }
  return undefined
}

function flowOf (load: LaneLoad): Flow {
  return { ...load, left: load.backlogBytes, bytesPerSecond: 0 }
}

/** To each its share, as far as it can use it, and then what is left in the order of the lanes. */
function divide (line: number, flows: readonly Flow[]): void {
  const wanted = ({ left, inBytesPerSecond }: Flow): number => left > 0 ? Infinity : inBytesPerSecond
  let over = line
  for (const flow of flows) {
    flow.bytesPerSecond = Math.min(wanted(flow), flow.share * line)
    over -= flow.bytesPerSecond
  }
  for (const flow of flows) {
    const more = Math.min(Math.max(0, over), wanted(flow) - flow.bytesPerSecond)
    flow.bytesPerSecond += more
    over -= more
  }
}

/** Infinity where there is nothing, or it does not shrink. */
function endOf (bytes: number, bytesPerSecond: number): number {
  return bytes > 0 && bytesPerSecond > 0 ? bytes / bytesPerSecond : Infinity
}

function rest (bytes: number): number {
  return bytes < BYTES_MIN ? 0 : bytes
}
