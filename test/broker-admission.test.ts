import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeConnect, judgeFilter, judgePublish } from '../broker/admission.ts'

const rules = { topicPrefix: 'devices', topicLengthMax: 100, topicDepthMax: 8, ordinaryBytesMax: 1000 }
const claim = { clientId: 'cam-1', clean: true, protocolVersion: 4, remote: '127.0.0.1' }
const connectRules = { anonymous: 'loopback', clientIdLengthMax: 256 } as const

test('a nameless client is admitted from this machine, and from elsewhere only when the operator said always', () => {
  const judge = (remote: string, anonymous: 'loopback' | 'always' | 'never'): number | undefined =>
    judgeConnect({ ...claim, remote }, { ...connectRules, anonymous })?.returnCode
  for (const remote of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
    assert.equal(judge(remote, 'loopback'), undefined, remote)
    assert.equal(judge(remote, 'never'), 5, remote)
  }
  for (const remote of ['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '', '127.0.0.1.evil.example']) {
    assert.equal(judge(remote, 'loopback'), 5, remote)
    assert.equal(judge(remote, 'always'), undefined, remote)
  }
})

test('MQTT 5 is denied in words that say what to change', () => {
  const denial = judgeConnect({ ...claim, protocolVersion: 5 }, connectRules)
  assert.equal(denial?.result, 'unsupported_protocol')
  assert.equal(denial?.detail,
    'cam-1 speaks MQTT 5; set the client to 3.1.1 (mosquitto_pub -V mqttv311, MQTTX -V 3.1.1)')
})

test('a client id is denied when it is too long, has U+0000, or is missing for a session that is kept', () => {
  const judge = (clientId: string, clean: boolean): number | undefined =>
    judgeConnect({ ...claim, clientId, clean }, connectRules)?.returnCode
  assert.equal(judge('', true), undefined)
  assert.equal(judge('', false), 2)
  assert.equal(judge('x'.repeat(256), false), undefined)
  assert.equal(judge('x'.repeat(257), true), 2)
  assert.equal(judge('a\0b', true), 2)
})

test('images, status and the site\'s own topics may be published; what Sluice writes and what is unknown may not', () => {
  const judge = (topic: string): string => judgePublish(topic, 10, rules).kind
  assert.equal(judge('devices/cam-1/images'), 'image')
  assert.equal(judge('devices/cam-1/images/a1.jpg'), 'image')
  for (const topic of ['devices/cam-1/status', 'devices/cam-1/config', 'devices/cam-1/responses/7', 'devices', 'lights/hall', 'sluiced/x', '/']) {
    assert.equal(judge(topic), 'ordinary', topic)
  }
  const refused = [
    'devices/cam-1/acks', 'devices/cam-1/other', 'devices/../config', 'devices/../images', 'devices/cam-1/images/a/b', 'devices//images',
    '$SYS/broker/uptime', '$share/a/b', 'sluice/site/state', 'a\0b', 'devices/cam\0/images', 'x'.repeat(101),
    '', 'lights/#', 'lights/+/x', 'a+b'
  ]
  for (const topic of refused) assert.equal(judge(topic), 'refused', topic)
})

test('a message outside the image topics is refused above its own limit, an image is not', () => {
  assert.equal(judgePublish('lights/hall', 1000, rules).kind, 'ordinary')
  assert.equal(judgePublish('lights/hall', 1001, rules).kind, 'refused')
  assert.equal(judgePublish('devices/cam-1/status', 1001, rules).kind, 'refused')
  assert.equal(judgePublish('devices/cam-1/images', 1001, rules).kind, 'image')
})

test('a filter that is about images alone is denied, a wider one is granted', () => {
  const denied = [
    'devices/cam-1/images', 'devices/+/images', 'devices/+/images/#', '+/+/images/+', 'devices/cam-1/images/a1',
    'a\0b', 'x'.repeat(101)
  ]
  for (const filter of denied) assert.equal(typeof judgeFilter(filter, rules)?.detail, 'string', filter)
  for (const filter of ['#', 'devices/#', 'devices/+/+', 'devices/+/acks', 'lights/images', 'lights/x/images', '$SYS/#']) {
    assert.equal(judgeFilter(filter, rules), undefined, filter)
  }
})
