import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStatus, foresee, type Facts } from '../bridge/status.ts'
import { MB, NOW, backlog, down, facts, inflow } from './helpers/facts.ts'

test('a forecast goes by the allowance until enough has been measured, and by nothing while the uplink is down', () => {
  const started = facts({ ...backlog, flow: { in: inflow(9), busy: { bytesPerSecond: 0, seconds: 1 } } })
  assert.equal(foresee(started).emptyInSeconds, 304 / (4.75 - 2.25))
  assert.equal(foresee(facts({ ...backlog, uplink: { state: down } })).emptyInSeconds, undefined)
  const { emptyInSeconds, fullInSeconds, newImageUpInSeconds = Infinity } = foresee(facts())
  assert.deepEqual([emptyInSeconds, fullInSeconds], [0, undefined])
  assert.ok(newImageUpInSeconds < 0.001)
})

/** Nothing until `hours` from now, and then `bytesPerSecond`. */
const offFor = (hours: number, bytesPerSecond: number): Facts['allowanceAt'] => (ms) => {
  const until = NOW + hours * 3_600_000
  return ms < until ? { bytesPerSecond: 0, until } : { bytesPerSecond, until: undefined }
}

test('a forecast goes by the timetable: it waits for a line that is off, and sees the spool fill before it is on', () => {
  const idle = { flow: { busy: { bytesPerSecond: 0, seconds: 0 } }, allowanceAt: offFor(2, 4 * MB) }
  const night = foresee(facts({ ...backlog, ...idle }))
  assert.deepEqual([night.emptyInSeconds, night.fullInSeconds], [2 * 3600 + 76, undefined])
  assert.ok(Math.abs((night.newImageUpInSeconds ?? 0) - (2 * 3600 + 76)) < 1)
  assert.ok((foresee(facts(idle)).newImageUpInSeconds ?? 0) >= 2 * 3600) // even where nothing else waits
  const filling = facts({ ...backlog, ...idle, flow: { ...idle.flow, in: inflow(10) } }) // 18 of 19.7 GB in 2 h
  assert.equal(foresee(filling).fullInSeconds, undefined)
  const full = facts({ ...filling, spool: { ...filling.spool, limitBytes: 10_000 * MB } })
  const { emptyInSeconds = 0, fullInSeconds = Infinity } = foresee(full)
  assert.ok(fullInSeconds < 2 * 3600 && emptyInSeconds > 2 * 3600)
  assert.equal(describeStatus(full).verdict.word, 'FALLING BEHIND')
})

test('what the line makes of the allowance now, it is expected to make of the next one', () => {
  const until = NOW + 3_600_000
  const allowanceAt: Facts['allowanceAt'] = (ms) =>
    ms < until ? { bytesPerSecond: 4 * MB, until } : { bytesPerSecond: 8 * MB, until: undefined }
  const flow = { busy: { bytesPerSecond: 2 * MB, seconds: 60 } } // half of it
  const large = { ...backlog.spool, waiting: { count: 40_000, bytes: 10_000 * MB } }
  assert.equal(foresee(facts({ ...backlog, spool: large, flow, allowanceAt })).emptyInSeconds, 3600 + 2800 / 4)
})

test('an image of now waits for what waits before it, and for ever while the uplink is down', () => {
  const { newImageUpInSeconds = 0 } = foresee(facts({ ...backlog, flow: { in: inflow(33.3) } }))
  assert.ok(Math.abs(newImageUpInSeconds - 304.25 / 4.75) < 0.01) // what comes after it is not before it
  assert.equal(foresee(facts({ ...backlog, uplink: { state: down } })).newImageUpInSeconds, undefined)
})

test('the spool is full when its limit is reached or the disk is, whichever comes first', () => {
  const filling = { flow: { in: inflow(23) } } // 1 MB/s more than goes out
  const limited = facts({ ...filling, spool: { ...backlog.spool, limitBytes: 904 * MB } })
  const crowded = facts({ ...filling, spool: { ...backlog.spool, diskFreeBytes: 100 * MB } })
  assert.equal(foresee(limited).fullInSeconds, 600)
  assert.equal(foresee(crowded).fullInSeconds, 100)
})

test('a large image that is under way counts with what the line takes of it, and a line that takes nothing with nothing', () => {
  const large = {
    spool: { ...backlog.spool, waiting: { count: 1, bytes: 30 * MB } },
    uplink: { uploading: new Set([1]), uploadingBytes: 30 * MB },
    flow: { busy: { bytesPerSecond: 0, seconds: 20 } }
  }
  const sent = facts({ ...backlog, ...large, sentBytesPerSecond: MB })
  assert.equal(foresee(sent).emptyInSeconds, 30)
  assert.equal(describeStatus(sent).verdict.word, 'CATCHING UP')
  assert.equal(foresee(facts({ ...backlog, ...large })).emptyInSeconds, undefined)
})

test('what small images cost beyond their bytes is not taken for bytes of theirs', () => {
  const uplink = { uploading: new Set([1]), uploadingBytes: 0.001 * MB }
  const flow = { busy: { bytesPerSecond: MB, seconds: 60 } }
  const { emptyInSeconds = 0 } = foresee(facts({ ...backlog, uplink, flow, sentBytesPerSecond: 2.7 * MB }))
  assert.ok(Math.abs(emptyInSeconds - 304) < 0.1)
})
