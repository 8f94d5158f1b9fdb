import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../bridge/config/read-config.ts'
import type { Sources } from '../bridge/config/sources.ts'
import { formatDescribed, describeConfig } from '../bridge/config/describe.ts'
import { readOffer, type Offer } from '../bridge/intake/candidate.ts'
import { laneByRule } from '../bridge/intake/lane-rules.ts'
import { isEntry } from '../bridge/spool/entry-record.ts'
import { entryWith, deviceId } from './helpers/exposition.ts'
import { ask, keep, startSite } from './helpers/http.ts'
import { jpegOf } from './helpers/jpeg.ts'

const image = jpegOf(500)

function offer (fields: object, more: Partial<Offer> = {}): Offer {
  const payload = Buffer.from(JSON.stringify({ image: image.toString('base64'), ...fields }))
  return { deviceId: deviceId('cam-1'), imageId: undefined, topic: 'devices/cam-1/images', payload, ...more }
}

test('an envelope names its lane, and one that names a lane there is not is refused in a sentence', () => {
  const alarm = readOffer(offer({ lane: 'alarm' }), 'image')
  assert.equal(alarm.kind === 'candidate' && alarm.arrival.lane, 'alarm')
  for (const lane of ['urgent', 'ALARM', 1, {}]) {
    const refused = readOffer(offer({ lane }), 'image')
    assert.ok(refused.kind === 'refused')
    assert.equal(refused.fault.reason, 'bad_meta')
    assert.match(refused.fault.detail, /^lane .* is none of alarm, normal, bulk$/)
  }
  for (const fields of [{}, { lane: null }]) {
    const none = readOffer(offer(fields), 'image')
    assert.equal(none.kind === 'candidate' && none.arrival.lane, undefined)
  }
})

test('rules choose a lane by device or topic, the first that fits', () => {
  const lane = (rule: { device?: string, topic?: string }, device: string, topic: string): boolean =>
    laneByRule([{ ...rule, lane: 'bulk' }], { deviceId: deviceId(device), sourceTopic: topic }) === 'bulk'
  const topic = 'devices/gate-7/images/night-1'
  for (const device of ['gate-7', 'gate-*', '*-7', '*', 'g*e-*7']) assert.ok(lane({ device }, 'gate-7', topic), device)
  for (const device of ['gate', 'gate-', 'Gate-*', '*-', 'gate-7*7']) assert.ok(!lane({ device }, 'gate-7', topic), device)
  for (const filter of ['devices/+/images/+', 'devices/#', '#', 'devices/gate-*/images/night-*', 'devices/gate-7/images/night-1/#']) {
    assert.ok(lane({ topic: filter }, 'gate-7', topic), filter)
  }
  for (const filter of ['devices/+/images', '+', 'devices/+', 'devices/*/images/day-*']) {
    assert.ok(!lane({ topic: filter }, 'gate-7', topic), filter)
  }
  const rules = [{ device: 'gate-*', lane: 'alarm' }, { topic: 'devices/#', lane: 'bulk' }] as const
  assert.equal(laneByRule(rules, { deviceId: deviceId('gate-7'), sourceTopic: topic }), 'alarm')
  assert.equal(laneByRule(rules, { deviceId: deviceId('cam-7'), sourceTopic: topic }), 'bulk')
  assert.equal(laneByRule(rules, { deviceId: deviceId('cam-7'), sourceTopic: '/api/v1/images' }), undefined)
})

test('shares and rules are read from a file, the environment and flags, and wrong ones are refused in words', () => {
  const uplink = (flags: Readonly<Record<string, string>>) => readConfig({ flags }).uplink
  assert.deepEqual(uplink({}).lanes, { alarm: 0.4, normal: 0.4, bulk: 0.2 })
  assert.deepEqual(uplink({ 'uplink.lanes': 'alarm=60%,bulk=10%' }).lanes, { alarm: 0.6, normal: 0, bulk: 0.1 })
  assert.deepEqual(uplink({ 'uplink.laneRules': 'gate-*=alarm, devices/+/images/n-*=bulk' }).laneRules,
    [{ device: 'gate-*', lane: 'alarm' }, { topic: 'devices/+/images/n-*', lane: 'bulk' }])
  const refused = (path: string, value: string, says: RegExp): void => {
    assert.throws(() => readConfig({ env: { [path]: value } }), { name: 'ConfigError', message: says })
  }
  refused('SLUICE_UPLINK_LANES', 'alarm=60%,normal=60%', /uplink\.lanes: .* promises more than the whole line/)
  refused('SLUICE_UPLINK_LANES', 'urgent=10%', /uplink\.lanes: .* is not a share for each lane; write it like/)
  refused('SLUICE_UPLINK_LANE_RULES', 'gate-*=urgent', /uplink\.laneRules: .* is not a list of rules; write it like/)
  refused('SLUICE_UPLINK_LANE_RULES', 'a/#/b=bulk', /uplink\.laneRules: .* is not a list of rules/)
  refused('SLUICE_UPLINK_ORDER', 'random', /uplink\.order: .*write fair or oldest or newest or newest-per-device/)
})

test('what is printed of lanes and rules can be put into a file', () => {
  const sources: Sources = { flags: { 'uplink.laneRules': 'gate-*=alarm', 'uplink.lanes': 'alarm=50%' } }
  const printed = formatDescribed(describeConfig(sources))
  assert.match(printed, /lanes: \{ alarm: 50%, normal: 0%, bulk: 0% \}/)
  assert.match(printed, /laneRules: \[ \{ device: gate-\*, lane: alarm \} \]/)
})

test('a record of an earlier version has no lane, and one with a lane there is not is none of ours', () => {
  const { lane, ...earlier } = entryWith()
  assert.deepEqual([isEntry(earlier), isEntry({ ...earlier, lane: 'bulk' }), isEntry({ ...earlier, lane: 'x' })],
    [true, true, false])
})

test('over HTTP the lane stands in the query, and an operator can put a waiting image first', async (t) => {
  const { url, spool } = await startSite(t)
  const headers = { 'content-type': 'image/jpeg', 'content-length': image.length }
  const sent = await ask(`${url}/api/v1/images?device=cam-1&id=a&lane=bulk`, { method: 'POST', headers }, image)
  assert.equal(sent.status, 201, sent.body)
  const wrong = await ask(`${url}/api/v1/images?device=cam-1&id=b&lane=fast`, { method: 'POST', headers }, image)
  assert.equal(wrong.status, 400)
  assert.match(wrong.body, /lane \\"fast\\" is none of alarm, normal, bulk/)
  const put = await ask(`${url}/api/v1/images/cam-1:a/prioritize`, { method: 'POST' })
  const { state, lane, prioritized } = JSON.parse(put.body) as Record<string, unknown>
  assert.deepEqual([put.status, state, lane, prioritized], [200, 'waiting', 'bulk', true])
  const status = JSON.parse((await ask(`${url}/api/v1/status`)).body) as
    { backlog: { lanes: Record<string, { count: number, bytes: number }> } }
  assert.deepEqual(status.backlog.lanes['prioritized']?.count, 1)
  const failed = await keep(spool, 'cam-2', 'f', image)
  await spool.setAside(failed, { failedAt: 1, reason: 'too_large', detail: '', attempts: 1 })
  const refused = await ask(`${url}/api/v1/images/cam-2:f/prioritize`, { method: 'POST' })
  assert.equal(refused.status, 409)
  assert.match(refused.body, /this one is failed/)
})
