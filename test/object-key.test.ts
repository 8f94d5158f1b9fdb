import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Entry } from '../bridge/entry.ts'
import { settings } from '../bridge/config/settings.ts'
import { objectKey } from '../bridge/uplink/object-key.ts'
import { parseDeviceTopic } from '../broker/topics.ts'

const template = settings.parse({}).s3.key
const receivedAt = Date.UTC(2026, 10, 3)

const spiteful = fc.constantFrom('..', '.', '/', '\0', '\n', '%2e', '{imageId}', '{deviceId}', '$&', 'images', '\u202e', '\\', '~', '-')
const plain = fc.constantFrom(...'abcABC019._~-')
const id = fc.oneof(
  { weight: 6, arbitrary: fc.array(plain, { minLength: 1, maxLength: 12 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.array(plain, { minLength: 60, maxLength: 130 }).map((parts) => parts.join('')) },
  { weight: 3, arbitrary: fc.array(fc.oneof(plain, spiteful), { maxLength: 6 }).map((parts) => parts.join('')) }
)

test('of 100,000 random topics none chooses a key that is too long, leaves its place or is that of another image', () => {
  const owners = new Map<string, string>()
  let accepted = 0
  fc.assert(fc.property(id, id, (device, image) => {
    const topic = parseDeviceTopic(`devices/${device}/images/${image}`, 'devices')
    if (topic?.kind !== 'image' || topic.imageId === undefined) return
    accepted++
    const { deviceId, imageId } = topic
    assert.equal(deviceId, device, 'nobody is taken for another device')
    const key = objectKey(template, { deviceId, imageId, receivedAt, contentType: 'image/jpeg' } as Entry)
    assert.ok(Buffer.byteLength(key) <= 1_024, key)
    assert.doesNotMatch(key, /[\p{Cc}\p{Cf}]/u)
    assert.ok(key.split('/').every((part) => part !== '' && part !== '.' && part !== '..'), key)
    assert.ok(key.startsWith(`images/${device}/`), key)
    const owner = `${deviceId} ${imageId}`
    assert.equal(owners.get(key) ?? owner, owner, key)
    owners.set(key, owner)
  }), { seed: 8, numRuns: 100_000 })
  assert.ok(accepted > 30_000, `${accepted} of them were images`)
})
