import { heatmap, timeseries, units, type Panel } from '../panels.ts'
import { age, distribution, highest, levelBy, quantile, shareWithin } from '../queries.ts'

export const endToEnd: readonly Panel[] = [
  timeseries({
    title: 'How old are images when they reach the store?',
    shows: 'Percentiles are of images that arrived, and say nothing in an outage: the age of the oldest that still waits is drawn over them.',
    good: 'p99 and the oldest are both below the target.',
    ifNot: 'p95 far above p50: images of an outage among fresh ones. All high: the allowance is too small. See "Where does the time go?".',
    unit: units.seconds,
    width: 12,
    queries: [
      { expr: quantile(0.5, 'e2eLatency'), legend: 'p50' },
      { expr: quantile(0.95, 'e2eLatency'), legend: 'p95' },
      { expr: quantile(0.99, 'e2eLatency'), legend: 'p99' },
      { expr: age('spoolOldest'), legend: 'oldest that waits', look: 'foremost' },
      { expr: highest('sloTarget'), legend: 'target', look: 'limit' }
    ]
  }),
  heatmap({
    title: 'How is their age spread?',
    good: 'one band near the bottom.',
    ifNot: 'a band that climbs is a backlog; two bands are old images and fresh ones taking turns.',
    unit: units.seconds,
    width: 12,
    queries: [{ expr: distribution('e2eLatency'), legend: '{{le}}' }]
  }),
  timeseries({
    title: 'What share arrives within 1, 5, 10, 60, 600 s?',
    shows: 'Of the images that arrived; those that still wait are in "How old are images when they reach the store?".',
    good: 'all lines close to 100 %.',
    ifNot: 'the lowest line that is still high says how old your readers have to expect images to be.',
    unit: units.share,
    width: 12,
    max: 1,
    queries: [1, 5, 10, 60, 600].map((bound) => ({ expr: shareWithin('e2eLatency', bound), legend: `${bound} s` }))
  }),
  timeseries({
    title: 'Where is every image that was acknowledged?',
    shows: 'The ledger. Uploaded, waiting, failed and dropped together are the images acknowledged, across restarts.',
    good: 'the stack reaches the bold line exactly.',
    ifNot: 'Sluice lost count of an image, which is a fault of Sluice: keep the data directory and report it.',
    unit: units.count,
    width: 12,
    stacked: true,
    queries: [
      { expr: levelBy('ledger', 'state', { state: { not: 'acknowledged' } }), legend: '{{state}}' },
      { expr: levelBy('ledger', 'state', { state: 'acknowledged' }), legend: 'acknowledged', look: 'foremost' }
    ]
  })
]
