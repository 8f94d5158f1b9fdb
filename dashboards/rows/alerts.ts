import { table, timeline, units, type Panel } from '../panels.ts'
import { firing } from '../queries.ts'

export const alerts: readonly Panel[] = [
  table({
    title: 'What fires now?',
    shows: 'Alerts of rules.yml.',
    good: 'nothing.',
    ifNot: 'docs/runbooks has a page of each name: what it means, which panel to look at, which command to run.',
    unit: units.count,
    width: 12,
    columns: { alertname: 'Alert', severity: 'Severity', instance: 'Instance', Value: 'Firing' },
    queries: [{ expr: `max by (alertname, severity, instance) (${firing})`, legend: '{{alertname}}' }]
  }),
  timeline({
    title: 'What fired when?',
    good: 'an empty panel.',
    ifNot: 'bands that begin together have one cause; the first to begin is the nearest to it.',
    unit: units.flag,
    width: 12,
    words: [{ value: 1, text: 'firing', color: 'red' }],
    queries: [{ expr: `max by (alertname) (${firing})`, legend: '{{alertname}}' }]
  })
]
