// What would make a site fit: one thing changed at a time, by as little as does it.

import type { Figures } from './plan.ts'
import { plainLine, servedLine, type Line, type Site } from './site.ts'

export const AXES = ['share', 'interval', 'size', 'hours', 'devices', 'spool'] as const
export type Axis = typeof AXES[number]

/** Each value in the unit of its field of Site: 0 to 1, seconds, bytes, hours, devices, bytes. */
export interface Way {
  readonly axis: Axis
  /** By the plain arithmetic, and as the service sends; undefined where no value does it. */
  readonly plain: number | undefined
  readonly served: number | undefined
  /** What is given up for it, 0 to 1: of the line for the share, else of the images, bytes, hours or devices. */
  readonly givesUp: number | undefined
  /** What the spool then has to hold at the worst moment, outages left out. */
  readonly spoolBytes: number | undefined
  /** Of those that need no larger spool, the one that gives up least. */
  readonly isLeast: boolean
}

/** How a site is judged; plan.ts knows. */
export interface Judge {
  readonly fitsLine: boolean
  readonly reckon: (site: Site, line: Line) => Figures
  readonly isCarried: (figures: Figures) => boolean
  readonly hasRoom: (site: Site, figures: Figures) => boolean
}

interface Scale {
  /** From the value as it is towards the one that gives up most; both ends are steps of the scale. */
  readonly from: number
  readonly to: number
  /** What people write: whole seconds, kilobytes, twentieths of a line. */
  readonly step: number
  change (site: Site, value: number): Site
  givesUp (value: number): number
}

export function waysOut (site: Site, judge: Judge): readonly Way[] {
  // The line first: what it cannot carry in a week has room in no spool.
  const axes = judge.fitsLine ? AXES : AXES.filter((axis) => axis !== 'spool')
  const ways = axes.map((axis) => axis === 'spool' ? widen(site, judge) : findWay(axis, site, judge))
  const least = ways
    .filter(({ spoolBytes = Infinity, axis }) => spoolBytes <= site.spoolBytes && axis !== 'spool')
    .reduce<Omit<Way, 'isLeast'> | undefined>((best, way) =>
      (way.givesUp ?? Infinity) < (best?.givesUp ?? Infinity) ? way : best, undefined)
  return ways.map((way) => ({ ...way, isLeast: way === least }))
}

function findWay (axis: Exclude<Axis, 'spool'>, site: Site, judge: Judge): Omit<Way, 'isLeast'> {
  const scale = scaleOf(axis, site)
  const search = (lineOf: (site: Site) => Line): number | undefined => firstOn(scale, (value) => {
    const changed = scale.change(site, value)
    const figures = judge.reckon(changed, lineOf(changed))
    return judge.isCarried(figures) && (!judge.fitsLine || judge.hasRoom(changed, figures))
  })
  const [plain, served] = [search(plainLine), search(servedLine)]
  if (served === undefined) return { axis, plain, served, givesUp: undefined, spoolBytes: undefined }
  const changed = scale.change(site, served)
  const { backlogBytesMax } = judge.reckon(changed, servedLine(changed))
  return { axis, plain, served, givesUp: scale.givesUp(served), spoolBytes: backlogBytesMax }
}

function widen (site: Site, { reckon }: Judge): Omit<Way, 'isLeast'> {
  const [plain, served] = [plainLine, servedLine].map((lineOf) => reckon(site, lineOf(site)).backlogBytesMax)
  return { axis: 'spool', plain, served, givesUp: undefined, spoolBytes: served }
}

function scaleOf (axis: Exclude<Axis, 'spool'>, { share, intervalSeconds, imageBytes, captureHours, devices }: Site): Scale {
  const less = (value: number, whole: number): number => (whole - value) / whole
  switch (axis) {
    case 'share':
      return {
        from: share,
        to: 1,
        step: share < 0.05 ? 0.01 : 0.05,
        change: (site, value) => ({ ...site, share: value, allowanceAt: undefined }),
        givesUp: (value) => value - share
      }
    case 'interval':
      return {
        from: intervalSeconds,
        to: intervalSeconds * FACTOR_MAX,
        step: 1,
        change: (site, value) => ({ ...site, intervalSeconds: value }),
        givesUp: (value) => less(intervalSeconds / value, 1)
      }
    case 'size':
      return {
        from: imageBytes,
        to: 1000,
        step: 1000,
        change: (site, value) => ({ ...site, imageBytes: value }),
        givesUp: (value) => less(value, imageBytes)
      }
    case 'hours':
      return {
        from: captureHours,
        to: 0.1,
        step: 0.1,
        change: (site, value) => ({ ...site, captureHours: value }),
        givesUp: (value) => less(value, captureHours)
      }
    case 'devices':
      return {
        from: devices,
        to: 1,
        step: 1,
        change: (site, value) => ({ ...site, devices: value }),
        givesUp: (value) => less(value, devices)
      }
  }
}

/** Nobody plans with a tenth of a thousandth of the images. */
const FACTOR_MAX = 10_000

/** The first value from `from` towards `to` that does it; whatever lies behind one that does it does it, too. */
function firstOn ({ from, to, step }: Scale, does: (value: number) => boolean): number | undefined {
  const towards = Math.sign(to - from)
  const first = towards > 0 ? Math.ceil(from / step - 1e-6) : Math.floor(from / step + 1e-6)
  const steps = Math.floor(Math.abs(to / step - first) + 1e-6)
  const value = (n: number): number => Number(((first + towards * n) * step).toPrecision(12))
  let [low, high] = [0, steps]
  if (towards === 0 || !does(value(high))) return undefined
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (does(value(middle))) high = middle
    else low = middle + 1
  }
  return value(low)
}
