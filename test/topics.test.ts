import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatAcksTopic, formatImageTopic, formatStatusTopic, parseDeviceId, parseDeviceTopic, parseImageId, type DeviceId
} from '../broker/topics.ts'

const deviceId = 'cam-1' as DeviceId

test('an image topic names the device, and the image where the device named it', () => {
  assert.deepEqual(parseDeviceTopic('devices/cam-1/images', 'devices'), { kind: 'image', deviceId, imageId: undefined })
  assert.deepEqual(parseDeviceTopic('devices/cam-1/images/a1', 'devices'), { kind: 'image', deviceId, imageId: 'a1' })
})

test('a file extension is no part of an image id', () => {
  assert.equal(parseImageId('a1.jpg'), 'a1')
  assert.equal(parseImageId('a1.JPEG'), 'a1')
  assert.equal(parseImageId('a1.txt'), 'a1.txt')
  assert.equal(parseImageId('.jpg'), undefined)
})

test('names that mean something to a file system or to a program are no ids', () => {
  for (const name of ['', '.', '..', 'a/b', 'a b', 'ä', 'a\0', '\ud800', 'x'.repeat(129)]) {
    assert.equal(parseDeviceId(name), undefined, JSON.stringify(name))
    assert.equal(parseImageId(name), undefined, JSON.stringify(name))
  }
  assert.equal(parseImageId('...jpg'), undefined)
})

test('what is not of the contract is no device topic', () => {
  const foreign = [
    'devices', 'devices/', 'devices/cam-1', 'devices/cam-1/', 'devices/cam-1/images/', 'devices/cam-1/images/a/b',
    'devices/../images', 'devices//images', 'devices/cam-1/status/x', 'devices/cam-1/acks/x', 'devices/cam-1/configs', 'devices/../config',
    'device/cam-1/images', '/devices/cam-1/images', 'devices/cam-1/Images'
  ]
  for (const topic of foreign) assert.equal(parseDeviceTopic(topic, 'devices'), undefined, topic)
})

test('what others tell a device is below its config and its responses', () => {
  assert.deepEqual(parseDeviceTopic('devices/cam-1/config', 'devices'), { kind: 'config', deviceId })
  assert.deepEqual(parseDeviceTopic('devices/cam-1/responses/7/x', 'devices'), { kind: 'responses', deviceId })
})

test('a prefix may have several levels', () => {
  assert.deepEqual(parseDeviceTopic('site/7/cam-1/acks', 'site/7'), { kind: 'acks', deviceId })
  assert.equal(parseDeviceTopic('site/8/cam-1/acks', 'site/7'), undefined)
})

test('every topic that is formatted is parsed back', () => {
  const id = fc.stringMatching(/^[A-Za-z0-9_~-][A-Za-z0-9_~-]{0,60}$/)
  fc.assert(fc.property(id, id, (device, image) => {
    const named = { deviceId: parseDeviceId(device), imageId: parseImageId(image) }
    assert.ok(named.deviceId !== undefined && named.imageId !== undefined)
    const { deviceId, imageId } = named
    const parse = (topic: string): unknown => parseDeviceTopic(topic, 'devices')
    assert.deepEqual(parse(formatImageTopic('devices', deviceId, imageId)), { kind: 'image', deviceId, imageId })
    assert.deepEqual(parse(formatAcksTopic('devices', deviceId)), { kind: 'acks', deviceId })
    assert.deepEqual(parse(formatStatusTopic('devices', deviceId)), { kind: 'status', deviceId })
  }))
})
