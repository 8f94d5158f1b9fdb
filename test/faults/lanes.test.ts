import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BridgeEvent } from '../../bridge/events.ts'
import { startTestBridge } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { jpegOf } from '../helpers/jpeg.ts'
import { rounds } from './rounds.ts'

const BULK = rounds({ fast: 500, long: 10_000 })
const ALARMS = rounds({ fast: 8, long: 100 })
const BYTES = 20_000
/** 1.9 Mbit/s, less TCP: 11 images a second. All that waits would take from 40 s on. */
const LINE = { SLUICE_UPLINK_CAPACITY: '10Mbit', SLUICE_UPLINK_SHARE: '20%' }

test(`an alarm is in the store within 2 s at p99 while ${BULK} bulk images wait for a thin line`, async (t) => {
  const { bridge, events, status } = await startTestBridge(t, {
    ...LINE, SLUICE_UPLINK_LANE_RULES: 'alarm-*=alarm,cam-*=bulk'
  })
  const url = `http://127.0.0.1:${bridge.http.port}/api/v1/images`
  const send = async (device: string, id: number): Promise<void> => {
    const response = await fetch(`${url}?device=${device}&id=i${id}`, {
      method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(jpegOf(BYTES))
    })
    assert.equal(response.status, 201)
  }
  for (let sent = 0; sent < BULK; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, nth) => send(`cam-${nth}`, sent + nth)))
  }
  for (let nth = 0; nth < ALARMS; nth++) {
    await send(`alarm-${nth % 3}`, nth)
    const before = uploadedBulk(events)
    await eventually(() => uploadedBulk(events) > before + 1, {
      what: 'the upload of bulk images', timeoutMs: 20_000, everyMs: 50
    })
  }
  const seconds = await eventually(() => {
    const found = events.flatMap((event) => event.kind === 'entry-uploaded' && isAlarm(event) ? event.seconds : [])
    return found.length === ALARMS ? found : undefined
  }, { what: 'the upload of the alarms', timeoutMs: 20_000 })
  const p99 = seconds.sort((a, b) => a - b)[Math.ceil(ALARMS * 0.99) - 1] ?? Infinity
  t.diagnostic(`p99 ${p99.toFixed(2)} s, median ${seconds[ALARMS >> 1]?.toFixed(2)} s`)
  assert.ok(p99 <= 2, `p99 ${p99} s`)
  assert.ok((await status()).ledger.waiting > BULK / 2, 'the backlog lasts')
})

function isAlarm ({ entry }: Extract<BridgeEvent, { kind: 'entry-uploaded' }>): boolean {
  return entry.lane === 'alarm'
}

function uploadedBulk (events: readonly BridgeEvent[]): number {
  return events.filter((event) => event.kind === 'entry-uploaded' && !isAlarm(event)).length
}
