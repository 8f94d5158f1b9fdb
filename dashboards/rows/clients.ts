import { timeseries, units, type Panel } from '../panels.ts'
import { level, rate, rateBy } from '../queries.ts'

/** What goes through the broker and is no image: the site's own MQTT, and notes to devices. */
export const clients: readonly Panel[] = [
  timeseries({
    title: 'How much goes over the MQTT sockets?',
    good: 'received is the images and little more; sent is small.',
    ifNot: 'much sent: a client subscribes to more than it needs.',
    unit: units.bitsPerSecond,
    width: 8,
    queries: [
      { expr: `8 * ${rate('mqttReceivedBytes')}`, legend: 'received' },
      { expr: `8 * ${rate('mqttSentBytes')}`, legend: 'sent' }
    ]
  }),
  timeseries({
    title: 'Which PUBLISH packets come in?',
    good: 'QoS 1: a device that sends at QoS 0 does not know whether its image arrived.',
    ifNot: 'images at QoS 0: set the device to QoS 1. dropped: a client does not read what it subscribed to.',
    unit: units.perSecond,
    width: 8,
    queries: [
      { expr: rateBy('publishesReceived', 'qos'), legend: 'QoS {{qos}}' },
      { expr: rate('messagesDropped'), legend: 'dropped, between clients' }
    ]
  }),
  timeseries({
    title: 'Which notes are sent to devices?',
    shows: 'On their acks topics, of all devices together.',
    good: 'uploaded, as many as images leave.',
    ifNot: 'refused, failed, paused: the device knows now; the panels of that name say why.',
    unit: units.perSecond,
    width: 8,
    stacked: true,
    queries: [{ expr: rateBy('notesSent', 'status'), legend: '{{status}}' }]
  }),
  timeseries({
    title: 'What do clients keep at the broker?',
    good: 'level.',
    ifNot: 'rising without end: a client that subscribes or retains under ever new names.',
    unit: units.count,
    width: 12,
    queries: [
      { expr: level('subscriptions'), legend: 'subscriptions' },
      { expr: level('retained'), legend: 'retained messages' }
    ]
  }),
  timeseries({
    title: 'Which subscriptions are refused?',
    good: 'none.',
    ifNot: 'not_authorized: give the client its topics in auth.aclFile. bad_filter, too_many: the client; the log names it.',
    unit: units.perSecond,
    width: 12,
    stacked: true,
    queries: [{ expr: rateBy('subscriptionsRefused', 'reason'), legend: '{{reason}}' }]
  })
]
