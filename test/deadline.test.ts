import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { within } from '../bridge/deadline.ts'
import type { Entry } from '../bridge/entry.ts'
import { Scheduler } from '../bridge/uplink/scheduler.ts'
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

/** The uplink's view: one image, picked, and nothing else to send. */
async function pickedImage (t: TestContext): Promise<{ scheduler: Scheduler, entry: Entry, signal: AbortSignal }> {
  const { spool } = await openTestSpool(t)
  const payload = jpegOf(2000)
  await spool.append(arrivalOf('cam-1', 'a', payload), payload)
  const scheduler = new Scheduler(spool)
  const stop = new AbortController()
  t.after(() => { stop.abort() })
  const entry = await scheduler.next(stop.signal)
  assert.ok(entry !== undefined)
  return { scheduler, entry, signal: stop.signal }
}

async function comesSoon (again: Promise<Entry | undefined>, { sequence }: Entry): Promise<void> {
  const first = await Promise.race([again, sleep(5000, undefined, { ref: false })])
  assert.equal(first?.sequence, sequence)
}

test('an image is tried again when its wait is over, with nothing else happening', async (t) => {
  const { scheduler, entry, signal } = await pickedImage(t)
  scheduler.retryLater(entry, 200.25) // backoff has fractions
  const again = scheduler.next(signal)
  await sleep(10)
  collectGarbage()
  await comesSoon(again, entry)
})

test('an image whose put fails while nothing else waits is tried again', async (t) => {
  const { scheduler, entry, signal } = await pickedImage(t)
  const again = scheduler.next(signal) // as the uplink does while the put is under way
  await sleep(20)
  scheduler.retryLater(entry, 10)
  await comesSoon(again, entry)
})
