// Whether a site fits its line and its disk, and what happens where it does not: arithmetic, nothing else. The same
// arithmetic foresees for the running service (status.ts).

import { course, emptyAfter, reachedAfter, type Start } from './course.ts'
import { dayOf, type Sample } from './day.ts'
import { meanPace, pausedPace } from './pace.ts'
import { captureStart, imagesPerSecond, inflow, plainLine, servedLine, type Line, type Site } from './site.ts'
import { waysOut, type Way } from './ways.ts'

/** One reckoning of a site. Bytes are bytes of images, but for the two paces, which are on the wire. */
export interface Figures {
  /** While images are taken. */
  readonly inImagesPerSecond: number
  readonly inBytesPerSecond: number
  /** On average over a week, where a timetable changes it. */
  readonly outImagesPerSecond: number
  readonly outBytesPerSecond: number
  /** Of what may go out in a week, how much comes in: more than 1 is never caught up with. */
  readonly load: number
  /** What comes in and cannot go out, while images are taken; 0 where all of it can. */
  readonly backlogImagesPerSecond: number
  readonly backlogBytesPerHour: number
  /** The most that waits at a time; undefined where it grows without end. */
  readonly backlogBytesMax: number | undefined
  /** From an empty spool on; undefined: never. */
  readonly fullAfterSeconds: number | undefined
  /** So long after the start, an image waits longer than the target, first in first out; undefined: never. */
  readonly lateAfterSeconds: number | undefined
}

/** An outage that begins with the capture of a day, and with nothing waiting. */
export interface Outage {
  readonly seconds: number
  /** What waits at its end: the spool holds it as far as it reaches, devices keep the rest. */
  readonly backlogBytes: number
  readonly fullAfterSeconds: number | undefined
  /** From its end until nothing waits; undefined: never. */
  readonly caughtUpSeconds: number | undefined
}

export interface Plan {
  readonly fits: boolean
  /** The line carries in a week what comes in a week. */
  readonly fitsLine: boolean
  /** What waits at the worst moment has room in the spool; false also where it grows without end. */
  readonly fitsSpool: boolean
  readonly plain: Figures
  readonly served: Figures
  readonly outage: Outage
  /** The least that would have to change, one thing at a time; empty where it fits. */
  readonly ways: readonly Way[]
  /** A day from midnight to midnight: the first one where the backlog grows without end, else one like all others. */
  readonly day: readonly Sample[]
}

const WEEK_SECONDS = 7 * 86_400
/** What was reckoned with fractions is not above 1 by the last of their digits. */
const ROUNDING = 1e-9

export function planSite (site: Site): Plan {
  const line = servedLine(site)
  const served = reckon(site, line)
  const fitsLine = isCarried(served)
  const fitsSpool = hasRoom(site, served)
  return {
    fits: fitsLine && fitsSpool,
    fitsLine,
    fitsSpool,
    plain: reckon(site, plainLine(site)),
    served,
    outage: suffer(site, line),
    ways: fitsLine && fitsSpool ? [] : waysOut(site, { fitsLine, reckon, isCarried, hasRoom }),
    day: dayOf(site, line, fitsLine ? WEEK_SECONDS : 0)
  }
}

export function reckon (site: Site, line: Line): Figures {
  const incoming = imagesPerSecond(site)
  const inBytesPerSecond = incoming * line.wireBytes
  const outBytesPerSecond = meanPace(line.outAt, site.startAt, WEEK_SECONDS)
  const load = inBytesPerSecond * site.captureHours / 24 / outBytesPerSecond
  const growing = Math.max(0, inBytesPerSecond - outBytesPerSecond) / line.wireBytes
  const start = startOf(site, line)
  return {
    inImagesPerSecond: incoming,
    inBytesPerSecond,
    outImagesPerSecond: outBytesPerSecond / line.wireBytes,
    outBytesPerSecond,
    load,
    backlogImagesPerSecond: growing,
    backlogBytesPerHour: growing * site.imageBytes * 3600,
    backlogBytesMax: load > 1 + ROUNDING ? undefined : highest(start) * site.imageBytes / line.wireBytes,
    fullAfterSeconds: reachedAfter(start, onWire(site.spoolBytes, site, line)),
    lateAfterSeconds: lateAfter(start, site.targetSeconds)
  }
}

function isCarried ({ load }: Figures): boolean {
  return load <= 1 + ROUNDING
}

function hasRoom ({ spoolBytes }: Site, { backlogBytesMax = Infinity }: Figures): boolean {
  return backlogBytesMax <= spoolBytes * (1 + ROUNDING)
}

function startOf (site: Site, line: Line): Start {
  return { at: captureStart(site), backlogBytes: 0, inAt: inflow(site, line), outAt: line.outAt }
}

/** Two weeks: the second begins with what the first has left, and is like every one after it. */
function highest (start: Start): number {
  let highest = 0
  for (const { afterSeconds, after } of course(start)) {
    if (afterSeconds > 2 * WEEK_SECONDS) break
    highest = Math.max(highest, after)
  }
  return highest
}

/** At the pace of the moment, which is the target's for all but the edges of a timetable. */
function lateAfter (start: Start, targetSeconds: number): number | undefined {
  for (const { before, after, afterSeconds, inBytesPerSecond, outBytesPerSecond } of course(start)) {
    const bytes = outBytesPerSecond * targetSeconds
    if (before > bytes) return afterSeconds
    if (after > bytes) return afterSeconds + (bytes - before) / (inBytesPerSecond - outBytesPerSecond)
  }
  return undefined
}

function suffer (site: Site, line: Line): Outage {
  const start = startOf(site, line)
  const end = start.at + site.outageSeconds * 1000
  const wireBytes = meanPace(start.inAt, start.at, site.outageSeconds || 1) * site.outageSeconds
  const fullAfterSeconds = reachedAfter(
    { ...start, outAt: pausedPace(line.outAt, end) }, onWire(site.spoolBytes, site, line))
  return {
    seconds: site.outageSeconds,
    backlogBytes: wireBytes * site.imageBytes / line.wireBytes,
    fullAfterSeconds: (fullAfterSeconds ?? Infinity) < site.outageSeconds ? fullAfterSeconds : undefined,
    caughtUpSeconds: emptyAfter({ ...start, at: end, backlogBytes: wireBytes })
  }
}

function onWire (imageBytes: number, site: Site, line: Line): number {
  return imageBytes * line.wireBytes / site.imageBytes
}
