import { stat, units, type Panel, type Threshold } from '../panels.ts'
import { age, highest, highestBy, level, rate } from '../queries.ts'
import { backlog, untilEmpty, untilFull, waitingBytes } from './expressions.ts'

const plain: readonly Threshold[] = [{ color: 'blue', value: null }]
const flag: readonly Threshold[] = [{ color: 'green', value: null }, { color: 'red', value: 1 }]

export const uplinkAtAGlance: readonly Panel[] = [
  stat({
    title: 'Uplink up?',
    good: 'up.',
    ifNot: 'images wait safely on disk. "Why do puts fail?" below names the cause; look at the line and at the store.',
    unit: units.flag,
    thresholds: flag,
    words: [{ value: 0, text: 'up', color: 'green' }, { value: 1, text: 'DOWN', color: 'red' }],
    queries: [{ expr: highest('uploadPaused', { reason: 'circuit_open' }), legend: 'down' }]
  }),
  stat({
    title: 'Paused, and by whom?',
    good: 'no, or by the timetable at the hours you have chosen.',
    ifNot: 'operator: `sluice uplink show` says who and until when, `sluice uplink resume` ends it. circuit_open: the store does not answer.',
    unit: units.flag,
    thresholds: plain,
    none: 'no',
    words: [{ value: 0, text: 'no', color: 'green' }, { value: 1, text: 'PAUSED', color: 'orange' }],
    queries: [{ expr: highestBy('uploadPaused', 'reason'), legend: '{{reason}}' }]
  }),
  stat({
    title: 'Images waiting?',
    good: 'few, or fewer than an hour ago.',
    ifNot: 'the uplink is down, or its allowance is smaller than what comes in: see the forecast in the next row.',
    unit: units.count,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1000 }],
    queries: [{ expr: backlog, legend: 'waiting' }]
  }),
  stat({
    title: 'Bytes waiting?',
    good: 'few, or fewer than an hour ago.',
    ifNot: 'divide by the allowance and you have the time it takes to send them.',
    unit: units.bytes,
    thresholds: plain,
    queries: [{ expr: waitingBytes, legend: 'waiting' }]
  }),
  stat({
    title: 'Oldest waiting?',
    good: 'below the latency target.',
    ifNot: 'it is the age your readers in the store have to live with; nothing is lost. See the forecast in the next row.',
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
    title: 'Backlog gone in?',
    shows: 'At the pace of the last minutes.',
    good: 'minutes, or no answer because nothing waits.',
    ifNot: 'no answer while images wait: the backlog does not shrink, and "Spool full in?" counts instead.',
    unit: units.seconds,
    thresholds: plain,
    none: 'not shrinking',
    queries: [{ expr: untilEmpty, legend: 'gone in' }]
  }),
  stat({
    title: 'Spool full in?',
    shows: 'At the pace of the last minutes.',
    good: 'not filling, or longer than the outage lasts.',
    ifNot: 'raise spool.limit if the disk has room, or uplink.share; `sluice plan` says what would be enough.',
    unit: units.seconds,
    thresholds: [{ color: 'red', value: null }, { color: 'orange', value: 4 * 3600 }, { color: 'blue', value: 24 * 3600 }],
    none: 'not filling',
    queries: [{ expr: untilFull, legend: 'full in' }]
  }),
  stat({
    title: 'Allowance used?',
    good: 'close to 100 % while images wait, less when none do; never more.',
    ifNot: 'little while images wait: the store or the line is slower than the allowance. See the uplink row.',
    unit: units.share,
    thresholds: plain,
    none: 'no limit',
    queries: [{ expr: `${rate('uploadSentBytes')} / (${level('uploadAllowance')} > 0)`, legend: 'used' }]
  }),
  stat({
    title: 'How many go out?',
    good: 'as many as come in, or more while a backlog is worked off.',
    ifNot: 'fewer for hours: the allowance is too small for the fleet, and the backlog grows.',
    unit: units.imagesPerSecond,
    thresholds: plain,
    queries: [{ expr: rate('uploadMessages', { result: 'uploaded' }), legend: 'out' }]
  }),
  stat({
    title: 'Last image stored?',
    shows: 'How long ago the store confirmed one.',
    good: 'seconds, while images wait or come in.',
    ifNot: 'minutes while images wait: the line or the store. "Why do puts fail?" below names the cause.',
    unit: units.seconds,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 60 }, { color: 'red', value: 300 }],
    queries: [{ expr: age('uploadLastSuccess'), legend: 'ago' }]
  }),
  stat({
    title: 'Images failed?',
    good: '0.',
    ifNot: 'the store refused them. They are kept: read the reason on the status page, then retry or delete them.',
    unit: units.count,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }],
    queries: [{ expr: level('spoolMessages', { state: 'failed' }), legend: 'failed' }]
  })
]
