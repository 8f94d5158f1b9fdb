import { catalogue, runtimeCatalogue } from '../../bridge/metric-catalogue.ts'
import type { Alert } from './alert.ts'
import { select, span, type RuleOptions } from './options.ts'

export function alerts (options: RuleOptions): Alert[] {
  return [...fleet(options), ...service(options)]
}

function fleet (options: RuleOptions): Alert[] {
  const { refusedRatio, connectedRatio, pubackSeconds } = options.thresholds
  const of = ({ name }: { readonly name: string }, ...matchers: readonly string[]) => select(options, name, ...matchers)
  const { ingestMessages, connections, pubackDelay } = catalogue
  const over = (minutes: number) => `[${span(options, minutes)}]`
  const came = (...matchers: readonly string[]) =>
    `sum without (format, result) (rate(${of(ingestMessages, ...matchers)}${over(10)}))`
  return [
    {
      name: 'SluiceMessagesRefused',
      severity: 'warning',
      expr: `${came('result="refused"')} / (${came()} > 0) > ${refusedRatio}`,
      minutes: 10,
      summary: 'Devices send what is refused.',
      description: '{{ $value | humanizePercentage }} of what comes in on {{ $labels.instance }} is refused, and lost to you.'
    },
    {
      name: 'SluiceMassDisconnect',
      severity: 'warning',
      expr: `${of(connections)} < ${connectedRatio} * max_over_time(${of(connections)}${over(60)})`,
      minutes: 5,
      summary: 'A large part of the fleet has disconnected.',
      description: 'Only {{ $value }} clients are connected to {{ $labels.instance }}.'
    },
    {
      name: 'SluicePubackSlow',
      severity: 'warning',
      expr: `histogram_quantile(0.99, rate(${select(options, `${pubackDelay.name}_bucket`)}${over(10)})) > ${pubackSeconds}`,
      minutes: 10,
      summary: 'Devices wait long for their PUBACK.',
      description: 'On {{ $labels.instance }} 1 of 100 images waits {{ $value | humanizeDuration }} or more for its PUBACK.'
    }
  ]
}

function service (options: RuleOptions): Alert[] {
  const { eventLoopSeconds, restarts } = options.thresholds
  const { eventLoopLag, startTime } = runtimeCatalogue
  const up = select(options, 'up')
  return [
    {
      name: 'SluiceEventLoopLagging',
      severity: 'warning',
      expr: `${select(options, eventLoopLag.name)} > ${eventLoopSeconds}`,
      minutes: 10,
      summary: 'The event loop is blocked.',
      description: 'On {{ $labels.instance }} 1 of 100 timers is {{ $value | humanizeDuration }} late, and every device feels it.'
    },
    {
      name: 'SluiceCrashLooping',
      severity: 'critical',
      expr: `changes(${select(options, startTime.name)}[${span(options, 30)}]) > ${restarts}`,
      summary: 'Sluice ends and starts again and again.',
      description: '{{ $labels.instance }} has started {{ $value }} times in half an hour.'
    },
    {
      name: 'SluiceDown',
      severity: 'critical',
      expr: `${up} == 0 or absent(${up})`,
      minutes: 2,
      summary: 'Prometheus cannot reach Sluice.',
      description: '{{ $labels.instance }} does not answer Prometheus; whether devices are served is not known.'
    }
  ]
}
