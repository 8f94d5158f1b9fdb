import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { GuessPace } from '../broker/guess-pace.ts'
import { Guesses } from '../broker/guesses.ts'
import { defaultLimits } from '../broker/limits.ts'

const slow = { ...defaultLimits, addressGuessesFree: 1, addressGuessesPerSecond: 4 }

/** Keeps the process running while nothing but waits does. */
function awake (t: TestContext): void {
  const timer = setInterval(() => {}, 1000)
  t.after(() => { clearInterval(timer) })
}

test('when the free guesses are used up right passwords that wait pass one after the other, not at the pace of wrong ones', async (t) => {
  awake(t)
  const guesses = new Guesses(slow, { isFresh: () => false })
  await guesses.judge({ address: 'nat', username: 'guessed', seal: 'guess' }, async () => false)
  const startedAt = performance.now()
  const judged = await Promise.all(Array.from({ length: 10 }, (_, nth) =>
    guesses.judge({ address: 'nat', username: `cam-${nth}`, seal: 'right' }, async () => true)))
  const ms = performance.now() - startedAt
  assert.deepEqual(judged, Array(10).fill('right'))
  assert.ok(ms < 1_000, `ten took ${ms} ms; one at a tick they take 2,500`)
})

test('who hung up loses his place before anybody else does', async (t) => {
  awake(t)
  const pace = new GuessPace({ ...slow, addressGuessesPerSecond: 20, namesWaitingMax: 2 })
  await pace.turn('nat')
  let isGone = false
  const gone = pace.turn('nat', () => isGone)
  const stays = pace.turn('nat')
  isGone = true
  const comes = pace.turn('nat')
  assert.deepEqual(await Promise.all([gone, stays, comes]), [false, true, true])
})
