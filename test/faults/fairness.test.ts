// Devices that shout, in the running service: images come by MQTT while uploads are paused, and leave in the order
// `fair`. What each device got of the line is read from the store's answers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestBridge } from '../helpers/bridge.ts'
import { eventually } from '../helpers/eventually.ts'
import { jain } from '../helpers/jain.ts'
import { publishShots } from '../helpers/shots.ts'
import { rounds } from './rounds.ts'

const DEVICES = rounds({ fast: 40, long: 200 })
const LOUD = DEVICES / 40
const IMAGES = rounds({ fast: 6, long: 12 })
const TIMES_AS_MUCH = rounds({ fast: 10, long: 50 })
/** Each has had so much of the line then, and all of them still have more. */
const TURNS = IMAGES - 2
const BYTES = 10_000

test(`of ${DEVICES} devices ${LOUD} send ${TIMES_AS_MUCH} times as much, and each has its share of the line`, async (t) => {
  const { bridge, events } = await startTestBridge(t, { SLUICE_UPLINK_CAPACITY: '1Gbit', SLUICE_UPLINK_SHARE: '100%' })
  const order = async (what: string): Promise<void> => {
    const { status } = await fetch(`http://127.0.0.1:${bridge.http.port}/api/v1/uplink/${what}`, { method: 'POST' })
    assert.equal(status, 200)
  }
  await order('pause')
  const devices = Array.from({ length: DEVICES }, (_, nth) => ({
    device: `cam-${nth}`,
    count: nth < LOUD ? IMAGES * TIMES_AS_MUCH : IMAGES,
    bytes: nth < LOUD || nth % 2 === 0 ? BYTES : 2 * BYTES
  }))
  for (let from = 0; from < DEVICES; from += 20) {
    await Promise.all(devices.slice(from, from + 20).map((shots) => publishShots(bridge.mqtt.port, { prefix: 'i', ...shots })))
  }
  await order('resume')
  const wanted = DEVICES * TURNS * BYTES
  const leaving = (): typeof events => events.filter(({ kind }) => kind === 'put-started')
  await eventually(() => leaving().length * BYTES > wanted, { timeoutMs: 60_000, everyMs: 20, what: 'that each had its turns' })
  const got = new Map(devices.map(({ device }) => [device, 0]))
  let sum = 0
  for (const event of leaving()) {
    if (event.kind !== 'put-started' || sum >= wanted) break
    got.set(event.entry.deviceId, (got.get(event.entry.deviceId) ?? 0) + event.entry.bytes)
    sum += event.entry.bytes
  }
  const index = jain([...got.values()])
  t.diagnostic(`Jain's index ${index.toFixed(4)} over ${(sum / 1e6).toFixed(1)} MB`)
  assert.ok(index >= 0.98, `Jain's index is ${index}`)
})
