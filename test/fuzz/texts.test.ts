// Readers of what strangers and operators write: JSON envelopes and configuration files. Whatever they are given, they
// end with an outcome of theirs.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError } from '../../bridge/config/problems.ts'
import { readConfig } from '../../bridge/config/read-config.ts'
import { exampleConfig } from '../../bridge/config/describe.ts'
import { parsePasswords } from '../../broker/passwords.ts'
import { parseRules } from '../../broker/rules.ts'
import { readOffer } from '../../bridge/intake/candidate.ts'
import { readEnvelope } from '../../bridge/intake/envelope.ts'
import { effortOf } from './effort.ts'
import { mutate } from './mutate.ts'

const BATCH = 50

const telling = fc.constantFrom('__proto__', 'constructor', 'toString', '', '../../x', 'a\0b', 'NaN', '1e999', '\ud800', 'x'.repeat(300))
const values = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  telling, fc.constant('/9j/4AAQSkZJRg=='), fc.double(), fc.constantFrom(null, true, [], {}, 8.64e15, -1, 'alarm')
)
const envelopes = fc.dictionary(
  fc.constantFrom('image', 'id', 'device', 'capturedAt', 'sha256', 'seq', 'meta', 'lane', '__proto__', 'other'), values
).map((envelope) => JSON.stringify(envelope))

/** What this has found. An error here ends the service: nobody knows who has the image then. */
const FOUND = ['id', 'device', 'sha256'].flatMap((key) =>
  ['{"toString":1,"valueOf":1}', '["a"]', '['.repeat(50_000) + ']'.repeat(50_000)]
    .map((value) => `{"image":"/9j/4AAQ","${key}":${value}}`))

test('an envelope whose names are objects is refused, and is no fault of ours', () => {
  for (const text of FOUND) assert.equal(readEnvelope(Buffer.from(text), 'image').kind, 'fault', text.slice(0, 80))
})

test('every payload has an outcome, and the names in it are names', async (t) => {
  const { seed, random, goesOn } = effortOf(t, 0.05)
  let count = 0
  for (let batch = 0; batch === 0 || goesOn(); batch++) {
    for (const text of fc.sample(envelopes, { seed: seed + batch, numRuns: BATCH })) {
      const payload = count % 2 === 0 ? Buffer.from(text) : mutate(Buffer.from(text), random)
      const outcome = readEnvelope(payload, 'image')
      const [imageId, deviceId] = outcome.kind === 'envelope' ? [outcome.envelope.imageId, outcome.envelope.deviceId] : [outcome.imageId]
      for (const id of [imageId, deviceId]) assert.match(id ?? 'none', /^(?!\.\.?$)[A-Za-z0-9._~-]{1,128}$/, text)
      const offer = readOffer({ deviceId: undefined, imageId: undefined, topic: '', payload }, 'image')
      if (offer.kind === 'refused') assert.ok(offer.fault.detail.length < 500, offer.fault.detail)
      count++
    }
  }
  t.diagnostic(`${count} payloads`)
})

const words = fc.constantFrom(
  'mqtt', 'listen', 'uplink', 'schedule', 'lanes', 's3', 'key', 'auth', 'null', '~', '&a', '*a', '<<', '!!js/function', '!!binary', '{', '[', '- ', '"',
  '{deviceId}', '1e9', '0x10', '9'.repeat(400), '127.0.0.1:0', '100%', '-5MB', '40Mbit', '\t', '#', '? ', '|', '>'
)
const configs = fc.oneof(
  fc.array(fc.oneof(words, telling, fc.constantFrom('\n', '\n  ', ': ', ', ')), { maxLength: 30 }).map((parts) => parts.join('')),
  fc.dictionary(words, values).map((object) => JSON.stringify(object))
)

test('every configuration file is read, or all that is wrong with it is told', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-fuzz-'))
  t.after(() => rm(dir, { recursive: true }))
  const { seed, random, goesOn } = effortOf(t, 0.05)
  const [file, example] = [join(dir, 'sluice.yaml'), Buffer.from(exampleConfig())]
  let [count, wrong] = [0, 0]
  for (let batch = 0; batch === 0 || goesOn(); batch++) {
    for (const text of fc.sample(configs, { seed: seed + batch, numRuns: BATCH })) {
      writeFileSync(file, count++ % 2 === 0 ? text : mutate(example, random, 12))
      try {
        readConfig({ file })
      } catch (error) {
        assert.ok(error instanceof ConfigError, `${String(error)} of ${text}`)
        wrong++
      }
    }
  }
  rmSync(file)
  assert.ok(wrong > 0, 'some of them were wrong')
  t.diagnostic(`${count} files, ${wrong} of them refused`)
})

test('every line of a password file and of an ACL file is taken, or is a problem with its number', (t) => {
  const { seed, random, goesOn } = effortOf(t, 0.05)
  const entry = Buffer.from('cam-1:$7$101$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo\nuser cam-1\ntopic read site/#\npattern write {deviceId}/+\n')
  const lines = fc.array(fc.oneof(telling, fc.constantFrom('user ', 'topic ', 'pattern ', 'read ', 'deny ', '%c', '{deviceId}', '$7$', '$6$', ':', '\n', '#')))
  let count = 0
  for (let batch = 0; batch === 0 || goesOn(); batch++) {
    for (const parts of fc.sample(lines, { seed: seed + batch, numRuns: BATCH })) {
      const text = count++ % 2 === 0 ? parts.join('') : mutate(entry, random, 6).toString()
      const numbers = [...parsePasswords(text).problems, ...parseRules(text).problems].map(({ line }) => line)
      assert.ok(numbers.every((line) => line >= 1 && line <= text.split('\n').length), text)
    }
  }
  t.diagnostic(`${count} files`)
})
