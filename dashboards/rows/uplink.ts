import { table, timeseries, units, type Panel } from '../panels.ts'
import { highestBy, level, quantile, rate, rateBy, totalBy } from '../queries.ts'

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
  timeseries({
    title: 'How much of the line is wasted, and how often does the allowance hold images back?',
    good: 'waste is a few percent: headers and the odd retry. Held back is 100 % while images wait, 0 otherwise.',
    ifNot: 'waste: puts fail after they were sent, see why they fail. Not held back while images wait: the allowance is not what limits.',
    unit: units.share,
    width: 8,
    max: 1,
    queries: [
      { expr: `clamp_min(1 - ${rate('uploadBytes')} / ${rate('uploadSentBytes')}, 0)`, legend: 'waste' },
      { expr: `clamp_max(${rate('uploadThrottled')}, 1)`, legend: 'held back by the allowance' }
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
  timeseries({
    title: 'How many images fail for good?',
    good: 'none.',
    ifNot: 'the store refused them, and says why on the status page. They are kept until an operator retries or deletes them.',
    unit: units.imagesPerSecond,
    width: 8,
    queries: [{ expr: rate('uploadMessages', { result: 'failed' }), legend: 'failed' }]
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
