import type { Broker } from '../broker/broker.ts'
import type { MemoryBudget } from '../broker/budget.ts'
import type { Config } from './config/config.ts'
import { configHash } from './config/read-config.ts'
import type { Fleet } from './fleet.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { Notes } from './notes.ts'
import type { OpenStore } from './open-store.ts'
import type { Slo } from './slo/slo.ts'
import type { Spool } from './spool/spool.ts'
import type { Limits } from './uplink/limits.ts'
import type { Uplink } from './uplink/uplink.ts'

/** Those that know what the metrics show. */
export interface MeasuredParts {
  readonly spool: Spool
  readonly uplink: Uplink
  readonly limits: Limits
  readonly broker: Broker
  readonly budget: MemoryBudget
  readonly opened: OpenStore
  readonly notes: Notes
  readonly slo: Slo
  readonly fleet: Fleet
}

/** Levels are read from their owners at scrape time; a gauge kept beside its owner would drift. */
export function measure (parts: MeasuredParts, config: Config, version: string): Metrics {
  const { spool, uplink, limits, broker, budget, opened, notes, slo, fleet } = parts
  return createMetrics({
    broker: () => broker.levels,
    budget: () => ({ ...budget.levels, limitBytes: budget.bytesMax }),
    spool: () => heldLevels(spool, uplink),
    uplink: () => {
      const { uploading, state, heldSeconds, ...levels } = uplink.levels
      return {
        ...levels,
        bytesPerSecond: limits.inForce.bytesPerSecond,
        paused: limits.inForce.paused,
        inFlight: uploading.size,
        sentBytes: opened.sentBytes(),
        throttledSeconds: heldSeconds,
        down: state.kind === 'down'
      }
    },
    ledger: () => spool.ledger,
    notes: () => notes.sent,
    slo: () => slo.levels,
    devices: () => fleet.levels
  }, { version, configHash: configHash(config), slo: config.slo })
}

type HeldLevels = ReturnType<Parameters<typeof createMetrics>[0]['spool']>

/** What the spool calls waiting, parted by what the uplink is doing with it. */
function heldLevels (spool: Spool, { levels: uplink }: Uplink): HeldLevels {
  const { waiting, usedBytes, paused, ...levels } = spool.levels
  const uploading = { count: uplink.uploading.size, bytes: uplink.uploadingBytes }
  const retrying = { count: uplink.retrying.size, bytes: uplink.retryingBytes }
  return {
    ...levels,
    uploading,
    retrying,
    waiting: {
      count: Math.max(0, waiting.count - uploading.count - retrying.count),
      bytes: Math.max(0, waiting.bytes - uploading.bytes - retrying.bytes)
    },
    diskUsedBytes: usedBytes,
    paused: paused?.reason
  }
}
