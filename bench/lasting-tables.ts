// Tables of what must not change with backlog, connections and time.

import type { DiskUseRow } from './disk-use.ts'
import type { FlatRow } from './flat.ts'
import { count, latencies, megabytes, table } from './markdown.ts'
import type { SoakRow } from './soak.ts'
import type { SteadyRow } from './steady.ts'

export function formatFlat (rows: readonly FlatRow[]): string {
  return table(['100 devices, 250 kB, beside', 'images/s', 'ratio', 'PUBACK p50 / p99', 'ratio of p99'], rows.map((row) => [
    `${count(row.level)} ${row.beside}`,
    count(row.imagesPerSecond),
    row.imagesPerSecondRatio.toFixed(2),
    latencies([row.pubackMs.p50, row.pubackMs.p99]),
    row.p99Ratio.toFixed(2)
  ]))
}

export function formatSteady (rows: readonly SteadyRow[]): string {
  const [first] = rows
  return table([`${count(first?.devices ?? 0)} devices, 2 images/min of 250 kB, ${first?.seconds ?? 0} s, while`,
    'acknowledged', 'PUBACK p50 / p95 / p99', 'event loop p99', 'waiting', 'peak resident'], rows.map((row) => [
    row.beside,
    count(row.acknowledged),
    latencies([row.pubackMs.p50, row.pubackMs.p95, row.pubackMs.p99]),
    `${row.eventLoopMs.toFixed(1)} ms`,
    `${count(row.waitingBefore)} to ${count(row.waitingAfter)}`,
    megabytes(row.peakMegabytes)
  ]))
}

export function formatSoak (soak: SoakRow): string {
  const levels = (of: SoakRow['handles']): string => `${count(of.settled)} / ${count(of.end)} / ${count(of.most)}`
  return table([`${count(soak.imagesPerSecond)} images/s of 250 kB for ${soak.minutes} min, in and out`,
    `after ${soak.settledMinutes.toFixed(1)} min`], [
    ['images acknowledged', count(soak.acknowledged)],
    ['PUBACK p50 / p95 / p99', latencies([soak.pubackMs.p50, soak.pubackMs.p95, soak.pubackMs.p99])],
    ['resident memory grows by', `${soak.residentMegabytesPerMinute.toFixed(2)} MB/min`],
    ['resident, first / last / most', `${levels(soak.residentMegabytes)} MB`],
    ['handles, first / last / most', levels(soak.handles)],
    ['disk of the spool, first / last / most', `${levels(soak.diskMegabytes)} MB`],
    ['images waiting, most', count(soak.waitingMost)]
  ])
}

export function formatDiskUse (use: DiskUseRow): string {
  return table([`a backlog of ${count(use.images)} images (${count(use.images * use.bytes / 1e6)} MB)`, 'comes', 'leaves'], [
    ['bytes written per byte taken in', use.writtenPerByte.intake.toFixed(2), `${use.writtenPerByte.drained.toFixed(2)} in all`],
    ['disk used by 1.5 × waiting + 2 segments, most', use.ofBoundMost.intake.toFixed(2), use.ofBoundMost.drain.toFixed(2)],
    ['disk used per byte waiting, half-way', use.diskPerLiveByte.intake.toFixed(2), use.diskPerLiveByte.drain.toFixed(2)],
    ['two segments or less after the last image left', '', `${use.reclaimedSeconds.toFixed(1)} s`],
    ['left in the end', '', megabytes(use.megabytesLeft)]
  ])
}
