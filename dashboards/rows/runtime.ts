import { timeseries, units, type Panel } from '../panels.ts'
import { age, changesInHour, highest, level, lowest, quantile, rate, rateBy, timeIn } from '../queries.ts'

export const runtime: readonly Panel[] = [
  timeseries({
    title: 'Is the event loop free?',
    shows: 'The delay that 1 of 100 timers sees.',
    good: 'below 50 ms.',
    ifNot: 'every device feels it. Compare with the CPU: more work than one core does, or a burst of connections.',
    unit: units.seconds,
    width: 8,
    queries: [{ expr: highest('eventLoopLag'), legend: 'p99' }]
  }),
  timeseries({
    title: 'How much CPU is used?',
    shows: '100 % is one core. Hashing and the disk have threads of their own.',
    good: 'below 100 %.',
    ifNot: 'at 100 % and over, images per second are limited by this machine.',
    unit: units.share,
    width: 8,
    queries: [{ expr: rate('cpu'), legend: 'CPU' }]
  }),
  timeseries({
    title: 'How much memory is used?',
    good: 'level, whatever the backlog. Buffers hold payloads and are bounded by mqtt.memoryBudget.',
    ifNot: 'growing for hours is a leak: report it with this picture.',
    unit: units.bytes,
    width: 8,
    queries: [
      { expr: level('residentMemory'), legend: 'resident' },
      { expr: level('heapUsed'), legend: 'heap' },
      { expr: level('externalMemory'), legend: 'buffers' }
    ]
  }),
  timeseries({
    title: 'Are there file descriptors left?',
    shows: 'Each connection takes one.',
    good: 'far below the limit.',
    ifNot: 'raise the limit of open files for the service (LimitNOFILE, ulimit -n).',
    unit: units.count,
    width: 8,
    queries: [
      { expr: level('openFds'), legend: 'open' },
      { expr: level('maxFds'), legend: 'limit', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How much time goes into garbage collection?',
    good: 'below 10 %.',
    ifNot: 'memory is short: compare with "How much memory is used?" and with mqtt.memoryBudget.',
    unit: units.share,
    width: 8,
    queries: [{ expr: timeIn('gcDuration'), legend: 'of the time' }]
  }),
  timeseries({
    title: 'How often was it started in an hour?',
    good: '0.',
    ifNot: 'the last lines of the log before each start say why it ended.',
    unit: units.count,
    width: 8,
    queries: [{ expr: changesInHour('startTime'), legend: 'starts' }]
  }),
  timeseries({
    title: 'Was the configuration read without a problem?',
    shows: 'At the start, or at the last SIGHUP.',
    good: 'yes.',
    ifNot: 'the one before is in force: `sluice config validate` names every mistake at once.',
    unit: units.flag,
    width: 8,
    max: 1,
    queries: [{ expr: lowest('configReload'), legend: 'read' }]
  }),
  timeseries({
    title: 'How long has the process been running?',
    good: 'since the last update.',
    ifNot: 'a saw is a process that ends again and again: its last lines in the log say why.',
    unit: units.seconds,
    width: 8,
    queries: [{ expr: age('startTime'), legend: 'uptime' }]
  }),
  timeseries({
    title: 'How is the HTTP interface doing?',
    good: 'no 5xx; answers within milliseconds.',
    ifNot: '5xx: /readyz says what is wrong. 4xx on images: devices that send what is refused.',
    unit: units.perSecond,
    width: 4,
    queries: [{ expr: rateBy('httpRequests', 'code'), legend: '{{code}}' }]
  }),
  timeseries({
    title: 'How fast does it answer?',
    good: 'p99 below 100 ms; an image comes in as fast as its line carries it.',
    ifNot: 'see whether the event loop is free.',
    unit: units.seconds,
    width: 4,
    queries: [{ expr: quantile(0.99, 'httpDuration'), legend: 'p99' }]
  })
]
