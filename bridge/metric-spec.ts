// What a metric is, as data. The catalogue is written with these, and from it come the instruments,
// the dashboard's queries and the tests, each typed: a label or a value that is not in the catalogue
// does not compile.

/** Every label of a metric with all the values it can have; ANY where the process brings its own. */
export type LabelValues = Readonly<Record<string, readonly string[]>>

/** For labels of `_info` metrics, whose one value is known only when the process runs. */
export const ANY: readonly string[] = []

/** `flag` is 0 or 1, `timestamp` is seconds since the epoch. */
export type Unit = 'count' | 'seconds' | 'bytes' | 'bytes_per_second' | 'ratio' | 'timestamp' | 'flag'

interface Spec<Type extends string, Labels extends LabelValues> {
  readonly type: Type
  readonly name: string
  readonly help: string
  readonly unit: Unit
  readonly labels: Labels
}

export type CounterSpec<Labels extends LabelValues = LabelValues> = Spec<'counter', Labels>
export type GaugeSpec<Labels extends LabelValues = LabelValues> = Spec<'gauge', Labels>
export interface HistogramSpec<Labels extends LabelValues = LabelValues> extends Spec<'histogram', Labels> {
  /** Upper bounds, rising; +Inf is added by itself. */
  readonly buckets: readonly number[]
}
export type MetricSpec = CounterSpec | GaugeSpec | HistogramSpec

type NoLabels = Readonly<Record<never, readonly string[]>>

export function counter<const Labels extends LabelValues = NoLabels> (
  name: string, help: string, unit: Unit, labels?: Labels
): CounterSpec<Labels> {
  return { type: 'counter', name, help, unit, labels: labels ?? {} as Labels }
}

export function gauge<const Labels extends LabelValues = NoLabels> (
  name: string, help: string, unit: Unit, labels?: Labels
): GaugeSpec<Labels> {
  return { type: 'gauge', name, help, unit, labels: labels ?? {} as Labels }
}

export function histogram (
  name: string, help: string, unit: Unit, buckets: readonly number[]
): HistogramSpec<NoLabels> {
  return { type: 'histogram', name, help, unit, labels: {}, buckets }
}

/** The labels of one series of a metric, each with a value the catalogue knows. */
export type LabelsOf<Metric extends MetricSpec> =
  { readonly [Label in keyof Metric['labels']]: Metric['labels'][Label][number] }

/** The keys of a catalogue whose metrics are of one type. */
export type KeysOf<Catalogue extends Readonly<Record<string, MetricSpec>>, Type extends MetricSpec['type']> =
  { [Key in keyof Catalogue]: Catalogue[Key]['type'] extends Type ? Key : never }[keyof Catalogue] & string
