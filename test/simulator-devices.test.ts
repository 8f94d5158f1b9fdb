import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { DeviceEvent } from '../device-sim/devices/events.ts'
import { startPlainBroker } from './helpers/plain-broker.ts'
import { startRawBroker } from './helpers/raw-broker.ts'
import { simulate } from './helpers/simulate.ts'

const one = { count: 1, inflight: 1, queue: 1000, rate: '40/s', backoff: { first: '10ms', max: '20ms' } }

// Side by side: they mostly wait.
void describe('faithful devices', { concurrency: true }, () => {
  test('with DUP a device resends in its session, under the old packet identifier, marked as a repeat', async (t) => {
    const { port, connections } = await startCuttingBroker(t)
    const { counts } = await simulate({ port, limit: 3, devices: { ...one, dup: true } })
    const [, first, second] = connections // the first of all is the probe
    assert.deepEqual([first?.publishes[0]?.dup, second?.publishes[0]?.dup], [false, true])
    assert.equal(second?.publishes[0]?.messageId, first?.publishes[0]?.messageId)
    assert.deepEqual([second?.connect.clean, second?.publishes[1]?.dup], [false, false])
    assert.equal(counts.acknowledged, 3)
  })

  test('without DUP a device resends as new, in a new session', async (t) => {
    const { port, connections } = await startCuttingBroker(t)
    await simulate({ port, limit: 3, devices: one })
    const [, first, second] = connections
    assert.deepEqual([second?.connect.clean, second?.publishes[0]?.dup], [true, false])
    assert.deepEqual(second?.publishes[0]?.payload, first?.publishes[0]?.payload)
  })

  test('a connection cut in the middle of a PUBLISH leaves half a packet, and the image comes whole over the next', async (t) => {
    const { port, connections } = await startRawBroker(t)
    const flap = { every: '100ms', for: '0s', how: 'mid-publish' }
    const { counts, reconnects } = await simulate({ port, limit: 20, devices: { ...one, flap } })
    const halves = connections.filter(({ pendingBytes }) => pendingBytes() > 1000)
    assert.ok(reconnects > 0 && halves.length >= reconnects, `${halves.length} of ${reconnects}`)
    assert.equal(new Set(connections.flatMap(({ publishes }) => publishes.map(({ topic }) => topic))).size, 20)
    assert.equal(counts.acknowledged, 20)
  })

  test('a half-open connection says nothing any more, while its device is back on another', async (t) => {
    const { port, connections } = await startRawBroker(t)
    let [open, ended] = [0, 0]
    const flap = { every: '150ms', for: '0s', how: 'half-open' }
    const { counts, reconnects } = await simulate({ port, limit: 20, devices: { ...one, flap } }, {
      progress: () => {},
      observe: ({ kind }) => {
        if (kind !== 'acknowledged') return
        ended = connections.filter(({ isEnded }) => isEnded).length
        open = connections.length - ended
      }
    })
    // A connection that is not yet one when its device goes down ends like any other.
    assert.ok(open > 1 && open > ended, `${open} open and ${ended} ended after ${reconnects} reconnects`)
    assert.equal(counts.acknowledged, 20)
  })

  test('a device that forgets without power loses what waits, and says how much', async (t) => {
    const { port } = await startRawBroker(t, () => false)
    const flap = { every: '300ms', for: '10s', how: 'power' }
    const { counts, drops } = await simulate({
      port, limit: 100, drainTimeout: '100ms', devices: { ...one, flap, power: 'forgets' }
    })
    assert.ok(drops.power > 0)
    assert.equal(counts.captured, counts.dropped + counts.unfinished)
  })

  test('a device that keeps what waits through a loss of power delivers all of it', async (t) => {
    const { port } = await startRawBroker(t)
    const flap = { every: '200ms', for: '50ms', how: 'power' }
    const { counts, reconnects } = await simulate({ port, limit: 30, devices: { ...one, flap } })
    assert.ok(reconnects > 0)
    assert.equal(counts.acknowledged, 30)
  })

  test('an image of 16 kB takes a quarter of a second over a link of 512 kbit/s', async (t) => {
    const { port } = await startRawBroker(t)
    const { fromSend } = await simulate({ port, limit: 3, devices: { ...one, rate: '2/s', linkRate: '512kbit' } })
    assert.ok(fromSend.p50 > 200 && fromSend.p50 < 2000, `${fromSend.p50} ms`)
  })

  test('a latency of the link is paid both ways', async (t) => {
    const { port } = await startRawBroker(t)
    const { fromSend } = await simulate({ port, limit: 3, devices: { ...one, rate: '2/s', linkLatency: '100ms' } })
    assert.ok(fromSend.p50 >= 200 && fromSend.p50 < 2000, `${fromSend.p50} ms`)
  })

  test('a wrong clock is in what the device says, and in no latency', async (t) => {
    const { port, connections } = await startRawBroker(t)
    const { fromPlan, evidence } = await simulate({ port, limit: 4, devices: { ...one, format: 'json', clockError: '24h' } })
    const [payload] = connections.flatMap(({ publishes }) => publishes.map(({ payload }) => String(payload)))
    const { capturedAt } = JSON.parse(payload ?? '') as { capturedAt: string }
    assert.ok(Math.abs(Date.parse(capturedAt) - (evidence.acknowledged[0]?.plannedAt ?? 0)) > 60_000, capturedAt)
    assert.ok(fromPlan.max < 10_000)
  })

  test('in a reconnect storm all devices are cut at once, and come back', async (t) => {
    const { port } = await startPlainBroker(t)
    const { reconnects, counts } = await simulate({
      port, limit: undefined, duration: '1500ms', reconnectStorm: '500ms', devices: { count: 20, rate: '4/s' }
    })
    assert.equal(reconnects, 20)
    assert.equal(counts.acknowledged, counts.captured)
  })

  test('devices that are offline capture on, and deliver when they are back', async (t) => {
    const { port } = await startPlainBroker(t)
    const { counts, reconnects, fromPlan } = await simulate({
      port, limit: undefined, duration: '1500ms', devices: { rate: '10/s', offline: { share: '100%', at: '200ms', for: '800ms' } }
    })
    assert.equal(reconnects, 3)
    assert.ok(fromPlan.max > 500, `${fromPlan.max} ms`)
    assert.equal(counts.acknowledged, counts.captured)
  })

  test('what is planned for long after a run does not happen in it', async (t) => {
    const { port } = await startPlainBroker(t)
    const flap = { every: '100000h', for: '0s' } // longer than a timer of Node's may be
    const { reconnects, counts } = await simulate({ port, devices: { flap } })
    assert.deepEqual([reconnects, counts.acknowledged], [0, 12])
  })

  test('devices that stay offline to the end are waited for without a look at the clock', async (t) => {
    const { port } = await startPlainBroker(t)
    const warnings: string[] = []
    const hear = ({ name }: Error): void => { warnings.push(name) }
    process.on('warning', hear)
    const { counts } = await simulate({ port, drainTimeout: '100ms', devices: { offline: { share: '100%' } } })
    process.off('warning', hear)
    assert.deepEqual([counts.acknowledged, warnings], [0, []])
  })

  test('every nth image is sent twice, is no image, or is too large; each is counted as what it is', async (t) => {
    const { port, connections } = await startRawBroker(t,
      ({ payload }, { socket }) => payload.length < 1_000_000 || !cut(socket))
    const events: DeviceEvent[] = []
    const report = await simulate({
      port,
      limit: 20,
      devices: { ...one, duplicateEvery: 3, corruptEvery: 5, oversizeEvery: 10, oversizeBytes: '1MB' }
    }, { observe: (event) => { events.push(event) } })
    const sent = events.flatMap((event) => event.kind === 'sent' && !event.isAgain ? [event.image] : [])
    const counted = ['stored', 'refused', 'either'].map((expect) => sent.filter((image) => image.expect === expect).length)
    assert.deepEqual(counted, [16, 2, 2]) // the 10th and 20th are too large before they are no image
    assert.deepEqual([report.repeated, report.drops['too-large'], report.counts.acknowledged], [5, 2, 18])
    const heads = connections.flatMap(({ publishes }) =>
      publishes.map(({ payload }) => Buffer.from(payload).subarray(0, 7).toString()))
    assert.equal(heads.filter((head) => head === 'this is').length, 2)
  })

  test('a share of the images goes as JSON, the others as they are', async (t) => {
    const { port, connections } = await startRawBroker(t)
    await simulate({ port, limit: 20, devices: { ...one, format: 'mix:raw=80,json=20' } })
    const firsts = connections.flatMap(({ publishes }) => publishes.map(({ payload }) => payload[0]))
    assert.deepEqual([0x7b, 0xff].map((start) => firsts.filter((byte) => byte === start).length), [4, 16])
  })

  test('a topic is made of what the devices know', async (t) => {
    const { port, connections } = await startRawBroker(t)
    await simulate({ port, username: 'u', limit: 2, devices: { ...one, start: 7, topic: '%u/%i/%c/%seq/%id' } })
    const topics = connections.flatMap(({ publishes }) => publishes.map(({ topic }) => topic))
    assert.match(topics.join(), /^u\/7\/sim-0007\/1\/[0-9a-f]{8}-000001,u\/7\/sim-0007\/2\/[0-9a-f]{8}-000002$/)
  })

  test('in a closed loop an image is taken for each PUBACK, up to the limit', async (t) => {
    const { port } = await startPlainBroker(t)
    const { counts, model } = await simulate({ port, model: 'closed', limit: 200, devices: { rate: undefined } })
    assert.deepEqual([model, counts.planned, counts.acknowledged, counts.unfinished], ['closed', 200, 200, 0])
  })

  test('devices spread over processes do what they do in one', async (t) => {
    const { port } = await startPlainBroker(t)
    const { counts, evidence } = await simulate({ port, workers: 2, devices: { count: 5 } })
    assert.deepEqual(counts, { planned: 12, captured: 12, sent: 12, acknowledged: 12, dropped: 0, unfinished: 0 })
    assert.equal(new Set(evidence.acknowledged.map(({ sha256 }) => sha256)).size, 12)
  })

  test('more devices join and fewer go on while it runs, and nothing is left behind', async (t) => {
    const { port, connections } = await startRawBroker(t)
    const report = await simulate({ port, limit: undefined, duration: '2500ms', devices: { count: 10, rate: '5/s' } }, {
      started: (_, { resize, finish }) => {
        resize(1.5)
        setTimeout(() => { resize(0.2) }, 800)
        setTimeout(finish, 1500)
      }
    })
    const devices = new Set(connections.map(({ connect }) => connect.clientId))
    const late = new Set(connections.filter(({ isEnded }) => !isEnded).map(({ connect }) => connect.clientId))
    assert.equal(devices.size, 15)
    assert.ok(late.size <= 3, `${late.size} are left`)
    assert.equal(report.counts.acknowledged, report.counts.captured)
    assert.ok(report.seconds < 2.4, `${report.seconds} s`)
  })
})

/** It cuts the connection behind the probe's at its first PUBLISH, and takes everything after. */
async function startCuttingBroker (t: TestContext): ReturnType<typeof startRawBroker> {
  const broker = await startRawBroker(t, (_, { socket }) => broker.connections.length > 2 || !cut(socket))
  return broker
}

/** True: the connection is gone instead of a PUBACK. */
function cut (socket: { destroy (): unknown }): boolean {
  socket.destroy()
  return true
}
