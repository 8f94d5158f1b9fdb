// Where secrets are and where they never are: docs/security.md, "Secrets".

import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { formatHash, hashPassword } from '../broker/password-hash.ts'
import { connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice } from './helpers/mqtt.ts'
import { startService } from './helpers/process.ts'
import { runSluice, tempDirectory } from './helpers/sluice.ts'

const SECRETS = { token: 'opensesame-token', storeKey: 'AKIASECRETEXAMPLE', storeSecret: 'store-hunter2', password: 'device-hunter2', wrong: 'guessed-hunter2', signing: 'signing-hunter2-of-more-than-32-bytes' }

test('no secret is in the log, the process list, the status, the metrics or what is printed of the configuration', async (t) => {
  const dir = await tempDirectory(t)
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const hash = formatHash(await hashPassword(SECRETS.password, 1000))
  const env = {
    SLUICE_LOG_LEVEL: 'debug',
    SLUICE_AUTH_ANONYMOUS: 'never',
    SLUICE_AUTH_PASSWORD_FILE: await write('passwords', `cam-1:${hash}\n`),
    SLUICE_AUTH_JWT_SECRET_FILE: await write('signing', SECRETS.signing),
    SLUICE_HTTP_TOKEN_FILE: await write('token', `${SECRETS.token}\n`),
    SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1',
    SLUICE_S3_BUCKET: 'images',
    SLUICE_S3_ACCESS_KEY_ID: SECRETS.storeKey,
    SLUICE_S3_SECRET_ACCESS_KEY_FILE: await write('secret', `${SECRETS.storeSecret}\n`)
  }
  const service = await startService(t, { env })
  const device = await connectDevice(t, service.mqttPort, { username: 'cam-1', password: SECRETS.password })
  assert.equal(await connackOf(t, service.mqttPort, { username: 'cam-1', password: SECRETS.wrong }), 4)
  const sign = (exp: number): Promise<string> =>
    new SignJWT({ sub: 'cam-2', exp }).setProtectedHeader({ alg: 'HS256' }).sign(createSecretKey(Buffer.from(SECRETS.signing)))
  const tokens = await Promise.all([sign(Date.now() / 1000 + 60), sign(1)])
  for (const [nth, password] of tokens.entries()) {
    assert.equal(await connackOf(t, service.mqttPort, { username: 'cam-2', password }), nth === 0 ? 0 : 4)
  }
  await device.publishAsync('devices/cam-1/images', Buffer.from('ffd8ffe000104a4649460001', 'hex'), { qos: 1 })
  const ask = async (path: string, token: string, method = 'GET'): Promise<string> =>
    await (await fetch(service.url + path, { method, headers: { authorization: `Bearer ${token}` } })).text()
  const answers = await Promise.all([
    ask('/api/v1/uplink/pause', SECRETS.wrong, 'POST'), ask('/api/v1/uplink/resume', SECRETS.token, 'POST'),
    ask('/api/v1/status', SECRETS.token), ask('/metrics', SECRETS.token), ask('/', SECRETS.token)
  ])
  await eventually(() => /127\.0\.0\.1:1/.test(service.stdout() + service.stderr()), { what: 'a word on the store', timeoutMs: 20_000 })
  const commandLine = await readFile(`/proc/${service.pid}/cmdline`, 'utf8')
  const printed = await runSluice(t, ['config', 'print'], { env })
  assert.equal(printed.code, 0, printed.stderr)
  const places = { log: service.stdout() + service.stderr(), answers: answers.join('\n'), commandLine, printed: printed.stdout + printed.stderr }
  for (const [place, text] of Object.entries(places)) {
    assert.ok(text.length > 0, place)
    for (const secret of [...Object.values(SECRETS), ...tokens, hash]) assert.equal(text.includes(secret), false, `${secret} is in the ${place}`)
  }
})
