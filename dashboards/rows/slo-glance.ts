import { stat, units, type Panel } from '../panels.ts'
import { highest, totalOver } from '../queries.ts'
import { budgetGoneIn, budgetLeft, burnRate, goodShare } from './expressions.ts'

export const sloAtAGlance: readonly Panel[] = [
  stat({
    title: 'In time over 30 days?',
    shows: 'Share of the images that were in the store within the target, each judged at its deadline.',
    good: 'above the objective.',
    ifNot: '"Why were images late?" below names the cause; `sluice slo --month` prints the month.',
    unit: units.share,
    thresholds: [{ color: 'red', value: null }, { color: 'orange', value: 0.99 }, { color: 'green', value: 0.995 }],
    queries: [{ expr: goodShare('30d'), legend: 'in time' }]
  }),
  stat({
    title: 'Budget left?',
    shows: 'Of the images that may be late in 30 days.',
    good: 'above 0; there is room for an outage or for work on the line.',
    ifNot: 'leave the line alone until it is back, and give uploads more of it.',
    unit: units.share,
    thresholds: [{ color: 'red', value: null }, { color: 'orange', value: 0.1 }, { color: 'green', value: 0.5 }],
    queries: [{ expr: budgetLeft, legend: 'left' }]
  }),
  stat({
    title: 'How fast is it used up?',
    shows: 'The burn rate of the last hour: at 1 the budget of a month lasts a month.',
    good: 'below 1.',
    ifNot: 'above 14.4 a fiftieth of the month is gone in an hour, and somebody is called: look at the uplink.',
    unit: units.count,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }, { color: 'red', value: 14.4 }],
    queries: [{ expr: burnRate('1h'), legend: 'burn rate' }]
  }),
  stat({
    title: 'Budget gone in?',
    shows: 'At the pace of the last hour.',
    good: 'not in sight, or longer than a month.',
    ifNot: 'it is the time you have to act.',
    unit: units.seconds,
    none: 'not in sight',
    thresholds: [{ color: 'red', value: null }, { color: 'orange', value: 86_400 }, { color: 'green', value: 30 * 86_400 }],
    queries: [{ expr: budgetGoneIn, legend: 'gone in' }]
  }),
  stat({
    title: 'Late in 24 hours?',
    shows: 'Images that were not in the store at their deadline, and those that failed.',
    good: 'at most the share that the objective leaves.',
    ifNot: '"Why were images late?" below.',
    unit: units.count,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }],
    queries: [{ expr: totalOver('1d', 'sloMessages', { verdict: { not: 'good' } }), legend: 'late' }]
  }),
  stat({
    title: 'What is promised?',
    shows: 'slo.objective of the images shall be in the store within slo.target, counted from their acceptance.',
    good: 'what you have agreed with your readers.',
    ifNot: 'change slo.target and slo.objective; alerts and panels follow.',
    unit: units.share,
    thresholds: [{ color: 'blue', value: null }],
    queries: [
      { expr: highest('sloObjective'), legend: 'of the images' },
      { expr: highest('sloTarget'), legend: 'within', unit: units.seconds }
    ]
  })
]
