import { course, sentAfter, type Stretch } from './course.ts'
import { inflow, type Line, type Site } from './site.ts'

/** A moment of the day. */
export interface Sample {
  /** Hours since midnight. */
  readonly hour: number
  /** On the wire. */
  readonly inBytesPerSecond: number
  /** What really goes out, on the wire: with nothing waiting no more than comes in. */
  readonly outBytesPerSecond: number
  /** Bytes of images, in the spool and, beyond what it holds, with the devices. */
  readonly backlogBytes: number
  /** Until an image of that moment is in the store, first in first out; undefined: never. */
  readonly waitSeconds: number | undefined
}

const SAMPLES = 72
const DAY_SECONDS = 86_400

/** The day that begins `leadSeconds` after the start of the plan, at which nothing waited. */
export function dayOf (site: Site, line: Line, leadSeconds: number): readonly Sample[] {
  const start = { at: site.startAt, backlogBytes: 0, inAt: inflow(site, line), outAt: line.outAt }
  const stretches: Stretch[] = []
  for (const stretch of course(start)) {
    if (stretch.afterSeconds > leadSeconds + DAY_SECONDS) break
    stretches.push(stretch)
  }
  return Array.from({ length: SAMPLES }, (_, i) => {
    const seconds = i * DAY_SECONDS / SAMPLES
    return sampleAt(leadSeconds + seconds, seconds / 3600, stretches, { site, line })
  })
}

function sampleAt (
  seconds: number, hour: number, stretches: readonly Stretch[], { site, line }: { site: Site, line: Line }
): Sample {
  const stretch = stretches.findLast(({ afterSeconds }) => afterSeconds <= seconds)
  if (stretch === undefined) return { hour, inBytesPerSecond: 0, outBytesPerSecond: 0, backlogBytes: 0, waitSeconds: 0 }
  const { before, afterSeconds, inBytesPerSecond, outBytesPerSecond } = stretch
  const net = inBytesPerSecond - outBytesPerSecond
  const backlog = net === -Infinity ? 0 : Math.max(0, before + net * (seconds - afterSeconds))
  const isBusy = backlog > 0 || net > 0
  return {
    hour,
    inBytesPerSecond,
    outBytesPerSecond: isBusy ? outBytesPerSecond : inBytesPerSecond,
    backlogBytes: backlog * site.imageBytes / line.wireBytes,
    waitSeconds: sentAfter(backlog + line.wireBytes, site.startAt + seconds * 1000, line.outAt)
  }
}
