import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../bridge/entry.ts'
import { Lives, LIVES_LIMITS } from '../bridge/lives.ts'
import { arrivalOf } from './helpers/spool.ts'

const payload = Buffer.from('an image')

function entryOf (sequence: number, device = 'cam-1', image = `i${sequence}`): Entry {
  return { sequence, ...arrivalOf(device, image, payload) }
}

/** Comes, is acknowledged, and is stored at once. */
function pass (lives: Lives, entry: Entry): void {
  lives.observe({ kind: 'image-taken', entry, format: 'raw', seconds: 0.01 })
  lives.observe({ kind: 'publish-acknowledged', seconds: 0.01, entry })
  lives.observe({ kind: 'put-started', entry, attempt: 1, waitedSeconds: 0 })
  lives.observe({ kind: 'put-ended', entry, seconds: 0.1, outcome: 'stored', detail: '' })
  lives.noted(entry.deviceId, { id: entry.imageId, status: 'uploaded' })
}

test('lives are remembered up to a limit, and the latest are those that are', () => {
  const lives = new Lives()
  const { passing } = LIVES_LIMITS
  for (let sequence = 1; sequence <= passing + 500; sequence++) pass(lives, entryOf(sequence, `cam-${sequence % 100}`))
  assert.equal(lives.size, passing)
  assert.equal(lives.find(entryOf(500, 'cam-0')), undefined)
  assert.deepEqual(lives.find(entryOf(passing + 500, `cam-${(passing + 500) % 100}`))?.events.map(({ kind }) => kind),
    ['acknowledged', 'attempt', 'note'])
})

test('what a put failed for is not crowded out by what goes its way, nor by names that nothing was taken under', () => {
  const lives = new Lives({ passing: 10, troubled: 10, strangers: 10 })
  const bad = entryOf(1)
  lives.observe({ kind: 'put-started', entry: bad, attempt: 1, waitedSeconds: 0 })
  lives.observe({ kind: 'put-ended', entry: bad, seconds: 1, outcome: 'timeout', detail: 'silent' })
  for (let sequence = 2; sequence < 100; sequence++) {
    pass(lives, entryOf(sequence))
    const { deviceId, imageId } = entryOf(sequence, 'cam-2')
    lives.observe({ kind: 'image-refused', deviceId, imageId, format: 'raw', reason: 'not_an_image', detail: 'text' })
  }
  assert.equal(lives.size, 21)
  assert.deepEqual(lives.find(bad)?.events.map((one) => one.kind === 'attempt' && one.outcome), ['timeout'])
})

test('of very many events of one image the first and the last are kept, and how many are left out is counted', () => {
  const lives = new Lives()
  const entry = entryOf(1)
  for (let attempt = 1; attempt <= 1000; attempt++) {
    lives.observe({ kind: 'put-started', entry, attempt, waitedSeconds: 0 })
    lives.observe({ kind: 'put-ended', entry, seconds: 1, outcome: 'timeout', detail: 'silent' })
  }
  const { events = [], eventsLeftOut } = lives.find(entry) ?? {}
  assert.equal(events.length + (eventsLeftOut ?? 0), 1000)
  assert.ok(events.length <= 24)
  const numbers = events.map((one) => one.kind === 'attempt' ? one.attempt : 0)
  assert.deepEqual([numbers[0], numbers.at(-1)], [1, 1000])
})

test('a name that is taken once more begins a new life, and what came before it was taken belongs to it', () => {
  const lives = new Lives()
  const { deviceId, imageId } = entryOf(1)
  lives.observe({ kind: 'image-withheld', deviceId, imageId, reason: 'spool_full', detail: 'full' })
  pass(lives, entryOf(1))
  assert.deepEqual(lives.find(entryOf(1))?.events.map(({ kind }) => kind), ['withheld', 'acknowledged', 'attempt', 'note'])
  pass(lives, entryOf(2, 'cam-1', 'i1'))
  assert.deepEqual([lives.find(entryOf(1))?.sequence, lives.find(entryOf(1))?.events.length, lives.size], [2, 3, 1])
})
