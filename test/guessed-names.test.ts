import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Identities } from '../broker/identities.ts'
import { defaultLimits } from '../broker/limits.ts'
import { Missed } from '../broker/missed.ts'
import { accessOf } from './helpers/access.ts'

/** Keeps the process running while nothing but waits does. */
function awake (t: TestContext): void {
  const timer = setInterval(() => {}, 1000)
  t.after(() => { clearInterval(timer) })
}

test('beside a guesser a first guess is answered at once and a second one waits, whether there is the name or not', async (t) => {
  awake(t)
  const access = await accessOf({ 'cam-1': 'one', 'cam-2': 'two' })
  const told: string[] = []
  const limits = { ...defaultLimits, addressGuessesFree: 1, addressGuessesPerSecond: 4, guessPauseMs: 0, topicPrefix: 'devices' }
  const identities = new Identities(access, limits, (address) => { told.push(address) })
  const ask = async (username: string, password: string): Promise<number> => {
    const startedAt = performance.now()
    await identities.verify({ username, password: Buffer.from(password), address: '10.0.0.1' })
    return performance.now() - startedAt
  }
  for (const name of ['cam-1', 'nobody']) await ask(name, 'guess 1')
  for (const name of ['cam-2', 'somebody']) assert.ok(await ask(name, 'guess 1') < 100, `the first at ${name}`)
  assert.deepEqual(told, ['10.0.0.1'])
  for (const name of ['cam-2', 'somebody']) assert.ok(await ask(name, 'guess 2') > 150, `the second at ${name}`)
})

test('a name that was guessed at before it was there is fresh once it is', async (t) => {
  awake(t)
  const limits = { ...defaultLimits, addressGuessesFree: 1, addressGuessesPerSecond: 2, topicPrefix: 'devices' }
  const identities = new Identities(await accessOf({ 'cam-1': 'one' }), limits)
  const verify = (username: string, password: string) =>
    identities.verify({ username, password: Buffer.from(password), address: '10.0.0.1' })
  for (const name of ['cam-1', 'cam-2']) await verify(name, 'guess')
  identities.configure(await accessOf({ 'cam-1': 'one', 'cam-2': 'two' }))
  const startedAt = performance.now()
  assert.equal((await verify('cam-2', 'two')).kind, 'known')
  assert.ok(performance.now() - startedAt < 200)
})

test('guesses at http.token are never fresh', async (t) => {
  awake(t)
  const limits = { ...defaultLimits, addressGuessesFree: 1, addressGuessesPerSecond: 4, topicPrefix: 'devices' }
  const identities = new Identities(await accessOf({ 'cam-1': 'one' }), limits)
  await identities.verify({ username: 'cam-1', password: Buffer.from('guess'), address: '10.0.0.1' })
  const startedAt = performance.now()
  assert.equal(await identities.judgeSecret('guess', 'secret', { address: '10.0.0.1' }), 'wrong')
  assert.ok(performance.now() - startedAt > 150)
})

test('of the names that there are not the oldest is forgotten, and none that there is', () => {
  const missed = new Missed(2)
  missed.add('cam-1', true)
  for (const name of ['a', 'b', 'c']) missed.add(name, false)
  assert.deepEqual(['cam-1', 'a', 'b', 'c'].map((name) => missed.has(name)), [true, false, true, true])
})
