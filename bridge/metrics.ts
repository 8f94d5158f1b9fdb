// The one place that knows prom-client. Counters and histograms are fed by events as they happen,
// levels are read from their owners when somebody scrapes.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Observe } from './events.ts'
import { catalogue, type LabelValues, type MetricSpec } from './metric-catalogue.ts'
import { countEvent } from './metric-events.ts'
import { recordLevels, type MetricLevels } from './metric-levels.ts'
import type { CounterKey, GaugeKey, HistogramKey, Recorder } from './metric-recorder.ts'

export interface MetricsOptions {
  readonly version: string
  /** Of the source, where it is known. */
  readonly revision?: string
  /** Of the effective configuration. */
  readonly configHash: string
  readonly slo: { readonly targetMs: number, readonly objective: number }
}

export interface Metrics {
  readonly observe: Observe
  readonly contentType: string
  /** All of it in Prometheus' text format 0.0.4, with the levels of this moment. */
  text (): Promise<string>
}

export function createMetrics (levels: MetricLevels, options: MetricsOptions): Metrics {
  const registry = new Registry()
  const instruments = new Instruments(registry)
  recordBuild(instruments, options)
  collectRuntime(registry)
  return {
    observe: (event) => { countEvent(instruments, event) },
    contentType: registry.contentType,
    async text () {
      recordLevels(instruments, levels)
      return await registry.metrics()
    }
  }
}

function recordBuild (record: Recorder, { version, revision, configHash, slo }: MetricsOptions): void {
  record.set('buildInfo', 1, { version, revision: revision ?? '', node_version: process.version })
  record.set('configInfo', 1, { hash: configHash })
  record.set('configReload', 1) // or it would not have started
  record.set('sloTarget', slo.targetMs / 1000)
  record.set('sloObjective', slo.objective)
}

/** Walks over every open socket at each scrape to say what sluice_mqtt_connections says, and misuses `_total`. */
const COSTLY = ['nodejs_active_resources', 'nodejs_active_handles', 'nodejs_active_requests']
/** 27 series of V8's own spaces, which no panel asks for. */
const VERBOSE = ['total', 'used', 'available'].map((part) => `nodejs_heap_space_size_${part}_bytes`)

function collectRuntime (registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  for (const name of [...COSTLY, ...COSTLY.map((name) => `${name}_total`), ...VERBOSE]) {
    registry.removeSingleMetric(name)
  }
}

type Labels = Readonly<Record<string, string>>

class Instruments implements Recorder {
  // The labels are checked against the catalogue where Recorder is called, and are plain objects here.
  readonly #counters = new Map<string, { inc (labels: object, amount: number): void, remove (labels: object): void }>()
  readonly #gauges = new Map<string, { set (labels: object, value: number): void }>()
  readonly #histograms = new Map<string, Histogram>()

  constructor (registry: Registry) {
    for (const [key, spec] of Object.entries<MetricSpec>(catalogue)) this.#create(key, spec, registry)
  }

  add (key: CounterKey, amount: number, labels: object = {}): void {
    // prom-client throws on Infinity and below 0, and lets NaN make the counter NaN for ever.
    if (amount > 0 && amount < Infinity) this.#counters.get(key)?.inc(labels, amount)
  }

  observe (key: HistogramKey, value: number): void {
    // Below 0 where a clock was set back meanwhile; prom-client throws on what is not finite.
    if (Number.isFinite(value)) this.#histograms.get(key)?.observe(Math.max(0, value))
  }

  set (key: GaugeKey, value: number, labels: object = {}): void {
    this.#gauges.get(key)?.set(labels, value)
  }

  setTotal (key: CounterKey, total: number, labels: object = {}): void {
    if (!(total >= 0 && total < Infinity)) return
    const counter = this.#counters.get(key)
    counter?.remove(labels) // a prom-client counter cannot be set
    counter?.inc(labels, total)
  }

  #create (key: string, spec: MetricSpec, registry: Registry): void {
    const { name, help, labels } = spec
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] }
    switch (spec.type) {
      case 'counter': {
        const counter = new Counter(options)
        for (const series of combinations(labels)) counter.inc(series, 0)
        this.#counters.set(key, counter)
        return
      }
      case 'gauge': {
        const gauge = new Gauge(options)
        for (const series of combinations(labels)) gauge.set(series, 0)
        this.#gauges.set(key, gauge)
        return
      }
      case 'histogram':
        this.#histograms.set(key, new Histogram({ ...options, buckets: [...spec.buckets] }))
    }
  }
}

/** Every series of a metric: each label with each of its values. */
function combinations (labels: LabelValues): Labels[] {
  return Object.entries(labels).reduce<Labels[]>((series, [label, values]) =>
    series.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))), [{}])
}
