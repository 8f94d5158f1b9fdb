import { heatmap, timeseries, units, type Panel } from '../panels.ts'
import { distribution, highestBy, level, quantile, rate, rateBy } from '../queries.ts'

export const intake: readonly Panel[] = [
  timeseries({
    title: 'How many images come in, and what becomes of them?',
    good: 'accepted, at the pace of the fleet. Duplicates come after connections broke, and are harmless.',
    ifNot: 'refused images are acknowledged and not kept: the next panels say why. Many duplicates mean devices that resend what was acknowledged.',
    unit: units.imagesPerSecond,
    width: 8,
    stacked: true,
    queries: [{ expr: rateBy('ingestMessages', 'result'), legend: '{{result}}' }]
  }),
  timeseries({
    title: 'How long do devices wait for their PUBACK?',
    shows: 'From the complete PUBLISH to its PUBACK, which is sent once the image is synced to disk.',
    good: 'p99 below 50 ms, the same whether the uplink is up or down.',
    ifNot: 'compare with "How long does a spool write take?": a slow disk. Otherwise the event loop, in the last row.',
    unit: units.seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5, 'pubackDelay'), legend: 'p50' },
      { expr: quantile(0.95, 'pubackDelay'), legend: 'p95' },
      { expr: quantile(0.99, 'pubackDelay'), legend: 'p99' }
    ]
  }),
  heatmap({
    title: 'How are the PUBACK delays spread?',
    good: 'one band near the bottom.',
    ifNot: 'a second band above it: images that waited for room in the spool, or for a disk that stalls now and then.',
    unit: units.seconds,
    width: 8,
    queries: [{ expr: distribution('pubackDelay'), legend: '{{le}}' }]
  }),
  timeseries({
    title: 'Why are images refused?',
    good: 'nothing is refused.',
    ifNot: 'refused images are lost to you, and their devices were told so on their acks topics. The log names the devices. ' +
      'packet_too_large: raise mqtt.maxPacketSize, or send smaller images.',
    unit: units.imagesPerSecond,
    width: 8,
    stacked: true,
    queries: [
      { expr: rateBy('ingestRefused', 'reason'), legend: '{{reason}}' },
      { expr: rateBy('publishesRefused', 'reason'), legend: '{{reason}} (by the broker)' }
    ]
  }),
  timeseries({
    title: 'Is intake paused, and why?',
    good: 'no line leaves 0.',
    ifNot: 'spool_full: raise uplink.share or spool.limit. disk_low: make room on the volume. storage_error: look at the disk and the log. shutdown: it is stopping.',
    unit: units.flag,
    width: 8,
    max: 1,
    queries: [{ expr: highestBy('ingestPaused', 'reason'), legend: '{{reason}}' }]
  }),
  timeseries({
    title: 'How many PUBACKs are withheld, and why?',
    shows: 'Images not taken for now; their devices keep them and send them again.',
    good: '0.',
    ifNot: 'as long as it lasts the fleet needs memory of its own. The cause is the same as in "Is intake paused, and why?".',
    unit: units.imagesPerSecond,
    width: 8,
    stacked: true,
    queries: [{ expr: rateBy('ingestWithheld', 'reason'), legend: '{{reason}}' }]
  }),
  timeseries({
    title: 'Is the memory budget large enough?',
    shows: 'Payload bytes being read or not yet durable, of all devices together.',
    good: 'below the limit most of the time. At the limit, payloads wait in their sockets and memory stays bounded.',
    ifNot: 'at the limit for long: the disk is slower than the fleet, or mqtt.memoryBudget is small for so many devices at once.',
    unit: units.bytes,
    width: 8,
    queries: [
      { expr: level('budgetHeld'), legend: 'held' },
      { expr: level('budgetLimit'), legend: 'limit', look: 'limit' }
    ]
  }),
  timeseries({
    title: 'How many images have no PUBACK yet?',
    good: 'few.',
    ifNot: 'piling up: a slow disk. Payloads waiting for memory: more devices at once than mqtt.memoryBudget has room for.',
    unit: units.count,
    width: 8,
    queries: [
      { expr: level('pubacksPending'), legend: 'images without PUBACK' },
      { expr: level('budgetWaiting'), legend: 'payloads waiting for memory' }
    ]
  }),
  timeseries({
    title: 'In which form do they come?',
    shows: 'raw: the bytes of the image; json: an envelope, which makes it a third larger on the wire.',
    good: 'what you have set your devices to.',
    ifNot: 'json where you do not need its fields: raw spares a quarter of the network.',
    unit: units.bitsPerSecond,
    width: 8,
    stacked: true,
    queries: [{ expr: `8 * ${rateBy('ingestBytes', 'format')}`, legend: '{{format}}' }]
  }),
  timeseries({
    title: 'How many are repeats?',
    shows: 'Of all images that came in.',
    good: 'next to none; some after connections broke.',
    ifNot: 'devices that send again what was acknowledged: their PUBACK does not reach them, or they do not remember it.',
    unit: units.share,
    width: 8,
    max: 1,
    queries: [{
      expr: `${rate('ingestMessages', { result: 'duplicate' })} / (${rate('ingestMessages')} > 0)`,
      legend: 'repeats'
    }]
  }),
  heatmap({
    title: 'How large are the images?',
    good: 'a narrow band: the size your devices are set to.',
    ifNot: 'a band that rises with the light or after an update of the devices eats the allowance: half the size is twice the images.',
    unit: units.bytes,
    width: 8,
    queries: [{ expr: distribution('ingestImageBytes'), legend: '{{le}}' }]
  })
]
