import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fleet } from '../bridge/fleet.ts'
import { createMetrics } from '../bridge/metrics.ts'
import { deviceId, entryWith, imageId, levelsWith, parseExposition } from './helpers/exposition.ts'

test('a scrape with 5,000 devices takes 20 ms', async (t) => {
  const fleet = new Fleet()
  const metrics = createMetrics(levelsWith({ devices: () => fleet.levels }), {
    version: '1.2.3', configHash: 'abc123', slo: { targetMs: 10_000, objective: 0.99 }
  })
  for (let n = 0; n < 5000; n++) {
    const from = { deviceId: deviceId(`cam-${n}`), imageId: imageId(`i-${n}`) }
    for (const event of [
      { kind: 'client-connected', clientId: `c-${n}` },
      { kind: 'image-taken', entry: entryWith(from), format: 'raw', seconds: 0.01 },
      { kind: 'publish-acknowledged', seconds: 0.01, entry: from, clientId: `c-${n}` }
    ] as const) {
      fleet.observe(event)
      metrics.observe(event)
    }
  }
  const times: number[] = []
  for (let scrape = 0; scrape < 21; scrape++) {
    const startedAt = performance.now()
    await metrics.text()
    times.push(performance.now() - startedAt)
  }
  const median = times.sort((a, b) => a - b)[10] ?? NaN
  t.diagnostic(`${median.toFixed(1)} ms`)
  assert.ok(median < 100, `${median} ms`) // this machine may have other work
  assert.equal(parseExposition(await metrics.text()).series.get('sluice_devices{state="online"}'), 5000)
})

test('a device is silent once it is connected and twice its usual time has gone by, and offline once its client has left', () => {
  let now = 0
  const fleet = new Fleet(() => now)
  const send = (device: string, clientId: string | undefined): void => {
    const from = { deviceId: deviceId(device), imageId: imageId('a') }
    fleet.observe({ kind: 'image-taken', entry: entryWith(from), format: 'raw', seconds: 0 })
    if (clientId !== undefined) fleet.observe({ kind: 'publish-acknowledged', seconds: 0, entry: from, clientId })
  }
  for (const clientId of ['a', 'b']) fleet.observe({ kind: 'client-connected', clientId })
  for (; now < 90_000; now += 30_000) {
    for (const [device, client] of [['cam-1', 'a'], ['cam-2', 'b'], ['web', undefined]] as const) send(device, client)
  }
  assert.deepEqual(fleet.levels, { online: 3, offline: 0, silent: 0 })
  now += 31_000 // 61 s after the last image
  send('cam-2', 'b')
  assert.deepEqual(fleet.levels, { online: 1, offline: 1, silent: 1 })
  fleet.observe({ kind: 'client-disconnected', clientId: 'a', reason: 'client' })
  assert.deepEqual(fleet.levels, { online: 1, offline: 2, silent: 0 })
  fleet.observe({ kind: 'client-connected', clientId: 'b' }) // it takes over from itself
  fleet.observe({ kind: 'client-disconnected', clientId: 'b', reason: 'takeover' })
  assert.deepEqual(fleet.levels, { online: 1, offline: 2, silent: 0 })
  now += 86_500_000
  assert.deepEqual(fleet.levels, { online: 0, offline: 0, silent: 0 })
})
