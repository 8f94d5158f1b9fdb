import { stat, table, timeseries, units, type Panel } from '../panels.ts'
import { level, rate, totalByOver } from '../queries.ts'

export const failed: readonly Panel[] = [
  table({
    title: 'Why did puts fail in 24 hours?',
    shows: 'Counted by cause. The images that failed for good are on the status page, each with the sentence of the store.',
    good: 'nothing, or a few that went through at the next attempt.',
    ifNot: 'client_error and checksum concern single images: `sluice images list --state failed`. All others concern the line or the store.',
    unit: units.count,
    width: 8,
    columns: { reason: 'Cause', Value: 'How often' },
    queries: [{ expr: `${totalByOver('1d', 'uploadErrors', 'reason')} > 0`, legend: '{{reason}}' }]
  }),
  timeseries({
    title: 'How many images are tried again?',
    shows: 'Puts that failed and are repeated, and images that wait for their next attempt.',
    good: 'close to 0. Repeated attempts take at most uplink.retryShare of the line while new images wait.',
    ifNot: 'steady: the store fails now and then; "Why do puts fail?" names the cause.',
    unit: units.count,
    width: 8,
    queries: [
      { expr: rate('uploadAttempts', { result: 'retryable' }), legend: 'failed puts a second' },
      { expr: level('spoolMessages', { state: 'retrying' }), legend: 'images that wait for the next attempt' }
    ]
  }),
  timeseries({
    title: 'How many images fail for good?',
    good: 'none.',
    ifNot: 'the store refused them, and says why on the status page. They are kept until an operator retries or deletes them.',
    unit: units.imagesPerSecond,
    width: 8,
    queries: [{ expr: rate('uploadMessages', { result: 'failed' }), legend: 'failed' }]
  }),
  stat({
    title: 'Where do I decide about them?',
    shows: 'How many there are. The link "Status page" at the top of this dashboard leads to the list, with a reason, a retry and a deletion for each.',
    good: '0: nothing to decide.',
    ifNot: 'open the list, or `sluice images list --state failed`, then `sluice images retry` or `sluice images delete`.',
    unit: units.count,
    width: 8,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }],
    queries: [{ expr: level('spoolMessages', { state: 'failed' }), legend: 'failed' }]
  })
]
