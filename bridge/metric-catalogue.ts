// Every metric Sluice exposes, as data: metrics.ts makes the instruments from it and the dashboards
// their queries, so a renamed metric cannot leave a dead panel.
//
// Base units; `_total` on counters; a failure counter stands beside its attempts; every label value
// exists at 0 from the start, or rate() misses the first event; no label carries a device, a topic
// or a key (Prometheus documentation, "Metric and label naming" and "Instrumentation").

import { LIMIT_NAMES } from '../broker/events.ts'
import { HTTP_LIMIT_NAMES } from './events.ts'
import { ANY, counter, gauge, histogram } from './metric-spec.ts'

export type { KeysOf, LabelsOf, LabelValues, MetricSpec, Unit } from './metric-spec.ts'

const PAUSE_REASONS = ['spool_full', 'disk_low', 'storage_error', 'shutdown'] as const
const FORMATS = ['raw', 'json'] as const
const QUEUES = ['prioritized', 'alarm', 'normal', 'bulk'] as const
const HELD_STATES = ['waiting', 'uploading', 'retrying', 'failed'] as const
const WAIT_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600]
const KIB = 1024

const build = {
  buildInfo: gauge('sluice_build_info', 'Build information; the value is 1.', 'flag',
    { version: ANY, revision: ANY, node_version: ANY }),
  configInfo: gauge('sluice_config_info', 'Hash of the effective configuration; the value is 1.', 'flag', { hash: ANY }),
  configReload: gauge('sluice_config_last_reload_successful',
    '1 where the configuration was read without a problem, at the start or at the last SIGHUP.', 'flag'),
  sloTarget: gauge('sluice_slo_latency_target_seconds',
    'From acceptance to the store, an image shall take no longer.', 'seconds'),
  sloObjective: gauge('sluice_slo_objective_ratio', 'Share of the images that shall meet the latency target.', 'ratio'),
  operatorActions: counter('sluice_operator_actions_total',
    'What operators did: to the uplink, and to images they sent again, put first or deleted.', 'count',
    { action: ['pause', 'resume', 'set_limit', 'retry', 'prioritize', 'purge'] })
}

