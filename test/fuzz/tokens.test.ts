// Tokens that are nearly right.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseKeySet, parsePublicKeys, parseSecret } from '../../broker/token-keys.ts'
import { isToken, parseRevoked, verifyToken } from '../../broker/tokens.ts'
import { effortOf } from './effort.ts'
import { mutate } from './mutate.ts'

const BATCH = 50
const SECRET = 'a secret of thirty-two bytes and more'
const strange = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(-1, 0, 1e300, '__proto__', null, 'x'.repeat(300), [], {}))
const claims = fc.dictionary(fc.constantFrom('sub', 'exp', 'nbf', 'iat', 'aud', 'iss', 'jti', 'role', '__proto__'), strange)
const usual = fc.record({ sub: fc.constant('cam-1'), exp: fc.constant(Date.now() / 1000 + 3600) })
const headers = fc.record({
  alg: fc.constantFrom('HS256', 'HS512', 'RS256', 'ES256', 'EdDSA', 'none', 'None', '', 5, null), typ: fc.constant('JWT'), kid: strange, crit: strange
}, { requiredKeys: ['alg'] })

function sign (header: object, payload: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const head = `${part(header)}.${part(payload)}`
  return `${head}.${createHmac('sha256', SECRET).update(head).digest('base64url')}`
}

test('every token is right or wrong, and right only with our algorithm, a user and an end', async (t) => {
  const { seed, random, goesOn } = effortOf(t, 0.05)
  const { keys, problems } = parseSecret(SECRET)
  assert.deepEqual(problems, [])
  const rules = { keys, issuer: undefined, audience: undefined, revoked: parseRevoked('').revoked }
  const given = fc.tuple(fc.oneof(headers, fc.constant({ alg: 'HS256' })), fc.oneof(usual, claims, fc.tuple(usual, claims).map(([a, b]) => ({ ...a, ...b }))))
  let [count, right] = [0, 0]
  for (let batch = 0; batch === 0 || goesOn(); batch++) {
    for (const [header, payload] of fc.sample(given, { seed: seed + batch, numRuns: BATCH })) {
      const token = sign(header, payload)
      const sent = count++ % 2 === 0 ? token : mutate(Buffer.from(token), random).toString('latin1')
      isToken(sent)
      const verdict = await verifyToken(sent, rules)
      if (verdict.kind === 'wrong') continue
      right++
      assert.equal((header as { alg: unknown }).alg, 'HS256')
      assert.match(verdict.username, /^[^\s:/+#]+$/)
      assert.ok(verdict.expiresAt > Date.now())
    }
  }
  t.diagnostic(`${count} tokens, ${right} of them right`)
  assert.ok(right > 0)
})

test('every file of keys or of revoked tokens is read, or what is wrong with it is told', (t) => {
  const { seed, random, goesOn } = effortOf(t, 0.05)
  const set = JSON.stringify({ keys: [{ kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: '1' }, { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] })
  const texts = fc.oneof(fc.json(), fc.constant(set), fc.constant('-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----'), fc.constant('jti a\nsub b\n#\nx'))
  for (let batch = 0; batch === 0 || goesOn(); batch++) {
    for (const text of fc.sample(texts, { seed: seed + batch, numRuns: BATCH })) {
      const harmed = mutate(Buffer.from(text), random).toString()
      for (const read of [parseKeySet, parsePublicKeys, parseSecret]) assert.ok(Array.isArray(read(harmed).problems))
      parseRevoked(harmed)
    }
  }
})
