// A site as the status and the forecast see it.

import type { Facts } from '../../bridge/status.ts'

export const NOW = Date.parse('2026-11-03T03:00:00Z')
export const MB = 1e6
export const NOTHING = { waiting: { count: 0, bytes: 0 }, devices: 0, oldestReceivedAt: undefined }
export const NONE = { in: { imagesPerSecond: 0, bytesPerSecond: 0 }, taken: { count: 0, bytes: 0 } }

/** A site at rest, changed by what a test is about. */
export function facts ({ spool = {}, uplink = {}, limit = {}, flow = {}, ledger = {}, ...more }: {
  [part in keyof Facts]?: Facts[part] extends object ? Partial<Facts[part]> : Facts[part]
} = {}): Facts {
  return {
    now: NOW,
    startedAt: NOW - 3_600_000,
    version: '1.2.3',
    place: 'https://s3.example.com/images',
    isStopping: false,
    ledger: { acknowledged: 20_000, uploaded: 20_000, waiting: 0, failed: 0, dropped: 0, ...ledger },
    spool: {
      waiting: { count: 0, bytes: 0 },
      failed: { count: 0, bytes: 0 },
      uploaded: { count: 20_000, bytes: 5_000 * MB },
      usedBytes: 0,
      limitBytes: 20_000 * MB,
      diskFreeBytes: 80_000 * MB,
      diskSizeBytes: 100_000 * MB,
      paused: undefined,
      oldestReceivedAt: undefined,
      queues: { prioritized: NOTHING, alarm: NOTHING, normal: NOTHING, bulk: NOTHING },
      ...spool
    },
    uplink: {
      uploading: new Set(),
      retrying: new Set(),
      uploadingBytes: 0,
      retryingBytes: 0,
      bytesPerSecond: 4.75 * MB,
      carriedBytesPerSecond: undefined,
      concurrency: 8,
      state: { kind: 'up' },
      heldSeconds: 0,
      lastStoredAt: NOW - 1000,
      ...uplink
    },
    limit: {
      bytesPerSecond: 4.75 * MB,
      source: 'share',
      paused: undefined,
      reason: undefined,
      since: undefined,
      until: undefined,
      next: undefined,
      ...limit
    },
    flow: {
      in: { imagesPerSecond: 0, bytesPerSecond: 0 },
      out: { imagesPerSecond: 0, bytesPerSecond: 0 },
      lanes: { alarm: NONE, normal: NONE, bulk: NONE },
      busy: { bytesPerSecond: 4.75 * MB, seconds: 60 },
      refused: 0,
      duplicates: 0,
      faults: 0,
      lastFault: undefined,
      ...flow
    },
    sentBytes: 0,
    sentBytesPerSecond: 0,
    targetMs: 10_000,
    ...more
  }
}

/** 1,214 images wait, the oldest for 14 min. */
export const backlog = {
  ledger: { acknowledged: 21_214, uploaded: 20_000, waiting: 1214 },
  spool: { waiting: { count: 1214, bytes: 304 * MB }, oldestReceivedAt: NOW - 14 * 60_000, usedBytes: 304 * MB }
}

export const inflow = (perSecond: number): Facts['flow']['in'] =>
  ({ imagesPerSecond: perSecond, bytesPerSecond: perSecond * 0.25 * MB })

export const down = {
  kind: 'down', reason: 'connect', detail: 'ECONNREFUSED 10.0.3.17:9000', since: NOW - 240_000, retryAt: NOW + 7000
} as const

export const paused: Partial<Facts['limit']> = {
  bytesPerSecond: 0,
  source: 'override',
  paused: 'operator',
  reason: 'maintenance',
  since: NOW - 300_000,
  until: NOW + 3_300_000
}
export const off: Partial<Facts['limit']> = { bytesPerSecond: 0, source: 'timetable', paused: 'schedule' }
