import { timeseries, units, type Panel } from '../panels.ts'
import { quantile, rate, shareOfTime } from '../queries.ts'

const [wait, put, all] = [quantile(0.95, 'uploadQueueWait'), quantile(0.95, 'uploadDuration'), quantile(0.95, 'e2eLatency')]

export const timeSpent: readonly Panel[] = [
  timeseries({
    title: 'Where does the time go?',
    shows: 'p95 of each step, one on the other; tried again is what attempts after the first add.',
    good: 'the stack is below the target.',
    ifNot: 'waiting is long: the allowance. The put itself is long: the line or the store. Tried again: see why puts fail.',
    unit: units.seconds,
    width: 12,
    stacked: true,
    queries: [
      { expr: wait, legend: 'waiting for the first put' },
      { expr: put, legend: 'one put' },
      { expr: `clamp_min(${all} - ${wait} - ${put}, 0)`, legend: 'tried again' }
    ]
  }),
  timeseries({
    title: 'How often does the allowance hold images back?',
    shows: 'Share of the time in which an image was ready to go and the allowance was used up.',
    good: '0 while none waits; 100 % while a backlog is worked off.',
    ifNot: '100 % day and night: the allowance is too small for the fleet. 0 while images wait: something else limits; see the uplink.',
    unit: units.share,
    width: 6,
    max: 1,
    queries: [{ expr: `clamp_max(${rate('uploadThrottled')}, 1)`, legend: 'held back' }]
  }),
  timeseries({
    title: 'How much of the time are uploads paused?',
    good: '0, or schedule at the hours you have chosen.',
    ifNot: 'operator: `sluice uplink show`. circuit_open: the store does not answer.',
    unit: units.share,
    width: 6,
    max: 1,
    queries: [{ expr: shareOfTime('uploadPaused', 'reason'), legend: '{{reason}}' }]
  })
]
