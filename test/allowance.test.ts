import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Allowance } from '../bridge/uplink/allowance.ts'
import { Window } from '../bridge/uplink/window.ts'

/** Draws pieces as fast as they are given, from several senders; returns when and how much. */
async function draw (
  allowance: Allowance, { piece, seconds, senders = 8 }: { piece: number, seconds: number, senders?: number }
): Promise<Array<[number, number]>> {
  const given: Array<[number, number]> = []
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: senders }, async () => {
    while (performance.now() - startedAt < seconds * 1000) {
      const bytes = Math.min(piece, allowance.pieceBytesMax)
      await allowance.pace(bytes)
      given.push([performance.now() - startedAt, bytes])
    }
  }))
  return given
}

function open (t: TestContext, bytesPerSecond: number): Allowance {
  const allowance = new Allowance(bytesPerSecond)
  t.after(() => { allowance.close() })
  return allowance
}

for (const [line, bytesPerSecond, piece] of [
  ['64 kbit/s', 8_000, 500], ['40 Mbit/s', 5_000_000, 250_000], ['40 Mbit/s in small pieces', 5_000_000, 1_000],
  ['1 Gbit/s', 125_000_000, 4_000_000]
] as const) {
  test(`a line of ${line} is not exceeded, but for what a moment's rest saves up`, async (t) => {
    const given = await draw(open(t, bytesPerSecond), { piece, seconds: 3 })
    for (const [from] of given) {
      const inWindow = given.filter(([at]) => at >= from && at < from + 2000).reduce((sum, [, bytes]) => sum + bytes, 0)
      assert.ok(inWindow <= bytesPerSecond * 2 * 1.3, `${inWindow} bytes in the 2 s after ${from} ms`)
    }
  })
}

test('the thinnest of lines sends nearly all of it and never more, although a piece is half of what goes in a second', async (t) => {
  await Promise.all([20, 190, 475].map(async (bytesPerSecond) => {
    const given = await draw(open(t, bytesPerSecond), { piece: 1e6, seconds: 3, senders: 2 })
    const bytes = given.reduce((sum, [, piece]) => sum + piece, 0)
    const last = (given.at(-1)?.[0] ?? NaN) / 1000
    assert.ok(last > 2 && bytes / last <= bytesPerSecond * 1.05, `${bytes} bytes in ${last} s at ${bytesPerSecond}`)
    assert.ok(bytes / last >= bytesPerSecond * 0.9, `${bytes} bytes in ${last} s at ${bytesPerSecond}`)
  }))
})

test('a rate that changes while pieces wait applies at once and stalls nothing', async (t) => {
  const allowance = open(t, 10_000_000)
  await draw(allowance, { piece: 100_000, seconds: 0.2 })
  const large = allowance.pieceBytesMax
  const waiting = Promise.all([allowance.pace(large), allowance.pace(large), allowance.pace(large)])
  allowance.bytesPerSecond = 1_000_000
  await waiting
  const before = allowance.givenBytes
  await draw(allowance, { piece: 10_000, seconds: 1 })
  const given = allowance.givenBytes - before
  assert.ok(given > 500_000 && given < 1_200_000, `${given} bytes in the second after`)
})

test('a piece that is given up is not charged and holds up nobody', async (t) => {
  const allowance = open(t, 10_000)
  const cut = new AbortController()
  const first = allowance.pace(allowance.pieceBytesMax)
  const givenUp = allowance.pace(allowance.pieceBytesMax, cut.signal)
  cut.abort()
  await Promise.all([first, givenUp])
  assert.equal(allowance.givenBytes, allowance.pieceBytesMax)
  assert.equal(allowance.waitingBytes, 0)
})

test('over a window the bytes are what was added in it, and no more', () => {
  let now = 1_000_000
  const window = new Window(10_000, () => now)
  window.add(5)
  now += 6_000
  window.add(7)
  assert.equal(window.bytes, 12)
  now += 4_200
  assert.equal(window.bytes, 7)
  now += 60_000
  assert.equal(window.bytes, 0)
})

test('over any 10 s no more is given than the allowance, however long it rested before', async (t) => {
  const allowance = open(t, 200_000)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const given = await draw(allowance, { piece: 4_000, seconds: 10 })
  const bytes = given.filter(([at]) => at < 10_000).reduce((sum, [, piece]) => sum + piece, 0)
  assert.ok(bytes <= 2_000_000, `${bytes} bytes in 10 s`)
})

test('what a busy line saved up in a stall is used, and forgotten when it has rested', async (t) => {
  const allowance = open(t, 1_000_000)
  const burst = async (): Promise<number> => {
    const before = allowance.givenBytes
    await draw(allowance, { piece: 10_000, seconds: 0.1 })
    return allowance.givenBytes - before
  }
  await draw(allowance, { piece: 10_000, seconds: 0.5 })
  const until = performance.now() + 400
  while (performance.now() < until); // nobody else runs
  const busy = await burst()
  assert.ok(busy > 400_000, `${busy} bytes after the stall`)
  await new Promise((resolve) => setTimeout(resolve, 1800))
  const rested = await burst()
  assert.ok(rested < 320_000, `${rested} bytes after the rest`)
})

test('without a limit nothing waits, and what had waited goes when the limit is taken off', async (t) => {
  const allowance = open(t, 1_000)
  const waiting = Promise.all(Array.from({ length: 50 }, () => allowance.pace(allowance.pieceBytesMax)))
  allowance.bytesPerSecond = Infinity
  await waiting
  const startedAt = performance.now()
  for (let i = 0; i < 2_000; i++) await allowance.pace(allowance.pieceBytesMax)
  assert.ok(performance.now() - startedAt < 2_000)
  assert.equal(allowance.waitingBytes, 0)
  allowance.bytesPerSecond = 1_000_000
  const given = allowance.givenBytes
  await draw(allowance, { piece: 10_000, seconds: 1 })
  assert.ok(allowance.givenBytes - given < 1_300_000, `${allowance.givenBytes - given} bytes in a second`)
})
