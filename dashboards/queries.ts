// PromQL, made from the catalogue: a metric, a label or a value that Sluice does not expose does not
// compile, and a counter cannot be drawn but as a rate or an increase.

import { catalogue, runtimeCatalogue, type KeysOf, type LabelsOf } from '../bridge/metric-catalogue.ts'

const known = { ...catalogue, ...runtimeCatalogue }
type Known = typeof known
type Key = keyof Known
type CounterKey = KeysOf<Known, 'counter'>
type GaugeKey = KeysOf<Known, 'gauge'>
type HistogramKey = KeysOf<Known, 'histogram'>
type LabelOf<K extends Key> = keyof Known[K]['labels'] & string

/** Some of the series of a metric: those where a label has a value, or has `not` a value. */
export type Match<K extends Key> = {
  readonly [Label in LabelOf<K>]?: LabelsOf<Known[K]>[Label] | { readonly not: LabelsOf<Known[K]>[Label] }
}

/** What every query is bound to, by the variables of the dashboard. */
const SCOPE = 'job=~"$job",instance=~"$instance"'

function select (name: string, match: object): string {
  const labels: Array<[string, string | { readonly not: string }]> = Object.entries(match)
  const matchers = labels.map(([label, value]) =>
    typeof value === 'string' ? `${label}="${value}"` : `${label}!="${value.not}"`)
  return `${name}{${[SCOPE, ...matchers].join(',')}}`
}

/** A gauge, summed over its labels and over all instances. */
export function level<K extends GaugeKey> (key: K, match: Match<K> = {}): string {
  return `sum(${select(known[key].name, match)})`
}

export function levelBy<K extends GaugeKey> (key: K, label: LabelOf<K>, match: Match<K> = {}): string {
  return `sum by (${label}) (${select(known[key].name, match)})`
}

/** The largest over all instances: of a flag, whether it is set anywhere; of a target, the one. */
export function highest<K extends GaugeKey> (key: K, match: Match<K> = {}): string {
  return `max(${select(known[key].name, match)})`
}

export function highestBy<K extends GaugeKey> (key: K, label: LabelOf<K>, match: Match<K> = {}): string {
  return `max by (${label}) (${select(known[key].name, match)})`
}

/** Seconds since a timestamp, the longest over all instances; 0 where there is none. */
export function age (key: GaugeKey): string {
  const at = select(known[key].name, {})
  return `max((time() - ${at}) * (${at} > bool 0))`
}

/** The same, apart by a label. */
export function ageBy<K extends GaugeKey> (key: K, label: LabelOf<K>): string {
  const at = select(known[key].name, {})
  return `max by (${label}) ((time() - ${at}) * (${at} > bool 0))`
}

/** Per second, summed over its labels and over all instances. */
export function rate<K extends CounterKey> (key: K, match: Match<K> = {}): string {
  return `sum(rate(${select(known[key].name, match)}[$__rate_interval]))`
}

export function rateBy<K extends CounterKey> (key: K, label: LabelOf<K>, match: Match<K> = {}): string {
  return `sum by (${label}) (rate(${select(known[key].name, match)}[$__rate_interval]))`
}

/** Over the whole time the dashboard shows. */
export function totalBy<K extends CounterKey> (key: K, label: LabelOf<K>, match: Match<K> = {}): string {
  return `sum by (${label}) (increase(${select(known[key].name, match)}[$__range]))`
}

export function quantile (share: number, key: HistogramKey): string {
  return `histogram_quantile(${share}, ${buckets(key, 'rate')})`
}

export function mean (key: HistogramKey): string {
  const part = (suffix: string) => `sum(rate(${select(`${known[key].name}_${suffix}`, {})}[$__rate_interval]))`
  return `${part('sum')} / ${part('count')}`
}

/** Observations per bucket, for a heatmap. */
export function distribution (key: HistogramKey): string {
  return buckets(key, 'increase')
}

function buckets (key: HistogramKey, operation: 'rate' | 'increase'): string {
  return `sum by (le) (${operation}(${select(`${known[key].name}_bucket`, {})}[$__rate_interval]))`
}

/** When each instance was started, in the milliseconds that an annotation wants. */
export const startedAt = `1000 * ${select(known.startTime.name, {})}`
