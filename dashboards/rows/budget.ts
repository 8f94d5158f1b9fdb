import { timeseries, units, type Panel } from '../panels.ts'
import { highest, rate, rateBy } from '../queries.ts'
import { budgetLeft, burnRate, goodShare } from './expressions.ts'

export const budget: readonly Panel[] = [
  timeseries({
    title: 'What share of the images is in time?',
    good: 'above the objective, the long windows first of all.',
    ifNot: 'a dip of the short window is an outage; a slope of the long one is a line too thin for the fleet.',
    unit: units.share,
    width: 12,
    max: 1,
    queries: [
      { expr: `${rate('sloMessages', { verdict: 'good' })} / (${rate('sloMessages')} > 0)`, legend: 'now' },
      { expr: goodShare('1h'), legend: '1 h' },
      { expr: goodShare('1d'), legend: '1 d' },
      { expr: highest('sloObjective'), legend: 'objective', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How fast is the budget used up?',
    shows: 'Burn rate: 1 uses up the budget of a month in a month. The lines are where alerts fire.',
    good: 'below 1.',
    ifNot: 'above 14.4 over 1 h or 6 over 6 h somebody is called; above 3 over 1 d or 1 over 3 d it can wait until the morning.',
    unit: units.count,
    width: 12,
    lines: [
      { color: 'blue', value: 1 }, { color: 'orange', value: 3 }, { color: 'orange', value: 6 }, { color: 'red', value: 14.4 }
    ],
    queries: [
      { expr: burnRate('1h'), legend: '1 h' },
      { expr: burnRate('6h'), legend: '6 h' },
      { expr: burnRate('3d'), legend: '3 d' }
    ]
  }),
  timeseries({
    title: 'How much of the budget of 30 days is left?',
    good: 'it falls no faster than a line from 100 % to 0 over the month.',
    ifNot: 'at 0 the promise of the month is broken: agree on another target, or give uploads more of the line.',
    unit: units.share,
    width: 12,
    max: 1,
    queries: [{ expr: `clamp_min(${budgetLeft}, 0)`, legend: 'left' }]
  }),
  timeseries({
    title: 'Why were images late?',
    shows: 'Images at their deadline, by what kept them.',
    good: 'none.',
    ifNot: 'store_away: line or store. paused: an operator or the timetable. stopped: Sluice did not run. line: more came in than the allowance let out.',
    unit: units.imagesPerSecond,
    width: 12,
    stacked: true,
    queries: [
      { expr: rateBy('sloLate', 'cause'), legend: '{{cause}}' },
      { expr: rate('sloMessages', { verdict: 'failed' }), legend: 'failed for good' }
    ]
  })
]
