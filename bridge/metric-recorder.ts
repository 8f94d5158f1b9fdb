import type { Catalogue, KeysOf, LabelsOf } from './metric-catalogue.ts'

export type CounterKey = KeysOf<Catalogue, 'counter'>
export type GaugeKey = KeysOf<Catalogue, 'gauge'>
export type HistogramKey = KeysOf<Catalogue, 'histogram'>

/** The labels of a metric as a last argument, which one without labels does not have. */
export type LabelsArgument<Key extends keyof Catalogue> =
  keyof Catalogue[Key]['labels'] extends never ? [] : [labels: LabelsOf<Catalogue[Key]>]

/**
 * Where measurements go. Nothing here throws: a value that is no finite number, or an amount below 0,
 * is left out, because it comes from an event and must not stop what it tells of.
 */
export interface Recorder {
  /** Counts what an event says. */
  add<Key extends CounterKey> (key: Key, amount: number, ...labels: LabelsArgument<Key>): void
  observe (key: HistogramKey, value: number): void
  /** A level, as its owner says at scrape time. */
  set<Key extends GaugeKey> (key: Key, value: number, ...labels: LabelsArgument<Key>): void
  /** A count that its owner keeps, as it stands at scrape time. */
  setTotal<Key extends CounterKey> (key: Key, total: number, ...labels: LabelsArgument<Key>): void
}
