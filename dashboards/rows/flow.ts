import { timeseries, units, type Panel } from '../panels.ts'
import { age, ageBy, highest, level, levelBy, rate } from '../queries.ts'
import { forecast } from './expressions.ts'

export const flow: readonly Panel[] = [
  timeseries({
    title: 'Does as much go out as comes in?',
    shows: 'Bits of images: accepted, and confirmed by the store.',
    good: 'out follows in; above it while a backlog is worked off.',
    ifNot: 'in above out for hours: the fleet sends more than the allowance. Raise uplink.share, or send smaller or fewer images.',
    unit: units.bitsPerSecond,
    width: 8,
    queries: [
      { expr: `8 * ${rate('ingestBytes')}`, legend: 'in' },
      { expr: `8 * ${rate('uploadBytes')}`, legend: 'out' },
      { expr: `8 * ${level('uploadAllowance')}`, legend: 'allowance', look: 'limit' }
    ]
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
    title: 'How many images wait?',
    good: 'low, or falling. A hill after an outage is what the spool is for.',
    ifNot: 'rising for hours: more comes in than the allowance lets out. Send smaller or fewer images, or raise uplink.share.',
    unit: units.count,
    width: 8,
    stacked: true,
    queries: [{ expr: levelBy('spoolMessages', 'state'), legend: '{{state}}' }]
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
    width: 24,
    interval: '5m',
    queries: [{ expr: forecast, legend: 'until {{until}}' }]
  })
]