const mqtt = {
  connections: gauge('sluice_mqtt_connections', 'MQTT clients connected now.', 'count'),
  connects: counter('sluice_mqtt_connects_total', 'CONNECT packets, by outcome.', 'count', {
    result: [
      'accepted', 'bad_credentials', 'not_authorized', 'unsupported_protocol', 'bad_client_id', 'over_limit', 'timeout'
    ]
  }),
  disconnects: counter('sluice_mqtt_disconnects_total', 'Connections ended, by reason.', 'count', {
    reason: ['client', 'keepalive', 'socket_error', 'takeover', 'refused', 'slow_consumer', 'operator', 'expired', 'shutdown']
  }),
  mqttReceivedBytes: counter('sluice_mqtt_received_bytes_total', 'Bytes read from MQTT sockets.', 'bytes'),
  mqttSentBytes: counter('sluice_mqtt_sent_bytes_total', 'Bytes written to MQTT sockets.', 'bytes'),
  publishesReceived: counter('sluice_mqtt_publishes_received_total', 'PUBLISH packets received, by QoS.', 'count',
    { qos: ['0', '1', '2'] }),
  publishesRefused: counter('sluice_mqtt_publishes_refused_total',
    'PUBLISH packets the broker refused before they were an image: too long (the connection is cut), or a topic of ours that is none.',
    'count', { reason: ['packet_too_large', 'bad_topic', 'not_authorized', 'no_room'] }),
  subscriptionsRefused: counter('sluice_mqtt_subscriptions_refused_total',
    'Filters of SUBSCRIBE packets that were answered 128, by reason.', 'count',
    { reason: ['not_authorized', 'bad_filter', 'too_many'] }),
  subscriptions: gauge('sluice_mqtt_subscriptions', 'Subscriptions of the clients connected now.', 'count'),
  retained: gauge('sluice_mqtt_retained_messages', 'Retained messages of clients; never an image.', 'count'),
  messagesDropped: counter('sluice_mqtt_messages_dropped_total',
    'Messages between clients that a full session did not get; never an image.', 'count'),
  limitsReached: counter('sluice_mqtt_limits_reached_total',
    'Times a client met a limit of the listener, by limit: it was cut, refused or held back.', 'count', { limit: LIMIT_NAMES }),
  pubackDelay: histogram('sluice_mqtt_puback_delay_seconds',
    'From the complete PUBLISH to its PUBACK (QoS 1) or PUBREC (QoS 2).', 'seconds',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
  pubacksPending: gauge('sluice_mqtt_pubacks_pending', 'Images received and not yet acknowledged.', 'count'),
  devices: gauge('sluice_devices',
    'Devices that sent an image within a day, by state; silent: connected, and no image for twice the usual time.',
    'count', { state: ['online', 'offline', 'silent'] }),
  notesSent: counter('sluice_acks_sent_total', 'Notes sent to devices on their acks topics, by status.', 'count',
    { status: ['uploaded', 'failed', 'refused', 'duplicate', 'paused', 'resumed'] }),
  budgetHeld: gauge('sluice_memory_budget_held_bytes', 'Payload bytes being read or not yet durable.', 'bytes'),
  budgetLimit: gauge('sluice_memory_budget_limit_bytes', 'mqtt.memoryBudget: the most payload bytes held at once.', 'bytes'),
  budgetWaiting: gauge('sluice_memory_budget_waiting', 'Payloads that wait in their sockets for room in the budget.', 'count')
}

const ingest = {
  ingestMessages: counter('sluice_ingest_messages_total', 'Images that came in, by format and outcome.', 'count',
    { format: FORMATS, result: ['accepted', 'duplicate', 'refused'] }),
  ingestRefused: counter('sluice_ingest_refused_total', 'Images refused for good, by reason.', 'count', {
    reason: [
      'too_large', 'empty', 'bad_json', 'missing_image', 'bad_base64', 'not_an_image',
      'checksum_mismatch', 'bad_topic', 'bad_id', 'id_mismatch', 'id_conflict', 'bad_meta'
    ]
  }),
  ingestWithheld: counter('sluice_ingest_withheld_total',
    'Images not taken for now, their PUBACK withheld so that the device sends them again, by reason.', 'count',
    { reason: PAUSE_REASONS }),
  ingestBytes: counter('sluice_ingest_bytes_total', 'Image bytes accepted, decoded, by format.', 'bytes', { format: FORMATS }),
  ingestImageBytes: histogram('sluice_ingest_image_bytes', 'Size of accepted images.', 'bytes',
    [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192].map((kib) => kib * KIB)),
  ingestPaused: gauge('sluice_ingest_paused', '1 while images are not acknowledged for this reason.', 'flag',
    { reason: PAUSE_REASONS })
}

const spool = {
  spoolMessages: gauge('sluice_spool_messages', 'Images on disk, by state; each is in exactly one.', 'count',
    { state: HELD_STATES }),
  spoolBytes: gauge('sluice_spool_bytes', 'Image bytes on disk, by state.', 'bytes', { state: HELD_STATES }),
  spoolLimit: gauge('sluice_spool_limit_bytes', 'spool.limit: the most bytes the spool may use on its volume.', 'bytes'),
  spoolOldest: gauge('sluice_spool_oldest_message_timestamp_seconds',
    'Acceptance of the oldest image that is not in the store and not failed; 0 when there is none.', 'timestamp'),
  laneWaiting: gauge('sluice_lane_waiting_messages',
    'Images on disk on their way to the store, by lane; prioritized are those an operator put first.', 'count',
    { lane: QUEUES }),
  laneOldest: gauge('sluice_lane_oldest_message_timestamp_seconds',
    'Acceptance of the oldest image that waits in a lane; 0 when there is none.', 'timestamp', { lane: QUEUES }),
  spoolWriteDuration: histogram('sluice_spool_write_duration_seconds', 'One batch written and synced.', 'seconds',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]),
  spoolBatch: histogram('sluice_spool_write_batch_messages', 'Images in one synced batch.', 'count',
    [1, 2, 4, 8, 16, 32, 64]),
  spoolReadDuration: histogram('sluice_spool_read_duration_seconds', 'Reading one image back.', 'seconds',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]),
  spoolErrors: counter('sluice_spool_errors_total', 'Storage errors, by operation.', 'count',
    { op: ['open', 'write', 'read', 'delete', 'index'] }),
  spoolRecovered: counter('sluice_spool_recovered_messages_total', 'Images found waiting on disk at start.', 'count'),
  spoolDiskUsed: gauge('sluice_spool_disk_used_bytes', 'Real size of the spool on its volume.', 'bytes'),
  spoolDiskFree: gauge('sluice_spool_disk_free_bytes', 'Free on the volume of the spool.', 'bytes'),
  spoolDiskSize: gauge('sluice_spool_disk_size_bytes', 'Size of the volume of the spool.', 'bytes')
}

