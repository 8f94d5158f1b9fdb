import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { within } from '../bridge/deadline.ts'
import { Picker } from '../bridge/uplink/picker.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { arrivalOf, openTestSpool } from './helpers/spool.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // what the flag makes global

const never = (signal: AbortSignal): Promise<string> => new Promise((_resolve, reject) => {
  signal.addEventListener('abort', () => { reject(signal.reason) })
})

test('a deadline holds although the garbage collector ran', async () => {
  const work = within(100, new AbortController().signal, never)
  await sleep(10)
  collectGarbage()
  await assert.rejects(work, { name: 'TimeoutError' })
})

test('work ends with the signal it was given', async () => {
  const stop = new AbortController()
  const work = within(60_000, stop.signal, never)
  stop.abort(new Error('enough'))
  await assert.rejects(work, /enough/)
  await assert.rejects(within(60_000, stop.signal, async (signal) => { signal.throwIfAborted() }), /enough/)
})

test('an image is tried again when its wait is over, with nothing else happening', async (t) => {
  const { spool } = await openTestSpool(t)
  const payload = jpegOf(2000)
  const entry = await spool.append(arrivalOf('cam-1', 'a', payload), payload)
  const picker = new Picker(spool)
  const stop = new AbortController()
  assert.equal((await picker.next(stop.signal))?.sequence, entry.sequence)
  picker.retryLater(entry, 200.25) // backoff has fractions
  const again = picker.next(stop.signal)
  await sleep(10)
  collectGarbage()
  const first = await Promise.race([again, sleep(5000, undefined, { ref: false })])
  stop.abort()
  assert.equal(first?.sequence, entry.sequence)
})

test('an image whose put fails while nothing else waits is tried again', async (t) => {
  const { spool } = await openTestSpool(t)
  const payload = jpegOf(2000)
  const entry = await spool.append(arrivalOf('cam-1', 'a', payload), payload)
  const picker = new Picker(spool)
  const stop = new AbortController()
  await picker.next(stop.signal)
  const again = picker.next(stop.signal) // as the uplink does while the put is under way
  await sleep(20)
  picker.retryLater(entry, 10)
  const first = await Promise.race([again, sleep(5000, undefined, { ref: false })])
  stop.abort()
  assert.equal(first?.sequence, entry.sequence)
})
