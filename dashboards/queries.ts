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

/** The smallest over all instances: of a flag, whether it is set everywhere. */
export function lowest<K extends GaugeKey> (key: K, match: Match<K> = {}): string {
  return `min(${select(known[key].name, match)})`
}

/** What was counted since the process began, also before it was scraped first, which an increase does not see. */
export function sinceStart<K extends CounterKey> (key: K, match: Match<K> = {}): string {
  return `sum(${select(known[key].name, match)})`
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
export function total<K extends CounterKey> (key: K, match: Match<K> = {}): string {
  return `sum(increase(${select(known[key].name, match)}[$__range]))`
}

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

/** Times that a question names itself; all others follow what the dashboard shows. */
export type Window = '1h' | '6h' | '1d' | '3d' | '30d'

/** Per second over a time the question names. */
export function rateOver<K extends CounterKey> (window: Window, key: K, match: Match<K> = {}): string {
  return `sum(rate(${select(known[key].name, match)}[${window}]))`
}

/** How often in a time the question names. */
export function totalOver<K extends CounterKey> (window: Window, key: K, match: Match<K> = {}): string {
  return `sum(increase(${select(known[key].name, match)}[${window}]))`
}

export function totalByOver<K extends CounterKey> (window: Window, key: K, label: LabelOf<K>): string {
  return `sum by (${label}) (increase(${select(known[key].name, {})}[${window}]))`
}

/** A gauge at the same time of the day before. */
export function levelYesterday<K extends GaugeKey> (key: K, match: Match<K> = {}): string {
  return `sum(${select(known[key].name, match)} offset 1d)`
}

/** Where a gauge will be in a day if it goes on as in the last six hours, not below 0. */
export function levelTomorrow<K extends GaugeKey> (key: K): string {
  return `clamp_min(sum(predict_linear(${select(known[key].name, {})}[6h], 86400)), 0)`
}

/** Share of the time in which a flag was set. */
export function shareOfTime<K extends GaugeKey> (key: K, label: LabelOf<K>): string {
  return `max by (${label}) (avg_over_time(${select(known[key].name, {})}[$__rate_interval]))`
}

/** Share of the observations that were at most so large; the bound is one of its buckets. */
export function shareWithin (key: HistogramKey, bound: number): string {
  const { name } = known[key]
  const [bounds, all] = [`${name}_bucket`, `${name}_count`]
  const inside = `${bounds}{${SCOPE},le="${bound}"}`
  return `sum(rate(${inside}[$__rate_interval])) / (sum(rate(${select(all, {})}[$__rate_interval])) > 0)`
}

/** Seconds a second that went into what a histogram of seconds observes. */
export function timeIn (key: HistogramKey): string {
  return `sum(rate(${select(`${known[key].name}_sum`, {})}[$__rate_interval]))`
}

/** How often a gauge took another value in the last hour. */
export function changesInHour (key: GaugeKey): string {
  return `sum(changes(${select(known[key].name, {})}[1h]))`
}

/** Each kind of what was counted just now, for an annotation. */
export function lately<K extends CounterKey> (key: K, label: LabelOf<K>): string {
  return `sum by (${label}) (increase(${select(known[key].name, {})}[$__rate_interval])) > 0`
}

/** Alerts of rules.yml that fire, 1 each. */
export const firing = 'ALERTS{alertname=~"Sluice.+",alertstate="firing",job=~"$job"}'

/** When each instance was started, in the milliseconds that an annotation wants. */
export const startedAt = `1000 * ${select(known.startTime.name, {})}`
