import type { BrokerEvent } from '../broker/events.ts'
import type { BridgeEvent } from './events.ts'
import { catalogue, type Catalogue, type LabelsOf } from './metric-catalogue.ts'
import type { Recorder } from './metric-recorder.ts'

/** Counts one event. The switches are exhaustive, so a new event cannot be forgotten here. */
export function countEvent (record: Recorder, event: BridgeEvent): void {
  switch (event.kind) {
    case 'client-connected':
    case 'connect-refused':
    case 'client-disconnected':
    case 'publish-received':
    case 'publish-acknowledged':
    case 'packet-too-large':
    case 'topic-refused':
    case 'subscription-refused':
    case 'limit-reached':
      return countBroker(record, event)
    case 'image-taken':
    case 'image-duplicate':
    case 'image-refused':
    case 'image-withheld':
    case 'intake-paused':
    case 'intake-resumed':
      return countIntake(record, event)
    case 'spool-written':
    case 'spool-read':
    case 'spool-fault':
    case 'spool-recovered':
    case 'spool-damaged':
      return countSpool(record, event)
    case 'put-started':
    case 'put-ended':
    case 'entry-uploaded':
    case 'entry-failed':
    case 'entry-retried':
    case 'entry-prioritized':
    case 'entry-dropped':
    case 'uplink-down':
    case 'uplink-up':
      return countUplink(record, event)
    case 'limit-changed':
      return event.action === undefined ? undefined : record.add('operatorActions', 1, { action: event.action })
    case 'limits-not-kept':
      return
    case 'store-fault':
      return record.add('localStoreErrors', 1)
    case 'config-reloaded':
      return record.set('configReload', event.applied ? 1 : 0)
    case 'slo-not-kept':
    case 'backlog-waits':
    case 'operator-advised':
    case 'advice-over':
      break
    case 'caller-refused':
      return record.add('httpRefused', 1, { code: event.code })
    case 'http-limit-reached':
      return record.add('httpLimitsReached', 1, { limit: event.limit })
    case 'http-request':
      record.add('httpRequests', 1, { route: routeOf(event.route), code: classOf(event.code) })
      return record.observe('httpDuration', event.seconds)
  }
}

type EventOf<Kind extends BridgeEvent['kind']> = Extract<BridgeEvent, { kind: Kind }>
type IntakeEvent = EventOf<
  'image-taken' | 'image-duplicate' | 'image-refused' | 'image-withheld' | 'intake-paused' | 'intake-resumed'>
type SpoolEvent = EventOf<'spool-written' | 'spool-read' | 'spool-fault' | 'spool-recovered' | 'spool-damaged'>
type UplinkEvent = EventOf<
  'put-started' | 'put-ended' | 'entry-uploaded' | 'entry-failed' | 'entry-retried' | 'entry-prioritized' | 'entry-dropped' |
  'uplink-down' | 'uplink-up'>

function countBroker (record: Recorder, event: BrokerEvent): void {
  switch (event.kind) {
    case 'client-connected':
      return record.add('connects', 1, { result: 'accepted' })
    case 'connect-refused':
      return record.add('connects', 1, { result: event.result })
    case 'client-disconnected':
      return record.add('disconnects', 1, { reason: event.reason })
    case 'publish-received':
      return record.add('publishesReceived', 1, { qos: `${event.qos}` })
    case 'publish-acknowledged':
      return record.observe('pubackDelay', event.seconds)
    case 'packet-too-large':
      if (event.packet === 'PUBLISH') record.add('publishesRefused', 1, { reason: 'packet_too_large' })
      break
    case 'subscription-refused':
      return record.add('subscriptionsRefused', 1, { reason: event.reason })
    case 'topic-refused':
      return record.add('publishesRefused', 1, { reason: event.reason })
    case 'limit-reached':
      return record.add('limitsReached', 1, { limit: event.limit })
  }
}

