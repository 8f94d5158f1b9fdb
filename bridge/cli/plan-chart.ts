// A day as two charts in plain ASCII, 80 columns wide.

import { formatBytes } from '../amounts.ts'
import type { Sample } from '../plan/day.ts'

const LABEL_WIDTH = 7
const BACKLOG_ROWS = 8
const PACE_ROWS = 6
const HOURS_MARKED = 3

/** What waits, and of it what the spool holds. Empty where nothing ever does. */
export function chartBacklog (day: readonly Sample[], spoolBytes: number): readonly string[] {
  const most = Math.max(...day.map(({ backlogBytes }) => backlogBytes))
  if (most === 0) return []
  const rows = rowsBelow(most, BACKLOG_ROWS).map(({ top, bottom }) => {
    const cells = day.map(({ backlogBytes }) => backlogBytes <= bottom ? ' ' : bottom >= spoolBytes ? '+' : '#')
    return `${formatBytes(top).padStart(LABEL_WIDTH)}|${cells.join('').trimEnd()}`
  })
  const legend = `# in the spool${most > spoolBytes ? ', + with the devices, as the spool is full' : ''}`
  return [`backlog over a day: ${legend}`, ...rows, ...axis(day)]
}

/** What comes in and what goes out, on the wire. */
export function chartPaces (day: readonly Sample[]): readonly string[] {
  const paces = day.flatMap(({ inBytesPerSecond, outBytesPerSecond }) => [inBytesPerSecond, outBytesPerSecond])
  const most = Math.max(...paces)
  const [unit, scale] = unitOf(most * 8)
  const rows = rowsBelow(most, PACE_ROWS).map(({ top, bottom }) => {
    const cells = day.map(({ inBytesPerSecond, outBytesPerSecond }) => {
      const isHere = (pace: number): boolean => pace > bottom && pace <= top * (1 + 1e-9)
      const [isIn, isOut] = [isHere(inBytesPerSecond), isHere(outBytesPerSecond)]
      return isIn && isOut ? '*' : isIn ? 'i' : isOut ? 'o' : ' '
    })
    return `${amount(top * 8 / scale).padStart(LABEL_WIDTH)}|${cells.join('').trimEnd()}`
  })
  return [`pace over a day, ${unit}: i comes in, o goes out, * both`, ...rows, ...axis(day)]
}

interface Row {
  readonly top: number
  readonly bottom: number
}

/** From the highest down. */
function rowsBelow (most: number, count: number): readonly Row[] {
  const height = most / count
  return Array.from({ length: count }, (_, i) => ({ top: (count - i) * height, bottom: (count - i - 1) * height }))
}

function axis (day: readonly Sample[]): readonly string[] {
  const perHour = day.length / 24
  const marks = Array.from({ length: 24 / HOURS_MARKED }, (_, i) =>
    `${String(i * HOURS_MARKED).padStart(2, '0')}h`.padEnd(HOURS_MARKED * perHour))
  const indent = ' '.repeat(LABEL_WIDTH)
  return [`${indent}+${'-'.repeat(day.length)}`, `${indent} ${marks.join('').trimEnd()}`]
}

function unitOf (bitsPerSecond: number): readonly [string, number] {
  if (bitsPerSecond >= 1e9) return ['Gbit/s', 1e9]
  return bitsPerSecond >= 1e6 ? ['Mbit/s', 1e6] : ['kbit/s', 1e3]
}

function amount (value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}
