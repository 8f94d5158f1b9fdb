import { timeseries, units, type Panel } from '../panels.ts'
import { level, levelTomorrow, mean, quantile, rate, rateBy, sinceStart } from '../queries.ts'

export const spool: readonly Panel[] = [
  timeseries({
    title: 'How long does a spool write take?',
    shows: 'One batch of images written and synced to disk. It is the larger part of every PUBACK.',
    good: 'p99 below 50 ms.',
    ifNot: 'the disk is slow or shared: give the spool a disk of its own (spool.dir).',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5, 'spoolWriteDuration'), legend: 'write p50' },
      { expr: quantile(0.99, 'spoolWriteDuration'), legend: 'write p99' }
    ]
  }),
  timeseries({
    title: 'How long does it take to read an image back?',
    good: 'p99 below 50 ms.',
    ifNot: 'a disk that is busy with others, or one that fails: look at the storage errors.',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5, 'spoolReadDuration'), legend: 'read p50' },
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
      { expr: levelTomorrow('spoolDiskFree'), legend: 'free in 24 h, if it goes on like this', look: 'faint' },
      { expr: level('spoolDiskUsed'), legend: 'used by the spool' },
      { expr: level('spoolDiskSize'), legend: 'size of the volume', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How much disk does a waiting byte take?',
    shows: 'Bytes on the disk for each byte of an image on it; segments go as a whole, once their last image has left.',
    good: 'below 2 while much waits.',
    ifNot: 'high while little waits is a segment that is not empty yet. High with a large backlog: report it with this picture.',
    unit: units.count,
    width: 8,
    queries: [{ expr: `${level('spoolDiskUsed')} / (${level('spoolBytes')} > 0)`, legend: 'disk bytes per image byte' }]
  }),
  timeseries({
    title: 'How many images did a start find on disk?',
    shows: 'Counted since the last start.',
    good: 'what waited when Sluice stopped.',
    ifNot: 'fewer than waited: `sluice check` reads every byte of a stopped spool and says what it finds.',
    unit: units.count,
    width: 8,
    queries: [{ expr: sinceStart('spoolRecovered'), legend: 'found' }]
  }),
  timeseries({
    title: 'Are there storage errors?',
    good: 'none, ever.',
    ifNot: 'nothing is acknowledged that could not be written, so nothing is lost yet: look at the log and at the disk today.',
    unit: units.perSecond,
    width: 8,
    queries: [
      { expr: rateBy('spoolErrors', 'op'), legend: 'spool: {{op}}' },
      { expr: rate('localStoreErrors'), legend: 'local store' }
    ]
  })
]
