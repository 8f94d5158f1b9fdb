import { catalogue, runtimeCatalogue, type MetricSpec } from '../../bridge/metric-catalogue.ts'

const specs = new Map<string, MetricSpec>(
  [...Object.values(catalogue), ...Object.values(runtimeCatalogue)].map((spec) => [spec.name, spec]))

const VARIABLES = ['job', 'instance']
/** Made by label_replace, or by Prometheus for the buckets of a histogram and for alerts. */
const MADE = ['le', 'until', 'kind', 'alertname', 'severity', 'instance']
/** Those that follow what is shown, and those that a question names itself (dashboards/queries.ts). */
const TIMES = ['$__rate_interval', '$__range', '1h', '6h', '1d', '3d', '30d'].map((time) => `[${time}]`)

/** Everything wrong with a query, as sentences; what PromQL's own parser would say is left to Prometheus. */
export function problemsOf (expr: string): string[] {
  return [...metricProblems(expr), ...groupingProblems(expr)]
}

/** Before the first scrape, and never again: an increase does not see it. */
const COUNTED_AT_START = 'sluice_spool_recovered_messages_total'

function metricProblems (expr: string): string[] {
  return [...expr.matchAll(/(\w+\()?\b((?:sluice|process|nodejs)_\w+)(\{[^}]*\})?(\[[^\]]*\])?/g)].flatMap((found) => {
    const [, call = '', name = '', selector = '', range = ''] = found
    const spec = specs.get(name) ?? specs.get(name.replace(/_(bucket|sum|count)$/, ''))
    if (spec === undefined) return [`${name} is not in the catalogue`]
    const isCounting = spec.type !== 'gauge' && name !== COUNTED_AT_START
    const isRated = ['rate(', 'increase('].includes(call) && range !== ''
    return [
      ...(isCounting && !isRated ? [`${name} counts, and is not inside rate or increase`] : []),
      ...(!isCounting && isRated ? [`${name} is a gauge, and is inside ${call})`] : []),
      ...(spec.type === 'histogram' && !/_(bucket|sum|count)$/.test(name) ? [`${name} is a histogram`] : []),
      ...(range !== '' && !TIMES.includes(range) ? [`${range} is a fixed time`] : []),
      ...VARIABLES.filter((variable) => !selector.includes(`${variable}=~"$${variable}"`))
        .map((variable) => `${name} does not heed $${variable}`),
      ...labelProblems(spec, selector)
    ]
  })
}

function labelProblems ({ name, labels }: MetricSpec, selector: string): string[] {
  return [...selector.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)]
    .filter(([, label = '']) => !VARIABLES.includes(label) && label !== 'le')
    .filter(([, label = '', , value = '']) => labels[label]?.includes(value) !== true)
    .map(([matcher]) => `${name} has no series with ${matcher}`)
}

function groupingProblems (expr: string): string[] {
  const named = [...expr.matchAll(/\b(?:sluice|process|nodejs)_\w+/g)].map(([name]) => specs.get(name.replace(/_bucket$/, '')))
  return [...expr.matchAll(/by \(([\w, ]+)\)/g)]
    .flatMap(([, labels = '']) => labels.split(', '))
    .filter((label) => !MADE.includes(label) && !named.some((spec) => spec?.labels[label] !== undefined))
    .map((label) => `no metric in it has the label ${label}`)
}
