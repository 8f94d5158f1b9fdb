import { parseDeviceId, parseImageId, type DeviceId, type ImageId } from '../../broker/topics.ts'
import type { BrokerLevels } from '../../broker/events.ts'
import { noTraffic } from '../../broker/traffic.ts'
import type { Entry, Upload } from '../../bridge/entry.ts'
import type { MetricLevels } from '../../bridge/metric-levels.ts'

export interface Exposition {
  /** `name{a="b",c="d"}`, labels in the order they were written, to value. */
  readonly series: ReadonlyMap<string, number>
  /** Family name to `counter`, `gauge` or `histogram`. */
  readonly types: ReadonlyMap<string, string>
}

/** Prometheus' text format 0.0.4, as far as it is used here. */
export function parseExposition (text: string): Exposition {
  const series = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line)
    if (type?.[1] !== undefined && type[2] !== undefined) types.set(type[1], type[2])
    const sample = /^([^#\s].*) (\S+)$/.exec(line)
    if (sample?.[1] !== undefined) series.set(sample[1], Number(sample[2]))
  }
  return { series, types }
}

/** A site with a backlog, in the numbers of a working day. */
export function levelsWith (levels: Partial<MetricLevels> = {}): MetricLevels {
  return {
    broker: () => brokerLevelsWith({ connections: 1000, pubacksPending: 3, receivedBytes: 5e9, sentBytes: 2e6 }),
    budget: () => ({ heldBytes: 12_000_000, limitBytes: 128_000_000, waiting: 2 }),
    spool: () => ({
      waiting: { count: 1200, bytes: 300_000_000 },
      uploading: { count: 8, bytes: 2_000_000 },
      retrying: { count: 6, bytes: 1_500_000 },
      failed: { count: 2, bytes: 500_000 },
      oldestReceivedAt: Date.now() - 60_000,
      queues: {
        prioritized: { waiting: { count: 0, bytes: 0 }, oldestReceivedAt: undefined },
        alarm: { waiting: { count: 1, bytes: 250_000 }, oldestReceivedAt: Date.now() - 200 },
        normal: { waiting: { count: 213, bytes: 53_250_000 }, oldestReceivedAt: Date.now() - 30_000 },
        bulk: { waiting: { count: 1000, bytes: 250_000_000 }, oldestReceivedAt: Date.now() - 60_000 }
      },
      limitBytes: 20e9,
      diskUsedBytes: 340_000_000,
      diskFreeBytes: 80e9,
      diskSizeBytes: 100e9,
      paused: undefined
    }),
    uplink: () => ({
      inFlight: 8,
      concurrency: 8,
      bytesPerSecond: 4_750_000,
      sentBytes: 4.7e9,
      throttledSeconds: 900,
      down: false,
      paused: undefined,
      lastStoredAt: Date.now() - 50
    }),
    ledger: () => ({ acknowledged: 20_000, uploaded: 18_780, waiting: 1214, failed: 2, dropped: 4 }),
    slo: () => ({
      verdicts: { good: 18_000, late: 1900, failed: 2 },
      causes: { store_away: 1500, paused: 0, stopped: 0, line: 400 }
    }),
    devices: () => ({ online: 990, offline: 8, silent: 2 }),
    notes: () => ({ uploaded: 18_780, failed: 2, refused: 5, duplicate: 9, paused: 0, resumed: 0 }),
    ...levels
  }
}

export function brokerLevelsWith (levels: Partial<BrokerLevels> = {}): BrokerLevels {
  return {
    connections: 0,
    connectionsMost: 0,
    connected: 0,
    socketsOpened: 0,
    sessionsAway: 0,
    pubacksPending: 0,
    subscriptions: 0,
    retained: 0,
    retainedBytes: 0,
    queued: 0,
    queuedBytes: 0,
    messagesDropped: 0,
    ...noTraffic(),
    ...levels
  }
}

export const deviceId = (text: string): DeviceId => parseDeviceId(text) ?? fail(text)
export const imageId = (text: string): ImageId => parseImageId(text) ?? fail(text)

export function entryWith (entry: Partial<Entry> = {}): Entry {
  return {
    sequence: 1,
    deviceId: deviceId('cam-1'),
    imageId: imageId('a1'),
    bytes: 250_000,
    crc32: 0,
    sha256: undefined,
    contentType: 'image/jpeg',
    sourceTopic: 'devices/cam-1/images/a1',
    capturedAt: undefined,
    receivedAt: Date.now(),
    meta: undefined,
    ...entry
  }
}

export const upload: Upload = {
  uploadedAt: Date.now(), bucket: 'images', key: 'images/cam-1/a1.jpg', etag: '"e"', sha256: '00'
}

function fail (text: string): never {
  throw new Error(`no id: ${text}`)
}
