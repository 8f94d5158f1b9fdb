// docs/metrics.md, from the catalogue.

import { chapters, runtimeCatalogue, type MetricSpec } from '../bridge/metric-catalogue.ts'

const UNITS: { readonly [unit in MetricSpec['unit']]: string } = {
  count: 'count',
  seconds: 'seconds',
  bytes: 'bytes',
  bytes_per_second: 'bytes/s',
  ratio: '0 to 1',
  timestamp: 'seconds since 1970',
  flag: '0 or 1'
}

export const metricsPage = [
  '# Metrics',
  '',
  '`GET /metrics` answers in Prometheus\' text format. This page is made from the catalogue by `npm run docs`; ' +
  '`npm run check` fails where the two differ.',
  '',
  '- No label carries a device, a topic, a key or a client id: an instance has at most 500 series, however many devices there are.',
  '- Every value of every label is there at 0 from the start, so that `rate()` sees the first event.',
  '- Counters and histograms count what happens; gauges are read from their owner in the moment of the scrape.',
  '- Counters begin at 0 with each start. What must last longer stands in the [report of a month](slo.md).',
  ...Object.entries(chapters).flatMap(([title, families]) => chapter(title, Object.values(families))),
  ...chapter('Of the process, by prom-client', Object.values(runtimeCatalogue)),
  '',
  'prom-client exposes a few more of its own (`process_*`, `nodejs_*`) without a prefix.',
  ''
].join('\n')

function chapter (title: string, families: readonly MetricSpec[]): string[] {
  return [
    '', `## ${title}`, '', '| metric | type | unit | labels | meaning |', '|---|---|---|---|---|', ...families.map(row)
  ]
}

function row (spec: MetricSpec): string {
  const labels = Object.entries(spec.labels).map(([label, values]) =>
    `${label}${values.length === 0 ? '' : ` = ${values.map((value) => `\`${value}\``).join(', ')}`}`)
  const buckets = spec.type === 'histogram' ? ` Buckets up to ${spec.buckets.join(', ')}.` : ''
  return `| \`${spec.name}\` | ${spec.type} | ${UNITS[spec.unit]} | ${labels.join('; ')} | ${spec.help}${buckets} |`
}
