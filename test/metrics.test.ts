import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import type { BridgeEvent } from '../bridge/events.ts'
import { catalogue, runtimeCatalogue, type MetricSpec } from '../bridge/metric-catalogue.ts'
import type { MetricLevels } from '../bridge/metric-levels.ts'
import { createMetrics, type Metrics } from '../bridge/metrics.ts'
import { brokerLevelsWith, deviceId, entryWith, imageId, levelsWith, parseExposition, upload } from './helpers/exposition.ts'

const specs: MetricSpec[] = Object.values(catalogue)
const entry = entryWith()
const image = { deviceId: deviceId('cam-1'), imageId: imageId('a1'), format: 'json' } as const
const limit = { bytesPerSecond: 5e6, source: 'override', paused: undefined, reason: undefined, until: undefined } as const

function metricsWith (levels: Partial<MetricLevels> = {}): Metrics {
  return createMetrics(levelsWith(levels), {
    version: '1.2.3', configHash: 'abc123', slo: { targetMs: 10_000, objective: 0.99 }
  })
}

async function scrape (metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  return parseExposition(await metrics.text()).series
}

/** What one event changes, levels and the process left out. */
async function changes (event: BridgeEvent): Promise<Record<string, number>> {
  const metrics = metricsWith()
  const before = await scrape(metrics)
  metrics.observe(event)
  const after = await scrape(metrics)
  return Object.fromEntries([...after]
    .map(([series, value]) => [series, value - (before.get(series) ?? NaN)] as const)
    .filter(([series, difference]) => series.startsWith('sluice_') && difference !== 0)
    .filter(([series]) => !series.includes('_bucket') && !series.includes('_timestamp_')))
}

test('every metric of the catalogue is there from the start, each label value at 0', async () => {
  const { series, types } = parseExposition(await metricsWith().text())
  for (const { name, type, labels } of specs) {
    assert.equal(types.get(name), type, name)
    const values = Object.values(labels)
    const expected = values.reduce((product, { length }) => product * (length === 0 ? 1 : length), 1)
    const present = [...series.keys()].filter((key) => key === name || key.startsWith(`${name}{`))
    assert.equal(present.length, type === 'histogram' ? 0 : expected, name)
  }
  assert.equal(series.get('sluice_ingest_refused_total{reason="id_conflict"}'), 0)
  assert.equal(series.get('sluice_e2e_latency_seconds_count'), 0)
  assert.equal(series.get('sluice_e2e_latency_seconds_bucket{le="10"}'), 0)
})

test('what the dashboards read of the process is there', async () => {
  const { types } = parseExposition(await metricsWith().text())
  for (const { name, type } of Object.values(runtimeCatalogue)) assert.equal(types.get(name), type, name)
})

