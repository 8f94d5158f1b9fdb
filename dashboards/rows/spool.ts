import { timeseries, units, type Panel } from '../panels.ts'
import { age, ageBy, highest, level, levelBy, mean, quantile, rate, rateBy } from '../queries.ts'
import { forecast } from './expressions.ts'

export const spool: readonly Panel[] = [
  timeseries({
    title: 'How many images wait?',
    good: 'low, or falling. A hill after an outage is what the spool is for.',
    ifNot: 'rising for hours: more comes in than the allowance lets out. Send smaller or fewer images, or raise uplink.share.',
    unit: units.count,
    width: 8,
    stacked: true,
    queries: [{ expr: levelBy('spoolMessages', 'state'), legend: '{{state}}' }]
  }),
  timeseries({
    title: 'In which lane do they wait?',
    shows: 'Images on disk on their way to the store, by lane; prioritized are those that an operator put first.',
    good: 'next to none in alarm; a hill in bulk is what that lane is for.',
    ifNot: 'alarm rising: more is called urgent than the lane is guaranteed. Send less in it, or raise uplink.lanes.',
    unit: units.count,
    width: 8,
    stacked: true,
    queries: [{ expr: levelBy('laneWaiting', 'lane'), legend: '{{lane}}' }]
  }),
  timeseries({
    title: 'How much of the spool is used?',
    shows: 'Image bytes by state, and what they take up on the disk; the limit is for what they take up.',
    good: 'well below the limit.',
    ifNot: 'at the limit devices get no PUBACK. Raise spool.limit if the disk has room, or let more out.',
    unit: units.bytes,
    width: 8,
    stacked: true,
    queries: [
      { expr: levelBy('spoolBytes', 'state'), legend: '{{state}}' },
      { expr: level('spoolDiskUsed'), legend: 'on disk', look: 'foremost' },
      { expr: level('spoolLimit'), legend: 'limit', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How long has the oldest image waited?',
    good: 'below the target.',
    ifNot: 'a line that climbs as fast as time itself means that nothing goes out at all: look at the uplink.',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: age('spoolOldest'), legend: 'oldest' },
      { expr: highest('sloTarget'), legend: 'target', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How long has the oldest image of each lane waited?',
    good: 'alarm next to nothing, whatever waits in the others; bulk as long as you can do without those images.',
    ifNot: 'alarm rising: see in which lane they wait. bulk rising for days: it gets its guaranteed share and no more.',
    unit: units.seconds,
    width: 8,
    queries: [{ expr: ageBy('laneOldest', 'lane'), legend: '{{lane}}' }]
  }),
  timeseries({
    title: 'How long until the spool is full, or the backlog is gone?',
    shows: 'At the pace of the last minutes. There is no line while nothing moves.',
    good: 'the backlog is gone within hours; or the spool is full only after the outage is over.',
    ifNot: 'full before anybody comes: raise spool.limit or uplink.share now, or send less.',
    unit: units.seconds,
    width: 8,
    interval: '5m',
    queries: [{ expr: forecast, legend: 'until {{until}}' }]
  }),
  timeseries({
    title: 'How long does a spool write take?',
    shows: 'One batch of images written and synced to disk. It is the larger part of every PUBACK.',
    good: 'p99 below 50 ms.',
    ifNot: 'the disk is slow or shared: give the spool a disk of its own (spool.dir).',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5, 'spoolWriteDuration'), legend: 'write p50' },
      { expr: quantile(0.99, 'spoolWriteDuration'), legend: 'write p99' },
      { expr: quantile(0.99, 'spoolReadDuration'), legend: 'read p99' }
    ]
  }),
  timeseries({
    title: 'How many images share one write?',
    good: '1 or 2 at rest, more under load: it is how the spool keeps up.',
    ifNot: 'always many: the disk syncs slowly, and images wait for each other.',
    unit: units.count,
    width: 8,
    queries: [{ expr: mean('spoolBatch'), legend: 'images per write' }]
  }),
  timeseries({
    title: 'Does the disk hold out?',
    good: 'free space does not fall for good.',
    ifNot: 'something else fills the volume, if the spool does not: Sluice stops accepting images before the disk is full.',
    unit: units.bytes,
    width: 8,
    queries: [
      { expr: level('spoolDiskFree'), legend: 'free' },
      { expr: level('spoolDiskUsed'), legend: 'used by the spool' },
      { expr: level('spoolDiskSize'), legend: 'size of the volume', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'Are there storage errors?',
    good: 'none, ever.',
    ifNot: 'nothing is acknowledged that could not be written, so nothing is lost yet: look at the log and at the disk today.',
    unit: units.perSecond,
    width: 12,
    queries: [
      { expr: rateBy('spoolErrors', 'op'), legend: 'spool: {{op}}' },
      { expr: rate('localStoreErrors'), legend: 'local store' }
    ]
  })
]
