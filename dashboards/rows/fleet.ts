import { timeseries, units, type Panel } from '../panels.ts'
import { level, levelBy, levelYesterday, rateBy } from '../queries.ts'

export const fleet: readonly Panel[] = [
  timeseries({
    title: 'How many are connected?',
    shows: 'And in grey, at the same time of the day before.',
    good: 'one line over the other.',
    ifNot: 'a step down is a network or a power supply at the site; a saw is a network that breaks again and again.',
    unit: units.count,
    width: 12,
    queries: [
      { expr: level('connections'), legend: 'connected' },
      { expr: levelYesterday('connections'), legend: 'a day before', look: 'faint' }
    ]
  }),
  timeseries({
    title: 'In which state are the devices?',
    shows: 'Those that sent an image within a day. Silent: connected, and no image for twice their usual time.',
    good: 'all online.',
    ifNot: 'offline: power or network. silent: the camera behind the device, or images that are refused.',
    unit: units.count,
    width: 12,
    stacked: true,
    queries: [{ expr: levelBy('devices', 'state'), legend: '{{state}}' }]
  }),
  timeseries({
    title: 'Who connects, and who cannot?',
    shows: 'CONNECTs by outcome.',
    good: 'few, all accepted.',
    ifNot: 'unsupported_protocol: the device speaks MQTT 5, set it to 3.1.1. bad_credentials, not_authorized: auth.passwordFile. over_limit: mqtt.maxConnections. The log names them.',
    unit: units.perSecond,
    width: 12,
    stacked: true,
    queries: [{ expr: rateBy('connects', 'result'), legend: '{{result}}' }]
  }),
  timeseries({
    title: 'Who drops out?',
    shows: 'Connections that ended, by reason.',
    good: 'client alone: the device said good-bye.',
    ifNot: 'keepalive, socket_error: the network. takeover: two devices share an id. refused, slow_consumer: the log says which client and why.',
    unit: units.perSecond,
    width: 12,
    stacked: true,
    queries: [{ expr: rateBy('disconnects', 'reason'), legend: '{{reason}}' }]
  }),
  timeseries({
    title: 'Which limits do clients meet?',
    shows: 'Times a client was cut, refused or held back by a limit of mqtt.limits.',
    good: 'none.',
    ifNot: 'one client in the log: look at its firmware. Many: the limit is too narrow for this fleet, raise it in mqtt.limits.',
    unit: units.perSecond,
    width: 12,
    stacked: true,
    queries: [{ expr: rateBy('limitsReached', 'limit'), legend: '{{limit}}' }]
  }),
  timeseries({
    title: 'Who is refused over HTTP?',
    shows: 'Requests without a user who may ask this, by what they were told.',
    good: 'none, but for a log-in now and then.',
    ifNot: 'a script with an old token, or a stranger: the log names address and route.',
    unit: units.perSecond,
    width: 12,
    stacked: true,
    queries: [
      { expr: rateBy('httpRefused', 'code'), legend: '{{code}}' },
      { expr: rateBy('httpLimitsReached', 'limit'), legend: 'limit: {{limit}}' }
    ]
  })
]
