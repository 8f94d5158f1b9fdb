import { stat, units, type Panel, type Threshold } from '../panels.ts'
import { highest, level, quantile, rate, rateOver } from '../queries.ts'

const plain: readonly Threshold[] = [{ color: 'blue', value: null }]

export const fleetAtAGlance: readonly Panel[] = [
  stat({
    title: 'Accepting images?',
    good: 'accepting.',
    ifNot: 'devices get no PUBACK and keep their images. "Is intake paused, and why?" below names the reason.',
    unit: units.flag,
    width: 3,
    thresholds: [{ color: 'green', value: null }, { color: 'red', value: 1 }],
    words: [{ value: 0, text: 'accepting', color: 'green' }, { value: 1, text: 'PAUSED', color: 'red' }],
    queries: [{ expr: highest('ingestPaused'), legend: 'paused' }]
  }),
  stat({
    title: 'Devices online?',
    shows: 'Connected, and sending at their usual pace.',
    good: 'all of them.',
    ifNot: '"Who drops out?" below tells a network that broke from devices that were refused.',
    unit: units.count,
    width: 3,
    thresholds: plain,
    queries: [{ expr: level('devices', { state: 'online' }), legend: 'online' }]
  }),
  stat({
    title: 'Devices offline?',
    shows: 'They sent an image within a day, and are not connected now.',
    good: '0, or those that you have switched off.',
    ifNot: 'power and network at the site first; `sluice status` names the verdict, the log each device that went.',
    unit: units.count,
    width: 3,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }],
    queries: [{ expr: level('devices', { state: 'offline' }), legend: 'offline' }]
  }),
  stat({
    title: 'Devices silent?',
    shows: 'Connected, and no image for twice their usual time.',
    good: '0.',
    ifNot: 'the device runs and its camera does not, or its images are refused: see "Why are images refused?".',
    unit: units.count,
    width: 3,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 1 }],
    queries: [{ expr: level('devices', { state: 'silent' }), legend: 'silent' }]
  }),
  stat({
    title: 'How many come in?',
    good: 'what your devices send: 1,000 devices at 2 images a minute are 33 images/s.',
    ifNot: 'fewer than that: look at the connections, and at what is refused.',
    unit: units.imagesPerSecond,
    width: 3,
    thresholds: plain,
    queries: [{ expr: rate('ingestMessages', { result: 'accepted' }), legend: 'in' }]
  }),
  stat({
    title: 'PUBACK delay (p99)?',
    good: 'below 50 ms at 1,000 devices; it does not depend on the uplink.',
    ifNot: 'look at the spool writes: a slow disk is felt here first.',
    unit: units.seconds,
    width: 3,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 0.25 }, { color: 'red', value: 1 }],
    queries: [{ expr: quantile(0.99, 'pubackDelay'), legend: 'p99' }]
  }),
  stat({
    title: 'Refused in an hour?',
    shows: 'Of all images that came in within the last hour.',
    good: '0 %.',
    ifNot: 'they are lost to you, and their devices were told. "Why are images refused?" names the cause, the log the devices.',
    unit: units.share,
    width: 3,
    thresholds: [{ color: 'green', value: null }, { color: 'orange', value: 0.0001 }, { color: 'red', value: 0.01 }],
    queries: [{
      expr: `${rateOver('1h', 'ingestMessages', { result: 'refused' })} / (${rateOver('1h', 'ingestMessages')} > 0)`,
      legend: 'refused'
    }]
  }),
  stat({
    title: 'Ledger exact?',
    shows: 'Images acknowledged to devices, less those uploaded, waiting, failed and deleted by an operator.',
    good: 'exact.',
    ifNot: 'Sluice lost count of an image, which is a fault of Sluice: keep the data directory and report it.',
    unit: units.count,
    width: 3,
    thresholds: [{ color: 'red', value: null }],
    words: [{ value: 0, text: 'exact', color: 'green' }],
    queries: [{
      expr: `${level('ledger', { state: 'acknowledged' })} - ${level('ledger', { state: { not: 'acknowledged' } })}`,
      legend: 'difference'
    }]
  })
]
