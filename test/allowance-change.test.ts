import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Allowance } from '../bridge/uplink/allowance.ts'

function open (t: TestContext, bytesPerSecond: number): Allowance {
  const allowance = new Allowance(bytesPerSecond)
  t.after(() => { allowance.close() })
  return allowance
}

/** Draws pieces as large as may be, side by side, until told to stop. */
function drawAlways (allowance: Allowance): { stop (): Promise<void> } {
  const over = new AbortController()
  const senders = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) await allowance.pace(allowance.pieceBytesMax)
  })
  return {
    async stop () {
      over.abort()
      await Promise.all(senders)
    }
  }
}

test('pieces cut for a line 200 times as fast are sent back, and do not hold up or flood the thin one', async (t) => {
  const allowance = open(t, 100_000_000)
  const large = allowance.pieceBytesMax
  const waiting = Promise.all(Array.from({ length: 12 }, () => allowance.pace(large)))
  await sleep(300)
  allowance.bytesPerSecond = 500_000
  assert.ok((await waiting).includes(false), 'nothing was waiting when the line became thinner')
  const before = allowance.givenBytes
  const drawing = drawAlways(allowance)
  await sleep(1500)
  const given = allowance.givenBytes - before
  await drawing.stop()
  assert.ok(given > 300_000 && given < 900_000, `${given} bytes in 1.5 s of 500,000 a second`)
})

test('a rate that changes all the time never stalls, and gives no more than it comes to', async (t) => {
  const allowance = open(t, 1_000_000)
  const drawing = drawAlways(allowance)
  let [allowed, at, rate] = [0, performance.now(), 1_000_000]
  for (let change = 0; change < 20; change++) {
    await sleep(100)
    const now = performance.now()
    allowed += rate * (now - at) / 1000
    at = now
    rate = rate === 1_000_000 ? 4_000_000 : 1_000_000
    allowance.bytesPerSecond = rate
  }
  const { givenBytes } = allowance
  await drawing.stop()
  assert.ok(givenBytes < allowed * 1.1 && givenBytes > allowed * 0.7, `${givenBytes} of ${allowed} bytes`)
})
