import type { BrokerLevels } from '../broker/events.ts'
import type { Note } from '../broker/topics.ts'
import type { Ledger } from './entry.ts'
import type { PauseReason } from './events.ts'
import type { FleetLevels } from './fleet.ts'
import { catalogue } from './metric-catalogue.ts'
import type { Recorder } from './metric-recorder.ts'
import type { SloLevels } from './slo/slo.ts'
import type { PausedBy } from './uplink/limits.ts'

/** What is read from its owner at every scrape; a gauge kept beside its owner would drift. All cheap, none throws. */
export interface MetricLevels {
  broker (): BrokerLevels
  budget (): BudgetLevels
  spool (): HeldLevels
  uplink (): UplinkLevels
  ledger (): Ledger
  /** Notes sent to devices since the start. */
  notes (): Readonly<Record<Note['status'], number>>
  slo (): SloLevels
  devices (): FleetLevels
}

/** mqtt.memoryBudget, over all devices and ways in. */
export interface BudgetLevels {
  readonly heldBytes: number
  readonly limitBytes: number
  /** Payloads that wait in their sockets for room. */
  readonly waiting: number
}

export interface Sum {
  readonly count: number
  readonly bytes: number
}

/** What waits in a lane, uploading and retrying included. */
export interface QueueLevels {
  readonly waiting: Sum
  /** ms since epoch. */
  readonly oldestReceivedAt: number | undefined
}

/** The four sums are disjoint: together they are what is on disk. */
export interface HeldLevels {
  readonly waiting: Sum
  readonly uploading: Sum
  readonly retrying: Sum
  readonly failed: Sum
  /** Acceptance of the oldest image neither uploaded nor failed, ms since epoch. */
  readonly oldestReceivedAt: number | undefined
  readonly queues: Readonly<Record<'prioritized' | 'alarm' | 'normal' | 'bulk', QueueLevels>>
  readonly limitBytes: number
  readonly diskUsedBytes: number
  readonly diskFreeBytes: number
  readonly diskSizeBytes: number
  readonly paused: PauseReason | undefined
}

export interface UplinkLevels {
  readonly inFlight: number
  readonly concurrency: number
  /** The allowance in force. */
  readonly bytesPerSecond: number
  /** Since the start, failed attempts included. */
  readonly sentBytes: number
  /** Since the start, time in which an image was ready and the allowance held it back. */
  readonly throttledSeconds: number
  readonly down: boolean
  /** Who keeps uploads from beginning. */
  readonly paused: PausedBy | undefined
  /** Ms since epoch. */
  readonly lastStoredAt: number | undefined
}

export function recordLevels (record: Recorder, levels: MetricLevels): void {
  recordBroker(record, levels.broker(), levels.budget())
  recordNotes(record, levels.notes())
  recordSpool(record, levels.spool())
  recordUplink(record, levels.uplink())
  recordLedger(record, levels.ledger())
  recordSlo(record, levels.slo())
  recordDevices(record, levels.devices())
}

function recordBroker (record: Recorder, broker: BrokerLevels, budget: BudgetLevels): void {
  record.set('connections', broker.connections)
  record.set('pubacksPending', broker.pubacksPending)
  record.set('subscriptions', broker.subscriptions)
  record.set('retained', broker.retained)
  record.setTotal('messagesDropped', broker.messagesDropped)
  record.setTotal('mqttReceivedBytes', broker.receivedBytes)
  record.setTotal('mqttSentBytes', broker.sentBytes)
  record.set('budgetHeld', budget.heldBytes)
  record.set('budgetLimit', budget.limitBytes)
  record.set('budgetWaiting', budget.waiting)
}

function recordNotes (record: Recorder, notes: Readonly<Record<Note['status'], number>>): void {
  for (const status of catalogue.notesSent.labels.status) record.setTotal('notesSent', notes[status], { status })
}

function recordSpool (record: Recorder, spool: HeldLevels): void {
  for (const state of catalogue.spoolMessages.labels.state) {
    record.set('spoolMessages', spool[state].count, { state })
    record.set('spoolBytes', spool[state].bytes, { state })
  }
  for (const reason of catalogue.ingestPaused.labels.reason) {
    record.set('ingestPaused', spool.paused === reason ? 1 : 0, { reason })
  }
  for (const lane of catalogue.laneWaiting.labels.lane) {
    const { waiting, oldestReceivedAt = 0 } = spool.queues[lane]
    record.set('laneWaiting', waiting.count, { lane })
    record.set('laneOldest', oldestReceivedAt / 1000, { lane })
  }
  record.set('spoolOldest', (spool.oldestReceivedAt ?? 0) / 1000)
  record.set('spoolLimit', spool.limitBytes)
  record.set('spoolDiskUsed', spool.diskUsedBytes)
  record.set('spoolDiskFree', spool.diskFreeBytes)
  record.set('spoolDiskSize', spool.diskSizeBytes)
}

function recordUplink (record: Recorder, uplink: UplinkLevels): void {
  record.set('uploadInFlight', uplink.inFlight)
  record.set('uploadConcurrency', uplink.concurrency)
  record.set('uploadAllowance', uplink.bytesPerSecond === Infinity ? 0 : uplink.bytesPerSecond)
  record.setTotal('uploadSentBytes', uplink.sentBytes)
  record.setTotal('uploadThrottled', uplink.throttledSeconds)
  record.set('uploadPaused', uplink.down ? 1 : 0, { reason: 'circuit_open' })
  for (const reason of ['operator', 'schedule'] as const) {
    record.set('uploadPaused', uplink.paused === reason ? 1 : 0, { reason })
  }
  record.set('uploadLastSuccess', (uplink.lastStoredAt ?? 0) / 1000)
}

function recordSlo (record: Recorder, { verdicts, causes }: SloLevels): void {
  for (const verdict of catalogue.sloMessages.labels.verdict) record.setTotal('sloMessages', verdicts[verdict], { verdict })
  for (const cause of catalogue.sloLate.labels.cause) record.setTotal('sloLate', causes[cause], { cause })
}

function recordDevices (record: Recorder, devices: FleetLevels): void {
  for (const state of catalogue.devices.labels.state) record.set('devices', devices[state], { state })
}

function recordLedger (record: Recorder, ledger: Ledger): void {
  for (const state of catalogue.ledger.labels.state) record.set('ledger', ledger[state], { state })
}
