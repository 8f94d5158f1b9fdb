// A plan in words: the answer first, then the figures behind it, then what would change it.

import { formatBytes, formatCount, formatLine, formatPace, formatPercent, formatSpan } from '../amounts.ts'
import { formatDuration, formatShare, formatSize } from '../config/units.ts'
import type { Figures, Plan } from '../plan/plan.ts'
import { GIVEN_OUT, wireBytes, type Site } from '../plan/site.ts'
import type { Way } from '../plan/ways.ts'
import { chartBacklog, chartPaces } from './plan-chart.ts'
import { formatTable } from './table.ts'

export function formatPlan (site: Site, plan: Plan): string {
  const parts = [
    [answer(site, plan)],
    [describeSite(site)],
    [formatTable(figureRows(site, plan))],
    [describeServed(site), describeOutage(site, plan)],
    formatWays(site, plan),
    chartBacklog(plan.day, site.spoolBytes),
    chartPaces(plan.day)
  ]
  return parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')
}

/** One sentence. */
function answer ({ spoolBytes }: Site, { fits, fitsLine, served }: Plan): string {
  const { backlogBytesPerHour, backlogBytesMax = 0, fullAfterSeconds, load } = served
  const moves = `${formatPace(served.inImagesPerSecond)} images/s come in and ` +
    `${formatAny(served.outImagesPerSecond)} can go out`
  const disk = formatBytes(spoolBytes)
  if (fits) {
    const most = backlogBytesMax === 0 ? 'nothing has to wait' : `at most ${formatBytes(backlogBytesMax)} waits, and the spool holds ${disk}`
    return `FITS: ${moves}; ${most}. ${formatPercent(load)} of what may go out in a week comes in.`
  }
  const full = fullAfterSeconds === undefined ? '' : `, and a spool of ${disk} is full after ${formatSpan(fullAfterSeconds)}`
  if (!fitsLine) return `DOES NOT FIT: ${moves}; the backlog grows by ${formatBytes(backlogBytesPerHour)} an hour${full}.`
  return `DOES NOT FIT: the line carries in a week what comes in a week, but up to ${formatBytes(backlogBytesMax)} ` +
    `has to wait${full}.`
}

/** A line may be without limit (uplink.capacity). */
function formatAny (imagesPerSecond: number): string {
  return imagesPerSecond === Infinity ? 'any number' : formatPace(imagesPerSecond)
}

function describeSite (site: Site): string {
  const { devices, intervalSeconds, imageBytes, captureHours, capacityBitsPerSecond, share, allowanceAt } = site
  const part = allowanceAt === undefined ? `${formatShare(share)} of` : 'uplink.schedule on'
  const hours = captureHours >= 24 ? '' : `, ${captureHours} h a day`
  const every = formatDuration(Math.round(intervalSeconds * 1000))
  return `${formatCount(devices)} devices, an image of ${formatSize(imageBytes)} every ${every}${hours}; ` +
    (capacityBitsPerSecond === Infinity ? 'a line without limit.' : `${part} ${formatLine(capacityBitsPerSecond / 8)}.`)
}

function figureRows ({ targetSeconds, spoolBytes }: Site, { plain, served, day }: Plan): string[][] {
  const row = (label: string, show: (figures: Figures) => string): string[] => [label, show(plain), show(served)]
  const after = (seconds: number | undefined): string => seconds === undefined ? 'never' : `after ${formatSpan(seconds)}`
  const waits = day.map(({ waitSeconds }) => waitSeconds)
  const longest = waits.includes(undefined) ? 'for ever' : `up to ${formatSpan(Math.max(...waits.map((wait) => wait ?? 0)))}`
  return [
    ['', 'plain', 'served'],
    row('in', ({ inImagesPerSecond }) => `${formatPace(inImagesPerSecond)} images/s`),
    row('', ({ inBytesPerSecond }) => formatLine(inBytesPerSecond)),
    row('out', ({ outImagesPerSecond }) => `${formatAny(outImagesPerSecond)} images/s`),
    row('', ({ outBytesPerSecond }) => outBytesPerSecond === Infinity ? 'no limit' : formatLine(outBytesPerSecond)),
    row('backlog', ({ backlogImagesPerSecond }) => `+${formatPace(backlogImagesPerSecond)} images/s`),
    row('', ({ backlogBytesPerHour }) => `+${formatBytes(backlogBytesPerHour)}/h`),
    row('most that waits', ({ backlogBytesMax }) => backlogBytesMax === undefined ? 'no end' : formatBytes(backlogBytesMax)),
    row(`spool of ${formatBytes(spoolBytes)} full`, ({ fullAfterSeconds }) => after(fullAfterSeconds)),
    row(`waits over ${formatSpan(targetSeconds)}`, ({ lateAfterSeconds }) => after(lateAfterSeconds)),
    ['image of the day waits', '', longest]
  ]
}

