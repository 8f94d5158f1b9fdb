import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { Command } from 'commander'
import { explainFailure } from '../bridge/cli/exit.ts'
import { addSettings } from '../bridge/cli/flags.ts'
import { formatFarewell } from '../bridge/cli/serve.ts'
import { formatTable } from '../bridge/cli/table.ts'
import { formatWelcome, listRisks } from '../bridge/cli/welcome.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import { SpoolOpenError } from '../bridge/spool/errors.ts'

function systemError (fields: Readonly<Record<string, string | number>>): Error {
  return Object.assign(new Error(String(fields['code'])), fields)
}

test('each fault that an operator can cure has its own exit code', () => {
  const codes = (['not_creatable', 'not_writable', 'newer_format', 'unreadable_format', 'in_use', 'io'] as const)
    .map((code) => explainFailure(new SpoolOpenError(code, 'a sentence')).code)
  assert.deepEqual(codes, [73, 77, 78, 78, 69, 74])
  const files = ['EACCES', 'EROFS', 'ENOSPC', 'EIO', 'ENOTDIR']
    .map((code) => explainFailure(systemError({ code, syscall: 'mkdir', path: 'data' })).code)
  assert.deepEqual(files, [77, 77, 74, 74, 73])
  const port = explainFailure(systemError({ code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port: 80 }))
  assert.equal(port.code, 77)
  assert.equal(explainFailure(new TypeError('x is not a function')).code, 70)
})

test('a listener that cannot be had is named with the setting that moves it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { server.close() })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port ?? 0 : 0
  const second = createServer().listen(port, '127.0.0.1')
  const [error] = await once(second, 'error') as unknown[]
  const config = readConfig({ flags: { 'http.listen': `127.0.0.1:${port}` } })
  const { code, message } = explainFailure(error, config)
  assert.equal(code, 69)
  assert.equal(message, `127.0.0.1:${port} is in use by another program; stop it, ` +
    'or choose another for http.listen (--http-listen or SLUICE_HTTP_LISTEN)')
})

test('what is not safe is said in words, and no more than that', () => {
  const token = { SLUICE_HTTP_TOKEN: 'opensesame' }
  const safe = readConfig({ flags: { 's3.endpoint': 'https://store.example.com' }, env: token })
  assert.deepEqual(listRisks(safe), ['any program on this machine may publish as any device'])
  const open = { 'mqtt.listen': '0.0.0.0:1883', 'auth.anonymous': 'always', 's3.endpoint': 'http://10.0.0.9:7480' }
  assert.deepEqual(listRisks(readConfig({ flags: open, env: token })), [
    'anyone who reaches 0.0.0.0:1883 may publish as any device',
    'images cross the network in the clear',
    'images go to http://10.0.0.9:7480 in the clear'
  ])
  const ws = { 'mqtt.ws.listen': '0.0.0.0:9001', 'auth.passwordFile': 'users', 's3.endpoint': 'https://store.example.com' }
  assert.deepEqual(listRisks(readConfig({ flags: ws })), ['images and passwords cross the network in the clear'])
})

test('the next command works as it stands, whatever the listener', () => {
  const config = readConfig({})
  const next = (host: string, port: number) => formatWelcome(config, {
    mqtt: { host, port }, http: { host: '127.0.0.1', port: 8080 }, place: 'http://127.0.0.1:9000/images'
  }).at(-1)
  assert.match(next('127.0.0.1', 1883) ?? '', / mosquitto_pub -t devices\/cam-1\/images -q 1 -f photo\.jpg$/)
  assert.match(next('0.0.0.0', 1884) ?? '', / mosquitto_pub -p 1884 -t /)
  assert.match(next('10.0.0.5', 1883) ?? '', / mosquitto_pub -h 10\.0\.0\.5 -t /)
})

test('a stop counts images as people do', () => {
  assert.equal(formatFarewell(1214), '1,214 images stay on disk and are uploaded after the next start')
  assert.equal(formatFarewell(1), '1 image stays on disk and is uploaded after the next start')
  assert.match(formatFarewell(0), /^no image stays behind/)
})

test('amounts stand to the right, words to the left', () => {
  assert.equal(formatTable([['waiting', '1,214', 'oldest 2 min'], ['failed', '0', '']]), 'waiting  1,214  oldest 2 min\nfailed       0')
})

test('the help of a command shows a default as its flag takes it', () => {
  const help = addSettings(new Command()).helpInformation()
  assert.match(help, /\(alarm=40%,normal=40%,bulk=20%\)/)
  assert.doesNotMatch(help, /\[object/)
})

test('a share of nothing where some is needed is refused with what to write', () => {
  const given = { flags: {}, env: { SLUICE_UPLINK_RETRY_SHARE: '0%' } }
  assert.throws(() => readConfig(given), /uplink\.retryShare: "0%" is too small; write more than 0%/)
})
