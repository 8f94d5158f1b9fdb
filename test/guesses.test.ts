import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import mqtt from 'mqtt'
import { Guesses } from '../broker/guesses.ts'
import { Identities } from '../broker/identities.ts'
import { defaultLimits } from '../broker/limits.ts'
import { accessOf, connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { startTestBroker } from './helpers/mqtt.ts'

test('verifications run side by side up to their limit, and one address does not keep another waiting', async () => {
  const guesses = new Guesses({ ...defaultLimits, verifyingMax: 2 })
  const order: string[] = []
  let running = 0
  let runningMax = 0
  const guess = (address: string, username: string) => guesses.judge({ address, username, seal: '' }, async () => {
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
  let seals = 0
  const guess = async (address: string, username: string, isRight = false): Promise<number> => {
    const startedAt = performance.now()
    await guesses.judge({ address, username, seal: `${++seals}` }, async () => isRight)
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

test('of one address for one name only so many passwords wait, and the lot says which of the rest are refused unverified', async () => {
  const guesses = new Guesses({ ...defaultLimits, guessesWaitingMax: 2 })
  let verified = 0
  const asked = Array.from({ length: 6 }, (_, i) =>
    guesses.judge({ address: 'a', username: 'u', seal: `${i}` }, async () => { verified++; return false }))
  const judged = await Promise.all(asked)
  assert.deepEqual([...judged].sort(), ['crowded', 'crowded', 'crowded', 'wrong', 'wrong', 'wrong'])
  assert.equal(verified, 3, 'one and the two that wait')
})

test('one wrong password again and again is verified once, takes no place and does not hold up the right one', async () => {
  const pauses = { guessPauseMs: 60_000, guessPauseMsMax: 60_000 }
  const guesses = new Guesses({ ...defaultLimits, ...pauses, guessesFree: 2, guessesWaitingMax: 1 })
  let verified = 0
  const guess = (seal: string) => guesses.judge({ address: 'a', username: 'u', seal }, async () => {
    verified++
    return seal === 'right'
  })
  for (let i = 0; i < 50; i++) assert.equal(await guess('wrong'), 'wrong')
  assert.equal(verified, 1)
  assert.equal(await guess('right'), 'right')
})

test('among guesses without end from its own address and for its own name a right password is let in within seconds', async (t) => {
  const guesses = new Guesses({ ...defaultLimits, guessPauseMs: 2, guessPauseMsMax: 5 }) // a hundredth of the defaults
  const awake = setInterval(() => {}, 1000)
  t.after(() => { clearInterval(awake) })
  const over = new AbortController()
  let made = 0
  const guesser = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await guesses.judge({ address: 'a', username: 'u', seal: `guess ${made++}` }, async () => false)
      await delay(1) // to connect again
    }
  }
  const guessers = Array.from({ length: 8 }, guesser)
  let attempts = 0
  for (let judged = ''; judged !== 'right' && attempts < 200; attempts++) {
    await delay(1)
    judged = await guesses.judge({ address: 'a', username: 'u', seal: 'right' }, async () => true)
  }
  over.abort()
  await Promise.all(guessers)
  assert.ok(attempts < 200, `${attempts} attempts`)
})

test('who hung up gives its place back', async () => {
  const guesses = new Guesses({ ...defaultLimits, guessesWaitingMax: 1 })
  let release = (): void => {}
  const busy = new Promise<void>((resolve) => { release = resolve })
  const first = guesses.judge({ address: 'a', username: 'u', seal: '1' }, async () => { await busy; return false })
  const second = guesses.judge({ address: 'a', username: 'u', seal: '2', isGone: () => true }, async () => true)
  release()
  assert.equal(await first, 'wrong')
  assert.equal(await second, 'crowded')
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

/** Who there is, and nobody else: `cam-0` to `cam-999`, each with its name for a password. */
const devices = new Set(Array.from({ length: 1_000 }, (_, nth) => `cam-${nth}`))
const slow = { ...defaultLimits, addressGuessesFree: 10, addressGuessesPerSecond: 20 }

/** Keeps the process running while nothing but waits does. */
function awake (t: TestContext): void {
  const timer = setInterval(() => {}, 1000)
  t.after(() => { clearInterval(timer) })
}

test('wrong guesses of one address at one name after the other are slowed, those of another address are not', async (t) => {
  awake(t)
  const told: string[] = []
  const guesses = new Guesses(slow, { isFresh: () => false, onSlow: (address) => { told.push(address) } })
  let made = 0
  const spray = async (address: string, count: number): Promise<number> => {
    const startedAt = performance.now()
    for (let nth = 0; nth < count; nth++) await guesses.judge({ address, username: `user-${made++}`, seal: '' }, async () => false)
    return performance.now() - startedAt
  }
  assert.ok(await spray('bad', 10) < 50, 'the first ten are free')
  const ms = await spray('bad', 20)
  assert.ok(ms > 900, `twenty more took ${ms} ms; at 20 a second they take 1,000`)
  assert.ok(await spray('other', 10) < 50)
  assert.deepEqual(told, ['bad'])
})

test('beside a guesser behind the same address a fleet comes back after a restart without waiting for him', async (t) => {
  awake(t)
  const missed = new Set<string>()
  const guesses = new Guesses(slow, { isFresh: (name) => devices.has(name) && !missed.has(name) })
  const over = new AbortController()
  let made = 0
  const guesser = async (nth: number): Promise<void> => {
    while (!over.signal.aborted) {
      await guesses.judge({ address: 'nat', username: `user-${nth}-${made++}`, seal: 'guess' }, async () => false)
      await delay(1)
    }
  }
  const guessers = Array.from({ length: 20 }, (_, nth) => guesser(nth))
  await delay(300)
  const startedAt = performance.now()
  const judged = await Promise.all([...devices].map((username) => guesses.judge({ address: 'nat', username, seal: username }, async () => true)))
  const ms = performance.now() - startedAt
  over.abort()
  await Promise.all(guessers)
  assert.deepEqual(judged.filter((one) => one !== 'right'), [])
  assert.ok(ms < 1_000, `the fleet was in after ${ms} ms`)
  assert.ok(made < 200, `${made} guesses`)
})

test('he who guesses at the names that there are has one guess at each, and then waits; a right password gets in all the same', async (t) => {
  awake(t)
  const missed = new Set<string>()
  const guesses = new Guesses(slow, { isFresh: (name) => devices.has(name) && !missed.has(name) })
  const verified: string[] = []
  const spray = async (nth: number): Promise<void> => {
    for (const username of devices) {
      if (verified.length > 1_500) return
      await guesses.judge({ address: 'nat', username, seal: `guess ${nth}` }, async () => {
        verified.push(username)
        missed.add(username)
        return false
      })
    }
  }
  for (let nth = 0; nth < 3; nth++) void spray(nth)
  await eventually(() => missed.size === devices.size)
  const before = verified.length
  await delay(500)
  assert.ok(verified.length - before < 25, `${verified.length - before} guesses in half a second, at 20 a second`)
  let isIn = false
  for (let attempts = 0; attempts < 50 && !isIn; attempts++) {
    isIn = await guesses.judge({ address: 'nat', username: 'cam-500', seal: 'right' }, async () => true) === 'right'
  }
  assert.ok(isIn)
})

test('a password that was right is known at once from where it was right; from elsewhere it is a guess like others', async (t) => {
  awake(t)
  const access = await accessOf({ 'cam-1': 'one' })
  const limits = { ...defaultLimits, guessesFree: 0, guessPauseMs: 300, guessPauseMsMax: 300, topicPrefix: 'devices' }
  const identities = new Identities(access, limits)
  const ask = async (address: string, password: string): Promise<number> => {
    const startedAt = performance.now()
    await identities.verify({ username: 'cam-1', password: Buffer.from(password), address })
    return performance.now() - startedAt
  }
  await ask('10.0.0.1', 'one')
  assert.ok(await ask('10.0.0.1', 'one') < 100, 'known again')
  assert.ok(await ask('10.0.0.2', 'one') > 250, 'a guesser elsewhere is not told faster that he is right')
  assert.ok(await ask('10.0.0.2', 'one') < 100)
})
