import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, isLoopback, parseAddress } from '../bridge/config/address.ts'
import {
  formatDuration, formatRate, formatShare, formatSize, parseDuration, parseRate, parseShare, parseSize
} from '../bridge/config/units.ts'

test('sizes, rates and durations read as people write them', () => {
  assert.deepEqual(['250KB', '64MiB', '1.5GB', '1.1GB', '8000000', '8 MB', '0'].map(parseSize),
    [250_000, 67_108_864, 1_500_000_000, 1_100_000_000, 8_000_000, 8_000_000, 0])
  assert.deepEqual(['40Mbit', '40mbit/s', '40 Mbps', '512kbit', '1.5Gbit'].map(parseRate),
    [40e6, 40e6, 40e6, 512e3, 1.5e9])
  assert.deepEqual(['500ms', '90s', '1.5m', '5min', '24h', '7d', '0'].map(parseDuration),
    [500, 90_000, 90_000, 300_000, 86_400_000, 604_800_000, 0])
  assert.deepEqual(['20%', '0.2', '100 %', '0'].map(parseShare), [0.2, 0.2, 1, 0])
})

test('what could be read in two ways is not read at all', () => {
  for (const text of ['8Mb', '8M', '1.5', '-1', '1e3', '', 'MB', '0.5B']) {
    assert.equal(parseSize(text), undefined, text)
  }
  for (const text of ['40', '40M', '5MB/s', '0.5bit']) assert.equal(parseRate(text), undefined, text)
  for (const text of ['90', '90 sec', '1h30m', '0.5ms']) assert.equal(parseDuration(text), undefined, text)
  for (const text of ['20', '1', '1.5', '-5%']) assert.equal(parseShare(text), undefined, text)
  for (const text of ['1883', ':1883', '*:1883', '::1:1883', '127.0.0.1:70000', '127.0.0.1:', 'a b:1']) {
    assert.equal(parseAddress(text), undefined, text)
  }
})

test('what is printed reads back as the same number', () => {
  const round = fc.oneof(fc.nat(1000).map((n) => n * 1e6), fc.nat(1000).map((n) => n * 2 ** 20))
  const whole = fc.oneof(fc.nat(), fc.maxSafeNat(), round)
  fc.assert(fc.property(whole, (bytes) => parseSize(formatSize(bytes)) === bytes))
  fc.assert(fc.property(whole, (bits) => parseRate(formatRate(bits)) === bits))
  fc.assert(fc.property(whole, (ms) => parseDuration(formatDuration(ms)) === ms))
  fc.assert(fc.property(fc.nat(10_000), (hundredths) => {
    const text = `${hundredths / 100}%`
    return formatShare(parseShare(text) ?? NaN) === text
  }))
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain())
  fc.assert(fc.property(host, fc.nat(65_535), (host, port) => {
    assert.deepEqual(parseAddress(formatAddress({ host, port })), { host, port })
  }))
})

test('only this machine reaches a loopback address', () => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example.com', 'localhost.example.com', '128.0.0.1']) {
    assert.ok(!isLoopback(host), host)
  }
})
