import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatCount, formatLine, formatPace, formatPercent, formatSpan } from '../bridge/amounts.ts'
import { describeStatus, type Facts } from '../bridge/status.ts'
import type { VerdictWord } from '../bridge/verdict.ts'
import { MB, NOW, backlog, down, facts, inflow, off, paused } from './helpers/facts.ts'

const said: ReadonlyArray<readonly [VerdictWord, Facts, string]> = [
  ['KEEPING UP', facts({ ledger: { acknowledged: 0, uploaded: 0 } }), 'no image has come yet.'],
  ['KEEPING UP', facts(), 'nothing waits; 20,000 images went to the store. Nothing lost.'],
  ['KEEPING UP', facts({
    ledger: { acknowledged: 20_012, waiting: 12 },
    spool: { waiting: { count: 12, bytes: 3 * MB }, oldestReceivedAt: NOW - 800 },
    sentBytesPerSecond: 2.5 * MB
  }), '12 images (3 MB) wait, the oldest for 0.8 s. 53% of the allowance is used. Nothing lost.'],
  ['CATCHING UP', facts({ ...backlog, flow: { in: inflow(17.3) } }),
    '1,214 images (304 MB) wait; empty in about 12 min. Nothing lost.'],
  ['CATCHING UP', facts({ ...backlog, uplink: { carriedBytesPerSecond: 387_500 }, flow: { in: inflow(17.3) } }),
    '1,214 images (304 MB) wait; empty in about 12 min. The line carries 3.1 of 38 Mbit/s allowed. Nothing lost.'],
  ['CATCHING UP', facts({ ...backlog, uplink: { carriedBytesPerSecond: 8000 }, flow: { in: inflow(17.3) } }),
    '1,214 images (304 MB) wait; empty in about 12 min. The line carries 64 kbit/s of 38 Mbit/s allowed. Nothing lost.'],
  ['CATCHING UP', facts({
    ...backlog,
    ledger: { acknowledged: 21_217, uploaded: 20_000, waiting: 1214, failed: 2, dropped: 1 },
    flow: { in: inflow(17.3) }
  }), '1,214 images (304 MB) wait; empty in about 12 min. 2 images would not upload and are kept. ' +
    'Nothing lost but the 1 image an operator deleted.'],
  ['FALLING BEHIND', facts({
    ...backlog, flow: { in: inflow(33.3), out: inflow(19), busy: { bytesPerSecond: 4.75 * MB, seconds: 60 } }
  }), '33.3 images/s (66.6 Mbit/s) come in and 19 images/s (38 Mbit/s) go out. ' +
    '1,214 images (304 MB) wait, the oldest for 14 min. The spool is full in about 1.5 h. Nothing lost.'],
  ['FALLING BEHIND', facts({ ...backlog, flow: { busy: { bytesPerSecond: 0, seconds: 60 } } }),
    'none come in and none go out. 1,214 images (304 MB) wait, the oldest for 14 min. Nothing lost.'],
  ['FALLING BEHIND', facts({
    ...backlog,
    flow: { in: { imagesPerSecond: 0.02, bytesPerSecond: 5 * MB }, busy: { bytesPerSecond: 0, seconds: 60 } },
    uplink: { uploading: new Set([7]), uploadingBytes: 300 * MB },
    sentBytesPerSecond: 4.75 * MB
  }), '40 Mbit/s of images come in and none is up yet of 1 image that goes out at 38 Mbit/s. ' +
    '1,214 images (304 MB) wait, the oldest for 14 min. The spool is full in about 21.9 h. Nothing lost.'],
  ['UPLOADS PAUSED', facts({ ...backlog, limit: paused, uplink: { uploading: new Set([7]) }, flow: { in: inflow(33.3) } }),
    'an operator paused them 5 min ago (maintenance), and for another 55 min. ' +
    'What is under way (1 image) is let through. ' +
    '1,214 images (304 MB) wait, with room for about 39 min more. Nothing lost.'],
  ['UPLOADS PAUSED', facts({ limit: { ...paused, reason: undefined, until: undefined } }),
    'an operator paused them 5 min ago, until they are resumed. Nothing waits. Nothing lost.'],
  ['UPLOADS PAUSED', facts({ limit: { ...off, until: NOW + 7_200_000 } }),
    'the timetable has had them off, and for another 2 h. Nothing waits. Nothing lost.'],
  ['UPLINK DOWN', facts({ ...backlog, uplink: { state: { ...down, retryAt: NOW - 1 } }, limit: paused }),
    'nothing could be uploaded for 4 min (connect: ECONNREFUSED 10.0.3.17:9000); uploads are paused, and it is not ' +
    'tried before they go on. 1,214 images (304 MB) wait. Nothing lost.'],
  ['UPLINK DOWN', facts({ ...backlog, uplink: { state: down }, flow: { in: inflow(33.3) } }),
    'nothing could be uploaded for 4 min (connect: ECONNREFUSED 10.0.3.17:9000); next try in 7 s. ' +
    '1,214 images (304 MB) wait, with room for about 39 min more. Nothing lost.'],
  ['UPLINK DOWN', facts({ uplink: { state: { ...down, retryAt: NOW - 1 } } }),
    'nothing could be uploaded for 4 min (connect: ECONNREFUSED 10.0.3.17:9000); trying now. Nothing waits. Nothing lost.'],
  ['STORAGE ERROR', facts({
    ...backlog, spool: { ...backlog.spool, paused: { reason: 'storage_error', detail: 'the index cannot be written: EIO' } }
  }), 'the index cannot be written: EIO. No image is acknowledged; devices keep theirs and send them again. ' +
    '1,214 images (304 MB) wait.'],
  ['STORAGE ERROR', facts({ flow: { faults: 3, lastFault: { operation: 'write', detail: 'EIO' } } }),
    '3 faults of the spool in the last minute (write: EIO). Images are taken all the same. Nothing waits. Nothing lost.'],
  ['STORAGE ERROR', facts({ ledger: { acknowledged: 20_003 } }),
    'the ledger does not add up: 20,003 acknowledged, 20,000 accounted for.'],
  ['NOT ACCEPTING', facts({
    ...backlog,
    spool: { ...backlog.spool, usedBytes: 20_000 * MB, paused: { reason: 'spool_full', detail: '' } },
    sentBytesPerSecond: 4.75 * MB
  }), 'the spool is full (20 GB of 20 GB). Devices keep their images and send them again. ' +
    '1,214 images (304 MB) wait. 100% of the allowance is used. Nothing lost.'],
  ['NOT ACCEPTING', facts({
    ...backlog,
    spool: { ...backlog.spool, diskFreeBytes: 1.2e9, paused: { reason: 'disk_low', detail: '' } },
    uplink: { state: down }
  }), 'the disk is nearly full (1.2 GB free). Devices keep their images and send them again. ' +
    '1,214 images (304 MB) wait. The uplink is down (connect). Nothing lost.'],
  ['NOT ACCEPTING', facts({ ...backlog, isStopping: true }),
    'shutting down. 1,214 images (304 MB) stay on disk and will be uploaded after the next start.']
]