function countIntake (record: Recorder, event: IntakeEvent): void {
  switch (event.kind) {
    case 'image-taken':
      record.add('ingestMessages', 1, { format: event.format, result: 'accepted' })
      record.add('ingestBytes', event.entry.bytes, { format: event.format })
      return record.observe('ingestImageBytes', event.entry.bytes)
    case 'image-duplicate':
      return record.add('ingestMessages', 1, { format: event.format, result: 'duplicate' })
    case 'image-refused':
      record.add('ingestMessages', 1, { format: event.format, result: 'refused' })
      return record.add('ingestRefused', 1, { reason: event.reason })
    case 'image-withheld':
      return record.add('ingestWithheld', 1, { reason: event.reason })
    case 'intake-paused': // sluice_ingest_paused is a level
    case 'intake-resumed':
  }
}

function countSpool (record: Recorder, event: SpoolEvent): void {
  switch (event.kind) {
    case 'spool-written':
      record.observe('spoolBatch', event.entries)
      return record.observe('spoolWriteDuration', event.seconds)
    case 'spool-read':
      return record.observe('spoolReadDuration', event.seconds)
    case 'spool-fault':
      return record.add('spoolErrors', 1, { op: event.operation })
    case 'spool-recovered':
      return record.add('spoolRecovered', event.waiting)
    case 'spool-damaged':
      return record.add('spoolErrors', 1, { op: event.part === 'index' ? 'index' : 'read' })
  }
}

function countUplink (record: Recorder, event: UplinkEvent): void {
  switch (event.kind) {
    case 'put-started':
      if (event.attempt === 1) record.observe('uploadQueueWait', event.waitedSeconds)
      return
    case 'put-ended':
      countAttempt(record, event.outcome)
      return record.observe('uploadDuration', event.seconds)
    case 'entry-uploaded':
      record.add('uploadMessages', 1, { result: 'uploaded' })
      record.add('uploadBytes', event.entry.bytes)
      return record.observe('e2eLatency', event.seconds)
    case 'entry-failed':
      return record.add('uploadMessages', 1, { result: 'failed' })
    case 'entry-retried':
      return record.add('operatorActions', 1, { action: 'retry' })
    case 'entry-prioritized':
      return record.add('operatorActions', 1, { action: 'prioritize' })
    case 'entry-dropped':
      return record.add('operatorActions', 1, { action: 'purge' })
    case 'uplink-down': // sluice_upload_paused is a level
    case 'uplink-up':
  }
}

/** An attempt that a stop cut short is nobody's fault, and no error. */
function countAttempt (record: Recorder, outcome: EventOf<'put-ended'>['outcome']): void {
  switch (outcome) {
    case 'stored':
      return record.add('uploadAttempts', 1, { result: 'success' })
    case 'aborted':
      return record.add('uploadAttempts', 1, { result: 'aborted' })
    case 'refused':
      record.add('uploadErrors', 1, { reason: 'client_error' })
      return record.add('uploadAttempts', 1, { result: 'permanent' })
    case 'timeout':
    case 'dns':
    case 'connect':
    case 'reset':
    case 'tls':
    case 'throttled':
    case 'server_error':
    case 'auth':
    case 'no_bucket':
    case 'checksum':
      record.add('uploadErrors', 1, { reason: outcome })
      return record.add('uploadAttempts', 1, { result: 'retryable' })
  }
}

type RequestLabels = LabelsOf<Catalogue['httpRequests']>

const ROUTES: ReadonlySet<string> = new Set(catalogue.httpRequests.labels.route)

// A path comes from outside: what is no route of ours must not become a series of its own.
function routeOf (route: string): RequestLabels['route'] {
  return ROUTES.has(route) ? route as RequestLabels['route'] : 'other'
}

function classOf (code: number): RequestLabels['code'] {
  if (code < 300) return '2xx'
  if (code < 400) return '3xx'
  return code < 500 ? '4xx' : '5xx'
}