function describeServed ({ overhead, imageBytes }: Site): string {
  return `Plain is capacity x share. As it is served, ${formatShare(overhead)} is taken off for TCP and IP,\n` +
    `${formatShare(GIVEN_OUT)} of the rest is given out, and a put costs ${formatBytes(wireBytes(imageBytes) - imageBytes)} beyond its image.`
}

function describeOutage ({ spoolBytes }: Site, { outage }: Plan): string {
  const { seconds, backlogBytes, fullAfterSeconds, caughtUpSeconds } = outage
  if (seconds === 0) return 'No outage is reckoned with.'
  const room = fullAfterSeconds === undefined
    ? `it has room in a spool of ${formatBytes(spoolBytes)}`
    : `a spool of ${formatBytes(spoolBytes)} is full after ${formatSpan(fullAfterSeconds)}, and devices keep the rest`
  const end = caughtUpSeconds === undefined
    ? 'never caught up with'
    : `caught up with ${formatSpan(caughtUpSeconds)} after its end`
  return `An outage of ${formatSpan(seconds)} leaves ${formatBytes(backlogBytes)} to wait, ${end};\n${room}.`
}

function formatWays (site: Site, { ways, fitsLine }: Plan): readonly string[] {
  if (ways.length === 0) return []
  const rows = ways.map((way) => [NAMES[way.axis], value(way, way.plain), value(way, way.served), cost(site, way)])
  const what = fitsLine ? 'To make it fit, one of:' : 'To make it fit the line, one of:'
  return [what, formatTable([['', 'plain', 'served', ''], ...rows])]
}

const NAMES: Readonly<Record<Way['axis'], string>> = {
  share: 'a share of',
  interval: 'an image every',
  size: 'images of',
  hours: 'hours a day',
  devices: 'devices',
  spool: 'a spool of'
}

const GIVEN: Readonly<Record<Way['axis'], string>> = {
  share: 'more of the line',
  interval: 'fewer images',
  size: 'smaller',
  hours: 'fewer hours',
  devices: 'fewer devices',
  spool: ''
}

/** At least, or at most: the first value on its way that does it. */
function value ({ axis }: Way, amount: number | undefined): string {
  if (amount === undefined) return 'not by this'
  switch (axis) {
    case 'share': return `>= ${formatShare(amount)}`
    case 'interval': return `>= ${formatDuration(Math.round(amount * 1000))}`
    case 'size': return `<= ${formatBytes(amount)}`
    case 'hours': return `<= ${amount}`
    case 'devices': return `<= ${formatCount(amount)}`
    case 'spool': return `>= ${formatBytes(amount)}`
  }
}

function cost (site: Site, { axis, givesUp, spoolBytes = 0, isLeast }: Way): string {
  return [
    givesUp === undefined ? '' : `${formatPercent(givesUp)} ${GIVEN[axis]}`,
    axis !== 'spool' && spoolBytes > site.spoolBytes ? `needs ${formatBytes(spoolBytes)} of spool` : '',
    isLeast ? 'the least change' : ''
  ].filter((part) => part !== '').join('; ')
}