test('names, units and help texts keep the conventions of Prometheus', () => {
  const suffixes: Partial<Record<MetricSpec['unit'], string>> = {
    seconds: '_seconds', bytes: '_bytes', bytes_per_second: '_bytes_per_second', ratio: '_ratio', timestamp: '_timestamp_seconds'
  }
  for (const { name, type, unit, help } of specs) {
    assert.match(name, /^sluice_[a-z0-9_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.ok(name.replace(/_total$/, '').endsWith(suffixes[unit] ?? ''), `${name} is in ${unit}`)
    assert.match(help, /^[a-zA-Z0-9].*\.$/, name)
  }
  assert.equal(new Set(specs.map(({ name }) => name)).size, specs.length)
})

const promtool = spawnSync('promtool', ['--version']).status === 0

test('promtool finds nothing wrong with what is exposed', { skip: promtool ? false : 'promtool is not installed' }, async () => {
  const input = await metricsWith().text()
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
  assert.equal(`${stdout}${stderr}`, '')
})

test('at most 500 series, however many devices and images there are', async () => {
  const metrics = metricsWith()
  for (let n = 0; n < 5000; n++) {
    const from = { deviceId: deviceId(`cam-${n}`), imageId: imageId(`i-${n}`) }
    metrics.observe({ kind: 'image-taken', entry: entryWith({ ...from, sequence: n }), format: 'raw', seconds: 0.01 })
    metrics.observe({ kind: 'image-refused', ...from, format: 'raw', reason: 'empty', detail: `${n}` })
    metrics.observe({ kind: 'http-request', route: `/photos/${n}.jpg`, code: 404, seconds: 0.001 })
  }
  await new Promise((resolve) => setImmediate(resolve)) // the garbage collector's series come by a callback
  const series = [...(await scrape(metrics)).keys()]
  assert.ok(series.length <= 500, `${series.length} series`)
  assert.deepEqual(series.filter((key) => /cam-|i-\d|\.jpg/.test(key)), [])
})

test('levels are read from their owner at every scrape', async () => {
  let connections = 1
  let sentBytes = 100
  const site = levelsWith()
  const metrics = metricsWith({
    broker: () => brokerLevelsWith({ connections, receivedBytes: 7 }),
    uplink: () => ({ ...site.uplink(), sentBytes })
  })
  await metrics.text()
  connections = 5
  sentBytes = 250
  const series = await scrape(metrics)
  assert.equal(series.get('sluice_mqtt_connections'), 5)
  assert.equal(series.get('sluice_upload_sent_bytes_total'), 250)
  assert.equal(series.get('sluice_mqtt_received_bytes_total'), 7)
})

test('the ledger, the spool and the reason of a pause are shown as their owners have them', async () => {
  const site = levelsWith()
  const series = await scrape(metricsWith({
    spool: () => ({ ...site.spool(), oldestReceivedAt: undefined, paused: 'disk_low' })
  }))
  assert.equal(series.get('sluice_ledger_images{state="acknowledged"}'), 20_000)
  assert.equal(series.get('sluice_ledger_images{state="waiting"}'), 1214)
  assert.equal(series.get('sluice_spool_messages{state="retrying"}'), 6)
  assert.equal(series.get('sluice_ingest_paused{reason="disk_low"}'), 1)
  assert.equal(series.get('sluice_ingest_paused{reason="spool_full"}'), 0)
  assert.equal(series.get('sluice_spool_oldest_message_timestamp_seconds'), 0)
  assert.equal(series.get('sluice_acks_sent_total{status="duplicate"}'), 9)
  assert.equal(series.get('sluice_slo_latency_target_seconds'), 10)
})

test('an image that comes in is counted with its bytes and its format', async () => {
  assert.deepEqual(await changes({ kind: 'image-taken', entry, format: 'json', seconds: 0.01 }), {
    'sluice_ingest_messages_total{format="json",result="accepted"}': 1,
    'sluice_ingest_bytes_total{format="json"}': 250_000,
    sluice_ingest_image_bytes_sum: 250_000,
    sluice_ingest_image_bytes_count: 1
  })
})

test('a refused image is counted once, with its reason', async () => {
  assert.deepEqual(await changes({ kind: 'image-refused', ...image, reason: 'not_an_image', detail: '' }), {
    'sluice_ingest_messages_total{format="json",result="refused"}': 1,
    'sluice_ingest_refused_total{reason="not_an_image"}': 1
  })
})

test('an uploaded image is counted with its bytes and with the time since its acceptance', async () => {
  assert.deepEqual(await changes({ kind: 'entry-uploaded', entry, upload, seconds: 4 }), {
    'sluice_upload_messages_total{result="uploaded"}': 1,
    sluice_upload_bytes_total: 250_000,
    sluice_e2e_latency_seconds_sum: 4,
    sluice_e2e_latency_seconds_count: 1
  })
})

test('a put that failed is an attempt with a cause, and one cut short by a stop is no error', async () => {
  const ended = { kind: 'put-ended', entry, seconds: 2, detail: '' } as const
  const duration = { sluice_upload_duration_seconds_sum: 2, sluice_upload_duration_seconds_count: 1 }
  assert.deepEqual(await changes({ ...ended, outcome: 'timeout' }), {
    'sluice_upload_attempts_total{result="retryable"}': 1, 'sluice_upload_errors_total{reason="timeout"}': 1, ...duration
  })
  assert.deepEqual(await changes({ ...ended, outcome: 'refused' }), {
    'sluice_upload_attempts_total{result="permanent"}': 1, 'sluice_upload_errors_total{reason="client_error"}': 1, ...duration
  })
  assert.deepEqual(await changes({ ...ended, outcome: 'stored' }), {
    'sluice_upload_attempts_total{result="success"}': 1, ...duration
  })
  assert.deepEqual(await changes({ ...ended, outcome: 'aborted' }), {
    'sluice_upload_attempts_total{result="aborted"}': 1, ...duration
  })
})

test('waiting for the first put is measured once an image, not at every retry', async () => {
  const started = { kind: 'put-started', entry, waitedSeconds: 3 } as const
  assert.deepEqual(await changes({ ...started, attempt: 1 }), {
    sluice_upload_queue_wait_seconds_sum: 3, sluice_upload_queue_wait_seconds_count: 1
  })
  assert.deepEqual(await changes({ ...started, attempt: 2 }), {})
})

test('each of the other events moves the one metric that is made for it', async () => {
  const cases: Array<[BridgeEvent, string]> = [
    [{ kind: 'client-connected', clientId: 'c' }, 'sluice_mqtt_connects_total{result="accepted"}'],
    [{ kind: 'connect-refused', result: 'unsupported_protocol', remote: '', detail: '' },
      'sluice_mqtt_connects_total{result="unsupported_protocol"}'],
    [{ kind: 'client-disconnected', clientId: 'c', reason: 'keepalive' },
      'sluice_mqtt_disconnects_total{reason="keepalive"}'],
    [{ kind: 'publish-received', qos: 1 }, 'sluice_mqtt_publishes_received_total{qos="1"}'],
    [{ kind: 'packet-too-large', packet: 'PUBLISH', remote: '', clientId: undefined, declaredBytes: 1e8, bytesMax: 8e6 },
      'sluice_mqtt_publishes_refused_total{reason="packet_too_large"}'],
    [{ kind: 'topic-refused', clientId: 'c', topic: 't', reason: 'bad_topic', detail: '' },
      'sluice_mqtt_publishes_refused_total{reason="bad_topic"}'],
    [{ kind: 'subscription-refused', clientId: 'c', filter: 'f', reason: 'not_authorized', detail: '' },
      'sluice_mqtt_subscriptions_refused_total{reason="not_authorized"}'],
    [{ kind: 'image-duplicate', ...image }, 'sluice_ingest_messages_total{format="json",result="duplicate"}'],
    [{ kind: 'image-withheld', ...image, reason: 'spool_full', detail: '' },
      'sluice_ingest_withheld_total{reason="spool_full"}'],
    [{ kind: 'spool-fault', operation: 'write', cause: new Error() }, 'sluice_spool_errors_total{op="write"}'],
    [{ kind: 'spool-recovered', waiting: 1, found: 0, seconds: 1 }, 'sluice_spool_recovered_messages_total'],
    [{ kind: 'entry-failed', entry, failure: { failedAt: 0, reason: 'r', detail: '', attempts: 1 } },
      'sluice_upload_messages_total{result="failed"}'],
    [{ kind: 'entry-retried', entry }, 'sluice_operator_actions_total{action="retry"}'],
    [{ kind: 'entry-prioritized', entry }, 'sluice_operator_actions_total{action="prioritize"}'],
    [{ kind: 'entry-dropped', entry }, 'sluice_operator_actions_total{action="purge"}'],
    [{ kind: 'limit-changed', action: 'set_limit', ...limit }, 'sluice_operator_actions_total{action="set_limit"}'],
    [{ kind: 'store-fault', cause: new Error() }, 'sluice_local_store_errors_total']
  ]
  for (const [event, series] of cases) assert.deepEqual(await changes(event), { [series]: 1 }, event.kind)
})

test('a limit that the timetable changes is no action of an operator, and a pause is shown with who keeps it', async () => {
  assert.deepEqual(await changes({ kind: 'limit-changed', action: undefined, ...limit }), {})
  const site = levelsWith()
  const series = await scrape(metricsWith({ uplink: () => ({ ...site.uplink(), paused: 'schedule', bytesPerSecond: 0 }) }))
  const paused = ['operator', 'schedule', 'circuit_open'].map((reason) => series.get(`sluice_upload_paused{reason="${reason}"}`))
  assert.deepEqual(paused, [0, 1, 0])
  assert.equal(series.get('sluice_upload_rate_limit_bytes_per_second'), 0)
})

test('an HTTP request is counted by its route, and by "other" where it is no route of ours', async () => {
  const request = { kind: 'http-request', code: 404, seconds: 0.5 } as const
  const duration = { sluice_http_request_duration_seconds_sum: 0.5, sluice_http_request_duration_seconds_count: 1 }
  assert.deepEqual(await changes({ ...request, route: '/api/v1/images/{id}' }), {
    'sluice_http_requests_total{route="/api/v1/images/{id}",code="4xx"}': 1, ...duration
  })
  assert.deepEqual(await changes({ ...request, route: '/wp-login.php' }), {
    'sluice_http_requests_total{route="other",code="4xx"}': 1, ...duration
  })
})

test('a number that is none neither throws nor spoils a counter', async () => {
  const metrics = metricsWith()
  for (const value of [NaN, Infinity, -1]) {
    metrics.observe({ kind: 'image-taken', entry: entryWith({ bytes: value }), format: 'raw', seconds: value })
    metrics.observe({ kind: 'entry-uploaded', entry: entryWith({ bytes: value }), upload, seconds: value })
    metrics.observe({ kind: 'spool-recovered', waiting: value, found: value, seconds: value })
  }
  metrics.observe({ kind: 'entry-uploaded', entry, upload, seconds: 1 })
  const series = await scrape(metrics)
  assert.equal(series.get('sluice_upload_bytes_total'), 250_000)
  assert.equal(series.get('sluice_spool_recovered_messages_total'), 0)
  assert.equal(series.get('sluice_e2e_latency_seconds_sum'), 1)
})