const upload = {
  uploadAttempts: counter('sluice_upload_attempts_total', 'Puts, by outcome.', 'count',
    { result: ['success', 'retryable', 'permanent', 'aborted'] }),
  uploadErrors: counter('sluice_upload_errors_total', 'Puts that failed, by cause.', 'count', {
    reason: [
      'timeout', 'dns', 'connect', 'reset', 'tls', 'throttled', 'server_error', 'auth', 'no_bucket', 'checksum',
      'client_error'
    ]
  }),
  uploadMessages: counter('sluice_upload_messages_total', 'Images by final outcome.', 'count',
    { result: ['uploaded', 'failed'] }),
  uploadBytes: counter('sluice_upload_bytes_total', 'Image bytes confirmed by the store.', 'bytes'),
  uploadSentBytes: counter('sluice_upload_sent_bytes_total',
    'Bytes sent to the store, failed attempts included; what exceeds the confirmed bytes is waste.', 'bytes'),
  uploadDuration: histogram('sluice_upload_duration_seconds', 'One put, whatever its outcome.', 'seconds',
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]),
  uploadQueueWait: histogram('sluice_upload_queue_wait_seconds', 'From acceptance to the first put.', 'seconds', WAIT_BUCKETS),
  uploadInFlight: gauge('sluice_upload_inflight', 'Puts started whose outcome is not known yet.', 'count'),
  uploadConcurrency: gauge('sluice_upload_concurrency_limit', 'uplink.concurrency: the most puts at once.', 'count'),
  uploadAllowance: gauge('sluice_upload_rate_limit_bytes_per_second',
    'Allowance in force now: bytes a second that may go to the store; 0 while none may begin, and where nothing limits.',
    'bytes_per_second'),
  uploadThrottled: counter('sluice_upload_throttled_seconds_total',
    'Time in which an image was ready to go and the allowance held it back.', 'seconds'),
  uploadPaused: gauge('sluice_upload_paused', '1 while nothing is uploaded for this reason.', 'flag',
    { reason: ['operator', 'schedule', 'circuit_open'] }),
  uploadLastSuccess: gauge('sluice_upload_last_success_timestamp_seconds',
    'Last image confirmed by the store; 0 when there was none since the start.', 'timestamp'),
  localStoreErrors: counter('sluice_local_store_errors_total',
    'Faults of the embedded store itself, such as a full disk; 0 where another store is used.', 'count')
}

const endToEnd = {
  e2eLatency: histogram('sluice_e2e_latency_seconds',
    'From acceptance to confirmed by the store; finished images only.', 'seconds', WAIT_BUCKETS),
  sloMessages: counter('sluice_slo_messages_total',
    'Images judged against the latency target, each once and at its deadline, wherever it is by then.', 'count',
    { verdict: ['good', 'late', 'failed'] }),
  sloLate: counter('sluice_slo_late_messages_total',
    'Late images, by what kept them at their deadline: the store away, uploads paused, Sluice not running, or the line too thin.',
    'count', { cause: ['store_away', 'paused', 'stopped', 'line'] }),
  ledger: gauge('sluice_ledger_images',
    'The ledger: acknowledged = uploaded + waiting + failed + dropped, exactly, across restarts.', 'count',
    { state: ['acknowledged', 'uploaded', 'waiting', 'failed', 'dropped'] })
}

const http = {
  httpRequests: counter('sluice_http_requests_total', 'HTTP requests, by route and class of status.', 'count', {
    route: [
      '/', '/login', '/list', '/livez', '/readyz', '/metrics', '/api/v1/status', '/api/v1/images', '/api/v1/images/retry',
      '/api/v1/images/{id}', '/api/v1/images/{id}/content', '/api/v1/images/{id}/retry',
      '/api/v1/images/{id}/prioritize', '/api/v1/uplink',
      '/api/v1/uplink/limits', '/api/v1/uplink/pause', '/api/v1/uplink/resume', '/api/v1/slo', 'other'
    ],
    code: ['2xx', '3xx', '4xx', '5xx']
  }),
  httpRefused: counter('sluice_http_refused_total',
    'HTTP requests of somebody who may not ask for that, by what was answered.', 'count',
    { code: ['not_authorized', 'forbidden', 'crowded'] }),
  httpLimitsReached: counter('sluice_http_limits_reached_total', 'Times an HTTP caller met a limit, by limit.', 'count',
    { limit: HTTP_LIMIT_NAMES }),
  httpDuration: histogram('sluice_http_request_duration_seconds', 'From a request to the end of its answer.', 'seconds',
    [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10])
}

/** The families as a page of the documentation shows them. */
export const chapters = {
  'Build, configuration, operators': build,
  'MQTT, devices': mqtt,
  Intake: ingest,
  Spool: spool,
  Uplink: upload,
  'End to end, target': endToEnd,
  HTTP: http
}

export const catalogue = { ...build, ...mqtt, ...ingest, ...spool, ...upload, ...endToEnd, ...http }
export type Catalogue = typeof catalogue

/** What prom-client adds of its own accord, as far as the dashboards look at it. */
export const runtimeCatalogue = {
  cpu: counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', 'seconds'),
  startTime: gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', 'timestamp'),
  residentMemory: gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', 'bytes'),
  openFds: gauge('process_open_fds', 'Number of open file descriptors.', 'count'),
  maxFds: gauge('process_max_fds', 'Maximum number of open file descriptors.', 'count'),
  heapUsed: gauge('nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', 'bytes'),
  externalMemory: gauge('nodejs_external_memory_bytes', 'Node.js external memory size in bytes.', 'bytes'),
  gcDuration: histogram('nodejs_gc_duration_seconds',
    'Garbage collection duration by kind, one of major, minor, incremental or weakcb.', 'seconds', [0.001, 0.01, 0.1, 1, 2, 5]),
  eventLoopLag: gauge('nodejs_eventloop_lag_p99_seconds', 'The 99th percentile of the recorded event loop delays.', 'seconds')
}
export type RuntimeCatalogue = typeof runtimeCatalogue
