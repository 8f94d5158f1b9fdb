import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { MemoryBudget, type Grant } from '../broker/budget.ts'
import { eventually } from './helpers/eventually.ts'

test('a request that fits is held at once', () => {
  const budget = new MemoryBudget(100)
  const grant = budget.request(60, () => assert.fail('called although it was held at once'))
  assert.equal(grant.isHeld, true)
  assert.deepEqual(budget.levels, { heldBytes: 60, waiting: 0 })
})

test('a small request waits behind a large one that came before it', () => {
  const budget = new MemoryBudget(100)
  const turns: string[] = []
  const first = budget.request(60, () => {})
  budget.request(80, () => turns.push('large'))
  budget.request(1, () => turns.push('small'))
  assert.deepEqual(budget.levels, { heldBytes: 60, waiting: 2 })
  first.release()
  assert.deepEqual(turns, ['large', 'small'])
  assert.deepEqual(budget.levels, { heldBytes: 81, waiting: 0 })
})

test('a request larger than the whole budget is held alone', () => {
  const budget = new MemoryBudget(100)
  const small = budget.request(10, () => {})
  const huge = budget.request(500, () => {})
  const behind = budget.request(10, () => {})
  assert.equal(huge.isHeld, false)
  small.release()
  assert.deepEqual([huge.isHeld, behind.isHeld], [true, false])
  huge.release()
  assert.deepEqual([behind.isHeld, budget.levels.heldBytes], [true, 10])
})

test('who withdraws while waiting lets those behind it on', () => {
  const budget = new MemoryBudget(100)
  budget.request(60, () => {})
  const large = budget.request(80, () => assert.fail('it was withdrawn'))
  const small = budget.request(40, () => {})
  large.release()
  assert.equal(small.isHeld, true)
  assert.deepEqual(budget.levels, { heldBytes: 100, waiting: 0 })
})

test('a grant given back twice is counted once', () => {
  const budget = new MemoryBudget(100)
  const grant = budget.request(60, () => {})
  budget.request(10, () => {})
  grant.release()
  grant.release()
  assert.equal(budget.levels.heldBytes, 10)
})

test('acquire resolves in turn, and an aborted wait leaves nothing held', async () => {
  const budget = new MemoryBudget(100)
  const first = await budget.acquire(100)
  const stop = new AbortController()
  const aborted = budget.acquire(50, stop.signal)
  const second = budget.acquire(70)
  stop.abort(new Error('the upload was given up'))
  await assert.rejects(aborted, /given up/)
  await assert.rejects(budget.acquire(1, stop.signal), /given up/)
  first.release()
  assert.equal((await second).bytes, 70)
  assert.deepEqual(budget.levels, { heldBytes: 70, waiting: 0 })
})

test('what is here whole and queues up for the disk leaves the rest of the budget to slow lines', async () => {
  const budget = new MemoryBudget(100, 30)
  const first = budget.request(20, () => {})
  const second = budget.request(20, () => {})
  assert.deepEqual([first.isHeld, second.isHeld], [true, false], 'a part is all that quick ones have')
  await eventually(() => second.isHeld, { what: 'a turn behind a slow one' })
  first.arrived()
  const third = budget.request(20, () => {})
  second.arrived()
  await delay(1500)
  assert.equal(third.isHeld, false, 'what is whole does not become slow, however long the disk takes')
  first.release()
  second.release()
  assert.equal(third.isHeld, true)
  assert.deepEqual(budget.levels, { heldBytes: 20, waiting: 0 })
})

test('slow lines have the whole budget and no more', async () => {
  const budget = new MemoryBudget(50, 20)
  const grants = [20, 20, 20].map((bytes) => budget.request(bytes, () => {}))
  await eventually(() => grants[1]?.isHeld)
  await delay(1200)
  assert.deepEqual(budget.levels, { heldBytes: 40, waiting: 1 })
  grants[0]?.release()
  assert.deepEqual(budget.levels, { heldBytes: 40, waiting: 0 })
})

test('whatever is asked and given back in whatever order, the limit holds, turns are kept and nothing leaks', () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 150 }), release: fc.nat(), isRelease: fc.boolean() })
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(100, 40), (steps, bytesMax) => {
    const budget = new MemoryBudget(100, bytesMax)
    const grants: Grant[] = []
    const turns: number[] = []
    let asked = 0
    for (const { bytes, release, isRelease } of steps) {
      if (isRelease) grants.splice(release % (grants.length + 1), 1).forEach((grant) => grant.release())
      else {
        const turn = asked++
        const grant = budget.request(bytes, () => turns.push(turn))
        if (grant.isHeld) turns.push(turn)
        grants.push(grant)
      }
      const held = grants.filter((grant) => grant.isHeld)
      const heldBytes = held.reduce((sum, grant) => sum + grant.bytes, 0)
      assert.deepEqual(budget.levels, { heldBytes, waiting: grants.length - held.length })
      assert.ok(heldBytes <= bytesMax || held.filter((grant) => grant.bytes > 0).length === 1)
    }
    assert.deepEqual(turns, turns.toSorted((a, b) => a - b))
    grants.forEach((grant) => grant.release())
    assert.deepEqual(budget.levels, { heldBytes: 0, waiting: 0 })
  }), { numRuns: 300 })
})
