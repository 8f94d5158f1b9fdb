import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../bridge/config/config.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import type { BridgeEvent } from '../bridge/events.ts'
import { startTestBridge, type TestBridge } from './helpers/bridge.ts'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'

const LINE = { SLUICE_UPLINK_CAPACITY: '1Gbit', SLUICE_UPLINK_SHARE: '100%' }
const uplinkOf = (flags: Readonly<Record<string, string>>): Config['uplink'] =>
  readConfig({ env: LINE, flags }).uplink

async function send ({ bridge }: TestBridge, device: string, id: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${bridge.http.port}/?device=${device}&id=${id}`,
    { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(jpegOf(20_000)) })
  assert.equal(response.status, 201, await response.text())
}

const started = (events: readonly BridgeEvent[]): string[] =>
  events.flatMap((event) => event.kind === 'put-started' ? [event.entry.imageId] : [])

test('order, lanes, rules and concurrency change in a running service, and what is in flight then is sent once', async (t) => {
  const site = await startTestBridge(t, { ...LINE, SLUICE_UPLINK_CONCURRENCY: '1', SLUICE_UPLINK_ORDER: 'oldest' })
  const { bridge, store, events } = site
  await store.faults.set({ latencyMs: 800 })
  for (let i = 0; i < 12; i++) await send(site, 'cam-1', `n${i}`)
  await eventually(() => started(events).length === 1)
  bridge.configureUplink(uplinkOf({
    'uplink.order': 'newest', 'uplink.concurrency': '6', 'uplink.laneRules': 'gate-*=alarm', 'uplink.retryShare': '50%'
  }))
  await send(site, 'gate-1', 'alarm')
  await send(site, 'cam-1', 'last')
  await store.faults.set({ latencyMs: 100 })
  const most = await eventually(() => inFlight(events) >= 4 ? inFlight(events) : undefined)
  assert.ok(most <= 6, `${most} in flight`)
  await store.faults.set({ latencyMs: 0 })
  await eventually(async () => (await site.status()).ledger.uploaded === 14)
  const sent = started(events)
  assert.deepEqual(sent.slice(0, 3), ['n0', 'alarm', 'last'])
  assert.deepEqual([sent.length, new Set(sent).size], [14, 14])
  assert.equal((await site.objects()).size, 14)
})

test('fewer puts at a time hold from the next one on', async (t) => {
  const site = await startTestBridge(t, { ...LINE, SLUICE_UPLINK_CONCURRENCY: '8' })
  const { bridge, store, events } = site
  await store.faults.set({ latencyMs: 100 })
  for (let i = 0; i < 20; i++) await send(site, 'cam-1', `n${i}`)
  await eventually(() => inFlight(events) >= 4)
  bridge.configureUplink(uplinkOf({ 'uplink.concurrency': '1' }))
  await eventually(() => inFlight(events) <= 1)
  const from = events.length
  await eventually(async () => (await site.status()).ledger.uploaded === 20)
  assert.ok(events.every((_, at) => at < from || inFlight(events.slice(0, at + 1)) <= 1))
  assert.equal(started(events).length, 20)
})

function inFlight (events: readonly BridgeEvent[]): number {
  const count = (kind: BridgeEvent['kind']): number => events.filter((event) => event.kind === kind).length
  return count('put-started') - count('put-ended')
}
