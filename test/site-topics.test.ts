import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from './helpers/eventually.ts'
import { startTestBridge } from './helpers/bridge.ts'
import { connectReader } from './helpers/mqtt.ts'
import { SiteTopics } from '../bridge/site-topics.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import { describeStatus } from '../bridge/status.ts'
import { backlog, facts } from './helpers/facts.ts'

test('whoever connects reads that the site is online and what holds there, and hears of a clean stop', async (t) => {
  const { bridge, close } = await startTestBridge(t, { SLUICE_MQTT_SITE: 'berlin-2', SLUICE_UPLINK_CAPACITY: '100Mbit' })
  const { device, messages } = await connectReader(t, bridge.mqtt.port)
  await device.subscribeAsync(['sluice/berlin-2/#', '$SYS/broker/version'])
  const last = (topic: string): string | undefined =>
    messages.filter((message) => message.topic === topic).at(-1)?.payload.toString()
  await eventually(() => last('sluice/berlin-2/state') === 'online' && last('$SYS/broker/version') === 'sluice version test')
  const info = JSON.parse(last('sluice/berlin-2/info') ?? '{}')
  assert.deepEqual([info.site, info.version, info.limits.packetBytesMax, info.limits.uplinkBytesPerSecond, info.slo],
    ['berlin-2', 'test', 8_000_000, 100e6 / 8 * 0.2 * 0.95, { targetSeconds: 10, objective: 0.99 }])
  assert.ok(messages.filter(({ topic }) => topic.startsWith('sluice/')).every(({ retain }) => retain))
  await device.publishAsync('sluice/berlin-2/state', 'offline', { qos: 1 })
  await close()
  assert.deepEqual(messages.filter(({ topic }) => topic.endsWith('/state')).map(({ payload }) => payload.toString()),
    ['online', 'offline']) // its own word, at the end
})

test('numbers come every time it looks, and limits only where they have changed', async () => {
  const said: Array<readonly [string, string, boolean]> = []
  let status = describeStatus(facts(backlog))
  const config = readConfig({ flags: {}, env: {} })
  const voice = { announce: async (...args: [string, string, boolean]) => { said.push(args) } }
  const topics = new SiteTopics({ voice, status: () => status }, config)
  topics.look()
  status = describeStatus(facts({ ...backlog, limit: { bytesPerSecond: 1e6 } }))
  topics.look()
  await topics.close()
  assert.deepEqual(said.map(([topic, , retain]) => [topic.replace('sluice/main/', ''), retain]), [
    ['state', true], ['info', true], ['stats', false], ['stats', false], ['info', true], ['stats', false], ['state', true]
  ])
  const stats = JSON.parse(said.find(([topic]) => topic.endsWith('/stats'))?.[1] ?? '{}')
  assert.deepEqual([stats.waiting, stats.waitingBytes, stats.oldestSeconds], [1214, 304e6, 840])
  assert.equal(stats.ledger.acknowledged, 21_214)
})
