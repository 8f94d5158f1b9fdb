import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CounterRate, Rates } from '../bridge/rates.ts'
import { entryWith, upload } from './helpers/exposition.ts'

const MB = 1e6

test('rates cover the last minute and forget what is older', () => {
  let now = 5_000_000
  const rates = new Rates(() => now)
  const entry = entryWith({ bytes: 250_000 })
  for (let second = 0; second < 120; second++, now += 1000) {
    rates.observe({ kind: 'image-taken', entry, format: 'raw', seconds: 0 })
    if (second % 2 === 0) rates.observe({ kind: 'entry-uploaded', entry, upload, seconds: 1 })
  }
  now -= 1
  const { in: incoming, out } = rates.read()
  assert.ok(Math.abs(incoming.imagesPerSecond - 1) < 0.01)
  assert.ok(Math.abs(out.bytesPerSecond - 125_000) < 1300)
  now += 61_000
  assert.equal(rates.read().in.imagesPerSecond, 0)
})

test('rates of the first seconds are not diluted by a minute that was not lived through', () => {
  let now = 1_000_000
  const rates = new Rates(() => now)
  for (let i = 0; i < 10; i++, now += 500) {
    rates.observe({ kind: 'image-taken', entry: entryWith(), format: 'raw', seconds: 0 })
  }
  assert.equal(rates.read().in.imagesPerSecond, 2)
})

test('what the line carries is measured while a put runs, and anew once the uplink is back', () => {
  let now = 1_000_000
  const rates = new Rates(() => now)
  const entry = entryWith({ bytes: MB })
  const put = (ms: number): void => {
    rates.observe({ kind: 'put-started', entry, attempt: 1, waitedSeconds: 0 })
    now += ms
    rates.observe({ kind: 'put-ended', entry, seconds: ms / 1000, outcome: 'stored', detail: '' })
    rates.observe({ kind: 'entry-uploaded', entry, upload, seconds: 1 })
  }
  put(500)
  now += 20_000 // idle
  put(1500)
  assert.deepEqual(rates.read().busy, { bytesPerSecond: MB, seconds: 2 })
  rates.observe({ kind: 'uplink-up', downSeconds: 9 })
  put(500)
  assert.deepEqual(rates.read().busy, { bytesPerSecond: 2 * MB, seconds: 0.5 })
})

test('refusals, duplicates and storage faults are counted; faults are forgotten after a minute', () => {
  let now = 1_000_000
  const rates = new Rates(() => now)
  const { deviceId, imageId } = entryWith()
  rates.observe({ kind: 'image-refused', deviceId, imageId, format: 'raw', reason: 'empty', detail: '' })
  rates.observe({ kind: 'image-duplicate', deviceId, imageId, format: 'raw' })
  rates.observe({ kind: 'spool-fault', operation: 'write', cause: new Error('EIO') })
  const { refused, duplicates, faults, lastFault } = rates.read()
  assert.deepEqual({ refused, duplicates, faults, lastFault }, {
    refused: 1, duplicates: 1, faults: 1, lastFault: { operation: 'write', detail: 'EIO' }
  })
  now += 60_000
  assert.equal(rates.read().lastFault, undefined)
})

test('a counter that is looked at once a second has the rate of the last ten', () => {
  let now = 0
  const rate = new CounterRate(() => now)
  assert.equal(rate.perSecond, 0)
  for (let total = 0; now <= 30_000; now += 1000, total += now > 15_000 ? 500 : 0) rate.sample(total)
  assert.equal(rate.perSecond, 500)
})

test('what leaves at once in the first moments does not show as more than the line may carry', () => {
  let now = 0
  const rate = new CounterRate(() => now)
  rate.sample(0)
  for (now = 1000; now <= 12_000; now += 1000) {
    rate.sample(100 + now) // a tenth of a second was saved up, then 1,000 a second
    assert.ok(rate.perSecond <= 1013, `${rate.perSecond} after ${now} ms`)
  }
  assert.equal(rate.perSecond, 1000)
})
