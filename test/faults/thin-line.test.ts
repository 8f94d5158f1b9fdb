// A line that carries less than the allowance: it is found out, said, and not flooded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { startThinLine, type ThinLine } from '../helpers/line.ts'
import { startRemoteBridge } from '../helpers/remote-bridge.ts'
import { publishShots } from '../helpers/shots.ts'
import { rounds } from './rounds.ts'

const ALLOWED = 500_000
const IMAGE_BYTES = 25_000
const COUNT = rounds({ fast: 25, long: 1500 })
const BACK_MS_MAX = 120_000

test('on a line that carries a tenth of the allowance nothing times out and no image goes twice', async (t) => {
  let thin: ThinLine | undefined
  const { mqttPort, status, events } = await startRemoteBridge(t, {
    line: async (port) => (thin = await startThinLine(t, port, ALLOWED / 10)).port,
    env: {
      SLUICE_UPLINK_CAPACITY: `${ALLOWED * 8}bit`,
      SLUICE_UPLINK_SHARE: '100%',
      SLUICE_UPLINK_OVERHEAD: '0%',
      SLUICE_UPLINK_TIMEOUT: '5s',
      SLUICE_SLO_TARGET: '1s'
    }
  })
  await publishShots(mqttPort, { device: 'cam-1', prefix: 'n', count: COUNT, bytes: IMAGE_BYTES })
  const { verdict, allowance } = await eventually(async () => {
    const now = await status()
    return now.allowance.carriedBytesPerSecond === undefined ? undefined : now
  }, { timeoutMs: 30_000, everyMs: 50, what: 'that the line is known to be thin' })
  t.diagnostic(verdict.sentence)
  assert.match(verdict.sentence, /The line carries [\d.]+ (kbit\/s )?of 4 Mbit\/s allowed\./)
  const { carriedBytesPerSecond = 0 } = allowance
  assert.ok(carriedBytesPerSecond > ALLOWED / 30 && carriedBytesPerSecond < ALLOWED / 5, `${carriedBytesPerSecond} bytes/s`)

  assert.ok(thin !== undefined)
  thin.bytesPerSecond = Infinity
  if (COUNT > 100) {
    await eventually(async () => (await status()).allowance.carriedBytesPerSecond === undefined,
      { timeoutMs: BACK_MS_MAX, everyMs: 50, what: 'the whole allowance again' })
    assert.ok((await status()).ledger.waiting > 0)
  }
  await eventually(async () => (await status()).ledger.uploaded === COUNT, { timeoutMs: 120_000, everyMs: 50 })
  assert.equal(events.filter(({ kind }) => kind === 'put-started').length, COUNT)
  assert.ok(events.every((event) => event.kind !== 'put-ended' || event.outcome === 'stored'))
})
