import { stat, units, type Panel, type Threshold } from '../panels.ts'
import { age, highest, level, quantile, rate } from '../queries.ts'
import { backlog } from './expressions.ts'

export const atAGlance: readonly Panel[] = [
  stat({
    title: 'Accepting images?',
    good: 'accepting.',
    ifNot: 'devices get no PUBACK and keep their images. "Is intake paused, and why?" below names the reason.',
    unit: units.flag,
    thresholds: [{ color: 'green', value: null }, { color: 'red', value: 1 }],
    words: [{ value: 0, text: 'accepting', color: 'green' }, { value: 1, text: 'PAUSED', color: 'red' }],
    queries: [{ expr: highest('ingestPaused'), legend: 'paused' }]
  }),
  stat({
    title: 'Uplink up?',
    good: 'up.',
    ifNot: 'images wait safely on disk. "Why do puts fail?" below names the cause; look at the line and at the store.',
    unit: units.flag,
    thresholds: [{ color: 'green', value: null }, { color: 'red', value: 1 }],
    words: [{ value: 0, text: 'up', color: 'green' }, { value: 1, text: 'DOWN', color: 'red' }],
    queries: [{ expr: highest('uploadPaused', { reason: 'circuit_open' }), legend: 'down' }]
  }),
  stat({
    title: 'How many come in?',
    good: 'what your devices send: 1,000 devices at 2 images a minute are 33 images/s.',
    ifNot: 'fewer than that: look at the connections, and at what is refused.',
    unit: units.imagesPerSecond,
    thresholds: plain('blue'),
    queries: [{ expr: rate('ingestMessages', { result: 'accepted' }), legend: 'in' }]
  }),
  stat({
    title: 'How many go out?',
    good: 'as many as come in, or more while a backlog is worked off.',
    ifNot: 'fewer for hours: the allowance is too small for the fleet, and the backlog grows.',
    unit: units.imagesPerSecond,
    thresholds: plain('blue'),
    queries: [{ expr: rate('uploadMessages', { result: 'uploaded' }), legend: 'out' }]
  }),
  stat({
    title: 'PUBACK delay (p99)?',
    good: 'below 50 ms at 1,000 devices; it does not depend on the uplink.',
    ifNot: 'look at the spool writes: a slow disk is felt here first.',
    unit: units.seconds,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 0.25 }, { color: 'red', value: 1 }],
    queries: [{ expr: quantile(0.99, 'pubackDelay'), legend: 'p99' }]
  }),
  stat({
    title: 'Devices connected?',
    good: 'all of them.',
    ifNot: '"Who cannot connect, and who drops out?" below tells refusals from lost connections.',
    unit: units.count,
    thresholds: plain('blue'),
    queries: [{ expr: level('connections'), legend: 'connected' }]
  }),
  stat({
    title: 'Images waiting?',
    good: 'few, or fewer than an hour ago.',
    ifNot: 'the uplink is down, or its allowance is smaller than what comes in: see the forecast in the spool row.',
    unit: units.count,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1000 }],
    queries: [{ expr: backlog, legend: 'waiting' }]
  }),
  stat({
    title: 'Oldest waiting?',
    good: 'below the latency target.',
    ifNot: 'it is the age your readers in the store have to live with; nothing is lost. See the forecast in the spool row.',
    unit: units.seconds,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 60 }, { color: 'red', value: 3600 }],
    queries: [{ expr: age('spoolOldest'), legend: 'oldest' }]
  }),
  stat({
    title: 'How full is the spool?',
    good: 'below 80 %.',
    ifNot: 'at 100 % devices get no PUBACK any more: raise uplink.share or spool.limit before that.',
    unit: units.share,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 0.8 }, { color: 'red', value: 0.95 }],
    queries: [{ expr: `${level('spoolDiskUsed')} / ${level('spoolLimit')}`, legend: 'full' }]
  }),
  stat({
    title: 'Allowance used?',
    good: 'close to 100 % while images wait, less when none do; never more.',
    ifNot: 'little while images wait: the store or the line is slower than the allowance. See the uplink row.',
    unit: units.share,
    thresholds: plain('blue'),
    queries: [{ expr: `${rate('uploadSentBytes')} / (${level('uploadAllowance')} > 0)`, legend: 'used' }]
  }),
  stat({
    title: 'Images failed?',
    good: '0.',
    ifNot: 'the store refused them. They are kept: read the reason on the status page, then retry or delete them.',
    unit: units.count,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }],
    queries: [{ expr: level('spoolMessages', { state: 'failed' }), legend: 'failed' }]
  }),
  stat({
    title: 'Ledger exact?',
    shows: 'Images acknowledged to devices, less those uploaded, waiting, failed and deleted by an operator.',
    good: 'exact.',
    ifNot: 'Sluice lost count of an image, which is a fault of Sluice: keep the data directory and report it.',
    unit: units.count,
    thresholds: [{ color: 'red', value: null }],
    words: [{ value: 0, text: 'exact', color: 'green' }],
    queries: [{
      expr: `${level('ledger', { state: 'acknowledged' })} - ${level('ledger', { state: { not: 'acknowledged' } })}`,
      legend: 'difference'
    }]
  })
]

/** A number that is neither good nor bad by itself. */
function plain (color: Threshold['color']): Threshold[] {
  return [{ color, value: null }]
}
