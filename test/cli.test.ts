import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runSluice, tempDirectory } from './helpers/sluice.ts'

async function occupyPort (t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { server.close() })
  return (server.address() as AddressInfo).port
}

test('help leads with examples and is well done; a bare command is a usage error with the same help', async (t) => {
  const asked = await runSluice(t, ['--help'])
  assert.equal(asked.code, 0)
  assert.match(asked.stdout, /^Examples:\n {2}\$ sluice serve/)
  const bare = await runSluice(t, [])
  assert.equal(bare.code, 64)
  assert.match(bare.stderr, /^Examples:/)
  assert.equal(bare.stdout, '')
})

test('the version is that of the package', async (t) => {
  const { code, stdout } = await runSluice(t, ['--version'])
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('an unknown flag or command ends with 64 and names the one that was meant', async (t) => {
  const flag = await runSluice(t, ['serve', '--uplink-capcity', '1Mbit'])
  assert.equal(flag.code, 64)
  assert.match(flag.stderr, /unknown option '--uplink-capcity'\n\(Did you mean --uplink-capacity\?\)/)
  const command = await runSluice(t, ['sevre'])
  assert.equal(command.code, 64)
  assert.match(command.stderr, /unknown command 'sevre'\n\(Did you mean serve\?\)/)
})

test('a bad configuration ends with 78, tells all its problems on stderr and shows no stack', async (t) => {
  const cwd = await tempDirectory(t)
  await writeFile(join(cwd, 'sluice.yaml'), 'uplink:\n  capacty: 40Mbit\n  share: much\n')
  const { code, stdout, stderr } = await runSluice(t, ['serve', '--mqtt-listen', '0.0.0.0:1883'], { cwd })
  assert.equal(code, 78)
  assert.equal(stdout, '')
  assert.match(stderr, /uplink\.capacty: unknown key; did you mean uplink\.capacity\? \(sluice\.yaml:2\)/)
  assert.match(stderr, /uplink\.share: "much" is not a share; write it like 20% \(sluice\.yaml:3\)/)
  assert.match(stderr, /mqtt\.listen: "0\.0\.0\.0:1883" can be reached from other machines/)
  assert.doesNotMatch(stderr, /\n\s+at /)
})

test('the example that is printed is a file that is valid', async (t) => {
  const cwd = await tempDirectory(t)
  const { stdout } = await runSluice(t, ['config', 'example'])
  await writeFile(join(cwd, 'mine.yaml'), stdout)
  const { code, stdout: said } = await runSluice(t, ['config', 'validate', '-c', 'mine.yaml'], { cwd })
  assert.deepEqual([code, said], [0, 'mine.yaml is valid\n'])
})

test('what is printed of the configuration names its sources and no secret', async (t) => {
  const env = { SLUICE_HTTP_TOKEN: 'opensesame', SLUICE_UPLINK_SHARE: '30%' }
  const { code, stdout } = await runSluice(t, ['config', 'print', '--uplink-capacity', '40000000 bit'], { env })
  assert.equal(code, 0)
  assert.match(stdout, /^ {2}capacity: 40Mbit +# --uplink-capacity$/m)
  assert.match(stdout, /^ {2}share: 30% +# SLUICE_UPLINK_SHARE$/m)
  assert.match(stdout, /^ {2}token: "\*{6}" +# SLUICE_HTTP_TOKEN$/m)
  assert.doesNotMatch(stdout, /opensesame/)
})

test('a secret cannot be given as a flag, where every user of the machine could read it', async (t) => {
  const { code, stderr } = await runSluice(t, ['serve', '--s3-secret-access-key', 'hunter2'])
  assert.equal(code, 64)
  assert.match(stderr, /unknown option '--s3-secret-access-key'/)
  assert.doesNotMatch(stderr, /hunter2/)
})

test('a taken port ends with 69 and a sentence that names it and the setting', async (t) => {
  const port = await occupyPort(t)
  for (const flag of ['--mqtt-listen', '--http-listen']) {
    const other = flag === '--mqtt-listen' ? '--http-listen' : '--mqtt-listen'
    const { code, stderr } = await runSluice(t, ['serve', flag, `127.0.0.1:${port}`, other, '127.0.0.1:0'])
    assert.equal(code, 69)
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port} is in use by another program; .*${flag}`))
    assert.doesNotMatch(stderr, /\n\s+at /)
  }
})

test('a spool that cannot be made ends with 73, one of a newer format with 78', async (t) => {
  const cwd = await tempDirectory(t)
  await writeFile(join(cwd, 'file'), '')
  const ports = ['--mqtt-listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0']
  const below = await runSluice(t, ['serve', ...ports, '--spool-dir', 'file/spool'], { cwd })
  assert.equal(below.code, 73)
  assert.match(below.stderr, /file\/spool cannot be made/)
  await mkdir(join(cwd, 'newer'))
  await writeFile(join(cwd, 'newer/FORMAT'), '999\n')
  const newer = await runSluice(t, ['serve', ...ports, '--spool-dir', 'newer'], { cwd })
  assert.equal(newer.code, 78)
  assert.match(newer.stderr, /format 999/)
})

test('a check finds the taken port, the file in the way and the dead store, and touches nothing', async (t) => {
  const cwd = await tempDirectory(t)
  await writeFile(join(cwd, 'file'), '')
  const port = await occupyPort(t)
  const env = { SLUICE_S3_ACCESS_KEY_ID: 'key', SLUICE_S3_SECRET_ACCESS_KEY: 'secret', SLUICE_S3_ENDPOINT: 'http://127.0.0.1:9' }
  const { code, stdout } = await runSluice(t,
    ['check', '--json', '--mqtt-listen', `127.0.0.1:${port}`, '--http-listen', '127.0.0.1:0', '--spool-dir', 'file/spool'], { cwd, env })
  const findings = JSON.parse(stdout) as Array<{ verdict: string, what: string }>
  assert.deepEqual(findings.filter(({ verdict }) => verdict === 'problem').map(({ what }) => what), ['spool', 'MQTT', 'store'])
  assert.equal(code, 73)
  const clean = await runSluice(t, ['check', '--mqtt-listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0'], { cwd })
  assert.equal(clean.code, 0)
  assert.match(clean.stdout, /ready to start\n$/)
})

test('without a service status and images end with 69 and say how to start one', async (t) => {
  for (const command of [['status'], ['images', 'list']]) {
    const { code, stdout, stderr } = await runSluice(t, [...command, '--url', 'http://127.0.0.1:9'])
    assert.deepEqual([code, stdout], [69, ''])
    assert.match(stderr, /^sluice: no service answers at http:\/\/127\.0\.0\.1:9 .*"sluice serve"/)
  }
})
