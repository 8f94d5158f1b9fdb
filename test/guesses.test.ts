import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import mqtt from 'mqtt'
import { Guesses } from '../broker/guesses.ts'
import { defaultLimits } from '../broker/limits.ts'
import { accessOf, connackOf } from './helpers/access.ts'
import { startTestBroker } from './helpers/mqtt.ts'

test('verifications run side by side up to their limit, and one address does not keep another waiting', async () => {
  const guesses = new Guesses({ ...defaultLimits, verifyingMax: 2 })
  const order: string[] = []
  let running = 0
  let runningMax = 0
  const guess = (address: string, username: string) => guesses.judge({ address, username }, async () => {
    runningMax = Math.max(runningMax, ++running)
    order.push(address)
    await new Promise(setImmediate)
    running--
    return true
  })
  const flood = Array.from({ length: 50 }, (_, i) => guess('flood', `user-${i}`))
  await Promise.all([...flood, guess('honest', 'cam-1')])
  assert.equal(runningMax, 2)
  assert.ok(order.indexOf('honest') <= 3, `the honest one came at ${order.indexOf('honest')}`)
  assert.equal(order.length, 51)
})

test('wrong guesses of one address for one name wait longer and longer, others do not', async (t) => {
  const guesses = new Guesses({ ...defaultLimits, guessesFree: 2, guessPauseMs: 40, guessPauseMsMax: 80 })
  const guess = async (address: string, username: string, isRight = false): Promise<number> => {
    const startedAt = performance.now()
    await guesses.judge({ address, username }, async () => isRight)
    return performance.now() - startedAt
  }
  const awake = setInterval(() => {}, 1000) // the waits alone do not keep a process running
  t.after(() => { clearInterval(awake) })
  const waits: number[] = []
  for (let i = 0; i < 5; i++) waits.push(await guess('bad', 'cam-1'))
  const least = [0, 0, 39, 79, 79]
  assert.ok(waits.every((ms, at) => ms >= (least[at] ?? 0)), waits.join(' '))
  const others = Math.min(await guess('bad', 'cam-2'), await guess('good', 'cam-1'))
  assert.ok(others < 39, `${others} ms`)
  await guess('bad', 'cam-1', true)
  assert.ok(Math.min(await guess('bad', 'cam-1'), await guess('bad', 'cam-1')) < 39, 'a right one ends it')
})

test('of one address for one name only so many wait, and the rest are refused unverified', async () => {
  const guesses = new Guesses({ ...defaultLimits, guessesWaitingMax: 2 })
  const asked = Array.from({ length: 4 }, () => guesses.judge({ address: 'a', username: 'u' }, async () => false))
  assert.deepEqual(await Promise.all(asked), ['wrong', 'wrong', 'crowded', 'crowded'])
})

test('a device that was let in once reconnects at once beside a guesser at its own address', async (t) => {
  const limits = { guessesFree: 1, guessPauseMs: 60_000, guessPauseMsMax: 60_000 }
  const { port, seen } = await startTestBroker(t, { access: await accessOf({ 'cam-1': 'one' }), limits })
  const right = { username: 'cam-1', password: 'one' }
  assert.equal(await connackOf(t, port, right), 0)
  assert.equal(await connackOf(t, port, { ...right, password: 'guess 1' }), 4)
  const guess = mqtt.connect(`mqtt://127.0.0.1:${port}`, { ...right, password: 'guess 2', reconnectPeriod: 0 })
  t.after(() => guess.endAsync(true))
  await once(guess.stream, 'connect')
  assert.equal(await connackOf(t, port, right), 0)
  assert.equal(seen('connect-refused').length, 1, 'the second guess waits')
})

test('a fleet that connects all at once with one name and its password is let in, every one of it', async (t) => {
  const { port } = await startTestBroker(t, { access: await accessOf({ fleet: 'one' }) })
  const codes = await Promise.all(Array.from({ length: 30 }, () => connackOf(t, port, { username: 'fleet', password: 'one' })))
  assert.deepEqual(codes.filter((code) => code !== 0), [])
})
