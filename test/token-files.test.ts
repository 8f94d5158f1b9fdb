import assert from 'node:assert/strict'
import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice } from './helpers/mqtt.ts'
import { startService } from './helpers/process.ts'
import { tempDirectory } from './helpers/sluice.ts'

const secret = 'a secret of more than thirty-two bytes'
const keySet = (...keys: ReadonlyArray<readonly [kid: string, key: KeyObject]>): string =>
  JSON.stringify({ keys: keys.map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' })) })

test('keys and revoked tokens are read again at SIGHUP: a new key counts, sessions of an old one end, all others go on', async (t) => {
  const dir = await tempDirectory(t)
  const [jwksFile, secretFile, revokedFile] = ['jwks.json', 'secret', 'revoked'].map((name) => join(dir, name))
  const [old, fresh] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const write = (file = '', text = ''): Promise<void> => writeFile(file, text, { mode: 0o600 })
  await Promise.all([write(jwksFile, keySet(['old', old.publicKey])), write(secretFile, secret), write(revokedFile)])
  const service = await startService(t, {
    env: {
      SLUICE_AUTH_ANONYMOUS: 'never',
      SLUICE_AUTH_JWT_JWKS_FILE: jwksFile ?? '',
      SLUICE_AUTH_JWT_SECRET_FILE: secretFile ?? '',
      SLUICE_AUTH_JWT_REVOKED_FILE: revokedFile ?? ''
    }
  })
  const make = async (username: string, alg: string, key: KeyObject, kid?: string) => {
    const header = { alg, ...kid === undefined ? {} : { kid } }
    const token = new SignJWT({ jti: `of-${username}` }).setProtectedHeader(header).setSubject(username).setExpirationTime('1m')
    return { username, password: await token.sign(key) }
  }
  const byOld = await make('cam-1', 'EdDSA', old.privateKey, 'old')
  const byFresh = await make('cam-2', 'EdDSA', fresh.privateKey, 'new')
  const revoked = await make('cam-3', 'HS256', createSecretKey(Buffer.from(secret)))
  const stays = await make('cam-4', 'HS256', createSecretKey(Buffer.from(secret)))
  const { mqttPort: port } = service
  assert.equal(await connackOf(t, port, byFresh), 4, 'its key is not there yet')
  const first = await connectDevice(t, port, byOld)
  const second = await connectDevice(t, port, revoked)
  const third = await connectDevice(t, port, stays)
  await Promise.all([write(jwksFile, keySet(['new', fresh.publicKey])), write(revokedFile, 'jti of-cam-3\n')])
  process.kill(service.pid, 'SIGHUP')
  await eventually(() => !first.connected && !second.connected, { what: 'the end of both sessions', timeoutMs: 20_000 })
  assert.equal(await connackOf(t, port, byFresh), 0)
  for (const one of [byOld, revoked]) assert.equal(await connackOf(t, port, one), 4)
  await write(jwksFile, 'not a key set')
  process.kill(service.pid, 'SIGHUP')
  const said = (): string => service.stdout() + service.stderr()
  await eventually(() => /auth\.jwt\.jwksFile: .*is no JSON Web Key Set/.test(said()), { timeoutMs: 20_000 })
  assert.equal(await connackOf(t, port, byFresh), 0, 'what was read before still counts')
  await third.publishAsync('devices/cam-4/status', 'online', { qos: 1 })
})

test('a start warns of each file with a secret that every user of the machine can read, by its name, and of no other', async (t) => {
  const dir = await tempDirectory(t)
  const [open, closed] = [join(dir, 'secret'), join(dir, 'token')]
  await Promise.all([writeFile(open, secret), writeFile(closed, 'opensesame-token-for-http')])
  await Promise.all([chmod(open, 0o644), chmod(closed, 0o640)])
  const env = { SLUICE_AUTH_JWT_SECRET_FILE: open, SLUICE_HTTP_TOKEN_FILE: closed }
  const { stdout, stderr } = await startService(t, { env })
  const said = (): string => stdout() + stderr()
  await eventually(() => said().includes(`auth.jwt.secretFile: every user of this machine can read ${open}; chmod o-r it`))
  assert.doesNotMatch(said(), /http\.tokenFile: every user/)
})
