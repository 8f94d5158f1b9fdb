// Images are made before they are due, because many may be due in one moment.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Device } from '../device-sim/devices/device.ts'
import type { DeviceEvent } from '../device-sim/devices/events.ts'
import { now } from '../device-sim/devices/fleet.ts'
import { createImageSource } from '../device-sim/images/image-source.ts'
import { formatMark } from '../device-sim/images/mark.ts'
import { Schedule } from '../device-sim/scenario/schedule.ts'
import type { DeviceId } from '../broker/topics.ts'
import { eventually } from './helpers/eventually.ts'
import { startRawBroker } from './helpers/raw-broker.ts'
import { simulate, smallScenario } from './helpers/simulate.ts'

test('what is due is prepared before, the earliest first, and is captured in its time all the same', async () => {
  const said: string[] = []
  let late = 0
  const schedule = new Schedule({ durationMs: 250, limit: Infinity, now: () => performance.now() })
  for (const [device, at] of [190, 200, 210].entries()) schedule.add(device, [at, 1000][Symbol.iterator]())
  schedule.add(3, [100][Symbol.iterator]())
  const startedAt = performance.now()
  await schedule.run(startedAt, {
    prepare: (device, plannedAt) => { said.push(`prepare ${device} for ${Math.round(plannedAt - startedAt)}`) },
    capture: (device, plannedAt) => {
      said.push(`capture ${device}`)
      late = Math.max(late, plannedAt - performance.now())
    }
  }, new AbortController().signal)
  assert.deepEqual(said, ['prepare 3 for 100', 'prepare 0 for 190', 'prepare 1 for 200', 'prepare 2 for 210',
    'capture 3', 'capture 0', 'capture 1', 'capture 2'])
  assert.equal(late, 0)
})

test('the captures begin once there was time to make the first image of each device', async (t) => {
  const { port } = await startRawBroker(t)
  let leadMs = 0
  const { counts } = await simulate({ port, limit: 60, devices: { count: 60, arrival: 'synchronized', jitter: '0%' } }, {
    started: (startedAt) => { leadMs = startedAt - now() }
  })
  assert.ok(leadMs > 50, `${leadMs} ms`)
  assert.equal(counts.acknowledged, 60)
})

test('an image that was prepared is made once, and sent as it would have been', async (t) => {
  const { port, connections } = await startRawBroker(t)
  const events: DeviceEvent[] = []
  let made = 0
  const source = createImageSource('marks', (mark) => {
    made++
    return [Buffer.from('a '), Buffer.from(formatMark(mark))]
  })
  const [group] = smallScenario().groups
  assert.ok(group !== undefined)
  const target = { host: '127.0.0.1', port }
  const device = new Device({ source, now, observe: (event) => { events.push(event) } },
    { id: 'sim-0001' as DeviceId, index: 0, number: 1, run: '0123abcd', group, target, clockErrorMs: 60_000 })
  const stop = new AbortController()
  const running = device.run(stop.signal)
  const count = (kind: DeviceEvent['kind']): number => events.filter((event) => event.kind === kind).length
  await eventually(() => count('connected') === 1)
  const plannedAt = now() + 20
  device.prepare(plannedAt)
  assert.equal(made, 1)
  device.capture(plannedAt)
  assert.equal(made, 1)
  device.capture(plannedAt + 1) // which nobody prepared
  await eventually(() => count('acknowledged') === 2)
  assert.equal(made, 2)
  stop.abort()
  await running
  const sent = events.flatMap((event) => event.kind === 'sent' ? [event.image.sha256] : [])
  const received = connections[0]?.publishes.map(({ payload }) => payload) ?? []
  assert.deepEqual(sent, received.map((payload) => createHash('sha256').update(payload).digest('hex')))
  assert.match(String(received[0]), /^a device-sim run=0123abcd device=sim-0001 number=1 at=/)
})
