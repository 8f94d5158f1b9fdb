import assert from 'node:assert/strict'
import { createPublicKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { SignJWT } from 'jose'
import type { Access } from '../broker/identities.ts'
import { parseKeySet, parsePublicKeys, parseSecret, type TokenKey } from '../broker/token-keys.ts'
import { isToken, parseRevoked, verifyToken, type TokenRules } from '../broker/tokens.ts'
import { accessOf, connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice, startTestBroker } from './helpers/mqtt.ts'

const secret = 'a secret of more than thirty-two bytes'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const ed = generateKeyPairSync('ed25519')
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const keys: readonly TokenKey[] = [
  ...parseSecret(`${secret}\n`).keys, ...parsePublicKeys([rsa, p256, ed].map(({ publicKey }) => pemOf(publicKey)).join('')).keys
]
const none = { ids: new Set<string>(), subjects: new Set<string>() }
const rulesOf = (more: Partial<TokenRules> = {}): TokenRules =>
  ({ keys, issuer: undefined, audience: undefined, revoked: none, ...more })

interface Made {
  readonly alg?: string
  readonly key?: KeyObject
  readonly kid?: string
  readonly claims?: Record<string, unknown>
}

function make ({ alg = 'HS256', key = createSecretKey(Buffer.from(secret)), kid, claims = {} }: Made = {}): Promise<string> {
  const payload = { sub: 'cam-1', exp: Math.floor(Date.now() / 1000) + 60, ...claims }
  return new SignJWT(payload).setProtectedHeader({ alg, ...kid === undefined ? {} : { kid } }).sign(key)
}

async function judge (token: string, rules = rulesOf()): Promise<string> {
  const verdict = await verifyToken(token, rules)
  return verdict.kind === 'right' ? verdict.username : verdict.kind
}

test('a token counts with each of the four algorithms and the key that is for it', async () => {
  const pairs = [['HS256', undefined], ['RS256', rsa.privateKey], ['ES256', p256.privateKey], ['EdDSA', ed.privateKey]] as const
  for (const [alg, key] of pairs) {
    assert.equal(await judge(await make({ alg, ...key === undefined ? {} : { key } })), 'cam-1', alg)
  }
})

test('no token counts that is unsigned, altered, or signed with a public key as if it were a secret', async () => {
  const good = await make()
  const [head = '', body = '', signature = ''] = good.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const forged = Buffer.from('{"sub":"cam-2","exp":9999999999}').toString('base64url')
  const confused = await make({ key: createSecretKey(Buffer.from(pemOf(rsa.publicKey))) })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const wrong = [
    `${none}.${body}.`, `${none}.${body}.${signature}`, `${head}.${forged}.${signature}`, confused,
    await make({ alg: 'RS256', key: stranger }), await make({ alg: 'HS512', key: createSecretKey(Buffer.alloc(64, 7)) })
  ]
  for (const token of wrong) assert.equal(await judge(token), 'wrong', token)
})

test('exp and sub have to be there; exp, nbf, iss and aud have to be as they should', async () => {
  const now = Math.floor(Date.now() / 1000)
  const rules = rulesOf({ issuer: 'site', audience: 'sluice' })
  const good = { iss: 'site', aud: ['other', 'sluice'] }
  assert.equal(await judge(await make({ claims: good }), rules), 'cam-1')
  const wrong: Array<Record<string, unknown>> = [
    { exp: undefined }, { exp: now - 1 }, { exp: 'soon' }, { nbf: now + 60 }, { iss: 'else' }, { iss: undefined }, { aud: 'else' },
    { aud: undefined }, { sub: undefined }, { sub: 'a/b' }, { sub: '' }, { sub: -1 }, { jti: 7 }, { role: 'root' }
  ]
  for (const claims of wrong) assert.equal(await judge(await make({ claims: { ...good, ...claims } }), rules), 'wrong', JSON.stringify(claims))
})

test('in a key set a token names its key, so that a new one takes over while the old one still counts', async () => {
  const jwk = (kid: string, { publicKey }: { publicKey: KeyObject }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' })
  const [old, fresh] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const both = parseKeySet(JSON.stringify({ keys: [jwk('old', old), jwk('new', fresh)] }))
  assert.deepEqual(both.problems, [])
  const rules = rulesOf({ keys: both.keys })
  const tokenOf = (kid: string, { privateKey: key }: { privateKey: KeyObject }) => make({ alg: 'EdDSA', kid, key })
  assert.deepEqual([await judge(await tokenOf('old', old), rules), await judge(await tokenOf('new', fresh), rules)], ['cam-1', 'cam-1'])
  assert.equal(await judge(await tokenOf('new', old), rules), 'wrong')
  const rotated = rulesOf({ keys: parseKeySet(JSON.stringify({ keys: [jwk('new', fresh)] })).keys })
  assert.equal(await judge(await tokenOf('old', old), rotated), 'wrong')
})

test('keys that are too short, private or of another kind are problems, and never keys', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const read = [
    parseSecret('short'), parsePublicKeys(pem), parsePublicKeys(pemOf(createPublicKey(privateKey))), parsePublicKeys('x'),
    parsePublicKeys(pemOf(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey)), parseKeySet('[]'), parseKeySet('{"keys":[]}'),
    parseKeySet(JSON.stringify({ keys: [ed.privateKey.export({ format: 'jwk' })] })),
    parseKeySet('{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}')
  ]
  assert.deepEqual(read.map(({ keys, problems }) => [keys.length, problems.length]), read.map(() => [0, 1]))
})

test('only three parts with a JSON header are a token, and no password is', async () => {
  assert.equal(isToken(await make()), true)
  for (const text of ['', 'a.b.c', 'correct.horse.battery', 'x', '..', 'eyJ']) assert.equal(isToken(text), false, text)
})

const accessWith = (tokens: TokenRules, more: Access = {}): Access => ({ tokens, ...more })

async function start (t: TestContext, access: Access = accessWith(rulesOf())) {
  return await startTestBroker(t, { access, anonymous: 'never' })
}

test('a device shows its token as its password, beside others that have passwords, and is nobody else by it', async (t) => {
  const { port, seen } = await start(t, accessWith(rulesOf(), await accessOf({ 'cam-2': 'two' })))
  const password = await make()
  assert.equal(await connackOf(t, port, { username: 'cam-1', password }), 0)
  assert.equal(await connackOf(t, port, { username: 'cam-2', password: 'two' }), 0)
  assert.equal(await connackOf(t, port, { username: 'cam-2', password }), 4)
  assert.equal(await connackOf(t, port, { username: 'cam-1', password: 'two' }), 4)
  assert.match(seen('connect-refused')[0]?.detail ?? '', /is of cam-1/)
  const device = await connectDevice(t, port, { username: 'cam-1', password })
  await device.publishAsync('devices/cam-2/images', 'x', { qos: 1 })
  assert.equal(seen('topic-refused').length, 1)
})

test('a session ends when its token expires', async (t) => {
  const { port, seen } = await start(t)
  const password = await make({ claims: { exp: Math.floor(Date.now() / 1000) + 2 } })
  await connectDevice(t, port, { username: 'cam-1', password })
  const ended = await eventually(() => seen('client-disconnected')[0])
  assert.equal(ended.reason, 'expired')
  assert.equal(await connackOf(t, port, { username: 'cam-1', password }), 4)
})

test('once a token, its user or its key is gone from the files, its session ends, and the others go on', async (t) => {
  const { port, broker, seen } = await start(t)
  const connect = async (sub: string, made: Made = {}) =>
    await connectDevice(t, port, { username: sub, password: await make({ ...made, claims: { sub, jti: `jti of ${sub}` } }) })
  await connect('cam-1')
  await connect('cam-2')
  const good = await connect('cam-3')
  await connect('cam-4', { alg: 'EdDSA', key: ed.privateKey })
  const { revoked, problems } = parseRevoked('# lost\njti jti of cam-1\n\nsub cam-2\nnobody')
  assert.deepEqual(problems.map(({ line }) => line), [5])
  assert.equal(broker.configureAccess(accessWith(rulesOf({ revoked, keys: keys.slice(0, 1) }))), 3)
  await eventually(() => seen('client-disconnected').length === 3)
  assert.equal(good.connected, true)
  assert.equal(await connackOf(t, port, { username: 'cam-2', password: await make({ claims: { sub: 'cam-2' } }) }), 4)
})
