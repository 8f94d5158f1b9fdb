import { heatmap, table, timeseries, units, type Panel } from '../panels.ts'
import { distribution, highestBy, level, quantile, rate, rateBy, totalBy } from '../queries.ts'

export const uplink: readonly Panel[] = [
  timeseries({
    title: 'How much of the allowance is used?',
    shows: 'Sent: bits to the store, failed attempts included. Confirmed: bits of images that the store has.',
    good: 'sent runs along the allowance while images wait, and never over it; confirmed is close to sent.',
    ifNot: 'sent far below it while images wait: the store answers slowly, raise uplink.concurrency. A gap to confirmed is waste.',
    unit: units.bitsPerSecond,
    width: 8,
    queries: [
      { expr: `8 * ${rate('uploadSentBytes')}`, legend: 'sent' },
      { expr: `8 * ${rate('uploadBytes')}`, legend: 'confirmed' },
      { expr: `8 * ${level('uploadAllowance')}`, legend: 'allowance', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How do puts end?',
    good: 'success.',
    ifNot: 'retryable: the store or the line, and the image is tried again. permanent: the store refuses the image, and it is set aside.',
    unit: units.perSecond,
    width: 8,
    stacked: true,
    queries: [{ expr: rateBy('uploadAttempts', 'result'), legend: '{{result}}' }]
  }),
  timeseries({
    title: 'Why do puts fail?',
    good: 'they do not.',
    ifNot: 'dns, connect, timeout, reset: the line. tls, auth, no_bucket: the configuration. throttled, server_error: the store. client_error, checksum: the image.',
    unit: units.perSecond,
    width: 8,
    stacked: true,
    queries: [{ expr: rateBy('uploadErrors', 'reason'), legend: '{{reason}}' }]
  }),
  timeseries({
    title: 'How many puts are in flight?',
    good: 'at the limit while images wait.',
    ifNot: 'at the limit, and the allowance not used: the store is far away, raise uplink.concurrency.',
    unit: units.count,
    width: 8,
    queries: [
      { expr: level('uploadInFlight'), legend: 'in flight' },
      { expr: level('uploadConcurrency'), legend: 'limit', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How long does a put take?',
    good: 'steady. An image of 250 kB needs 50 ms of a line of 40 Mbit/s, times the puts in flight.',
    ifNot: 'rising: the line is shared with others, or the store is overloaded. Long ones end as timeouts.',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5, 'uploadDuration'), legend: 'p50' },
      { expr: quantile(0.95, 'uploadDuration'), legend: 'p95' },
      { expr: quantile(0.99, 'uploadDuration'), legend: 'p99' }
    ]
  }),
  heatmap({
    title: 'How are the put times spread?',
    good: 'one band.',
    ifNot: 'a band at 60 s and above is time-outs; two bands are two ways to the store, or two sizes of image.',
    unit: units.seconds,
    width: 8,
    queries: [{ expr: distribution('uploadDuration'), legend: '{{le}}' }]
  }),
  timeseries({
    title: 'How long do images wait for their first put?',
    good: 'below the target; next to nothing while no backlog is there.',
    ifNot: 'it is the backlog divided by the allowance: see the flow above.',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5, 'uploadQueueWait'), legend: 'p50' },
      { expr: quantile(0.95, 'uploadQueueWait'), legend: 'p95' }
    ]
  }),
  timeseries({
    title: 'How much of the line is wasted?',
    shows: 'Of the bytes sent, those that are not images the store confirmed.',
    good: 'a few percent: headers and the odd retry.',
    ifNot: 'puts fail after they were sent: see why they fail.',
    unit: units.share,
    width: 8,
    max: 1,
    queries: [
      { expr: `clamp_min(1 - ${rate('uploadBytes')} / (${rate('uploadSentBytes')} > 0), 0)`, legend: 'waste' }
    ]
  }),
  timeseries({
    title: 'What holds uploads back?',
    shows: 'Why nothing is uploaded: an operator, the timetable, or a store that does not answer (circuit_open).',
    good: 'nothing, or schedule at the hours you have chosen.',
    ifNot: 'operator: somebody paused it, `sluice uplink resume`. circuit_open: look at the line and at the store. Images wait on disk meanwhile.',
    unit: units.flag,
    width: 8,
    max: 1,
    queries: [{ expr: highestBy('uploadPaused', 'reason'), legend: '{{reason}}' }]
  }),
  table({
    title: 'What went wrong in the time shown?',
    shows: 'Refused images, withheld PUBACKs, failed puts and storage errors, counted by cause.',
    good: 'nothing, or a few failed puts.',
    ifNot: 'start with the largest number; the panel of that name says what to do.',
    unit: units.count,
    width: 8,
    columns: { kind: 'What', reason: 'Cause', Value: 'How often' },
    queries: [{
      expr: [
        named('image refused', totalBy('ingestRefused', 'reason')),
        named('PUBACK withheld', totalBy('ingestWithheld', 'reason')),
        named('put failed', totalBy('uploadErrors', 'reason')),
        named('storage error', `label_replace(${totalBy('spoolErrors', 'op')}, "reason", "$1", "op", "(.*)")`)
      ].join(' or '),
      legend: '{{kind}}: {{reason}}'
    }]
  })
]

function named (kind: string, expr: string): string {
  return `label_replace(${expr} > 0, "kind", "${kind}", "", "")`
}