for (const [word, given, sentence] of said) {
  test(`${word}: ${sentence}`, () => {
    assert.deepEqual(describeStatus(given).verdict, { word, sentence: `${word}: ${sentence}` })
  })
}

test('the first verdict that holds is the one that is said', () => {
  const all = facts({
    ...backlog,
    isStopping: true,
    spool: { ...backlog.spool, paused: { reason: 'storage_error', detail: 'EIO' } },
    uplink: { state: down },
    flow: { in: inflow(33) }
  })
  const accepting = { ...all, isStopping: false }
  const healthy = { ...accepting, spool: { ...all.spool, paused: undefined } }
  const words = [all, accepting, healthy].map((given) => describeStatus(given).verdict.word)
  assert.deepEqual(words, ['NOT ACCEPTING', 'STORAGE ERROR', 'UPLINK DOWN'])
})

test('what waits is parted into what is waiting, uploading and retrying, and nothing is counted twice', () => {
  const { images, backlog: { count } } = describeStatus(facts({
    ...backlog,
    uplink: { uploading: new Set([1, 2]), uploadingBytes: 4 * MB, retrying: new Set([3]), retryingBytes: MB }
  }))
  assert.deepEqual([images.waiting, images.uploading, images.retrying], [
    { count: 1211, bytes: 299 * MB }, { count: 2, bytes: 4 * MB }, { count: 1, bytes: MB }
  ])
  assert.equal(images.waiting.count + images.uploading.count + images.retrying.count, count)
})

test('the ledger is called exact only where it adds up', () => {
  assert.equal(describeStatus(facts(backlog)).ledger.exact, true)
  assert.equal(describeStatus(facts({ ...backlog, ledger: { acknowledged: 21_213 } })).ledger.exact, false)
})

test('amounts are rounded to what one acts on', () => {
  assert.deepEqual([1, 1214, 1_000_000].map(formatCount), ['1', '1,214', '1,000,000'])
  assert.deepEqual([0, 999, 1500, 304e6, 999_600, 1.25e9, 20e9].map(formatBytes),
    ['0 B', '999 B', '1.5 kB', '304 MB', '1 MB', '1.3 GB', '20 GB'])
  assert.deepEqual([0, 100, 4.75e6, 125e6].map(formatLine), ['0 bit/s', '800 bit/s', '38 Mbit/s', '1 Gbit/s'])
  assert.deepEqual([0.04, 0.44, 33.33, 1064.2].map(formatPace), ['0', '0.4', '33.3', '1,064'])
  assert.deepEqual([0.84, 45.2, 720, 11_520, 172_800].map(formatSpan), ['0.8 s', '45 s', '12 min', '3.2 h', '2 days'])
  assert.deepEqual([0, 0.001, 0.53, 0.999, 1].map(formatPercent), ['0%', '<1%', '53%', '99%', '100%'])
})

test('the limit in force is shown with its end and with what comes after it', () => {
  const next = { bytesPerSecond: 15 * MB, source: 'timetable', paused: undefined, reason: undefined, until: NOW + 9e6 } as const
  const { limit, allowance, forecast } = describeStatus(facts({ ...backlog, limit: { ...paused, next } }))
  assert.deepEqual([limit.paused, limit.since, limit.until], ['operator', '2026-11-03T02:55:00.000Z', '2026-11-03T03:55:00.000Z'])
  assert.deepEqual(limit.next, { ...next, until: '2026-11-03T05:30:00.000Z' })
  assert.deepEqual([allowance.bytesPerSecond, allowance.used, forecast.emptyInSeconds], [0, 0, undefined])
})
