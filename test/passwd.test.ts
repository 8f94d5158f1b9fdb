import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Command } from 'commander'
import { addPasswd, type Input } from '../bridge/cli/passwd.ts'
import type { Shell } from '../bridge/cli/shell.ts'
import { formatHash, hashPassword, isPassword, parseHash } from '../broker/password-hash.ts'
import { parsePasswords, withPassword } from '../broker/passwords.ts'
import { connackOf } from './helpers/access.ts'
import { eventually } from './helpers/eventually.ts'
import { connectDevice } from './helpers/mqtt.ts'
import { runSluice, startService, tempDirectory } from './helpers/sluice.ts'

// Made by mosquitto_passwd 2.0.11; the passwords are `secret` and `geheim`.
const FOREIGN = `\
cam-1:$7$101$BpBDHFk7q2jRy7aa$WhzF7JuRty//UDa9ghioMmpc53yxLS3ateJbwYBy8R2qMlUUGgapUqTlB78X53+Vq1y0V91lFkqUfqmb/WWbXA==
cam-2:$6$+A/to3kgmxUla5Sh$ZvFnpEyFVkrehFvlgIkm/sMj7t1jLkjjQbSxMB+HrULGQ/mS3vm6NHfC9iK8ddol2r9UrDdOv5BKZNys2DCzNw==
`

/** The command in this process, with what a program writes on its standard input. */
async function passwd (input: string, ...args: string[]): Promise<string> {
  const said: string[] = []
  const shell = { say: (line: string) => { said.push(line) } } as unknown as Shell
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  addPasswd(program, shell, Readable.from([input]) as Input)
  await program.parseAsync(['passwd', ...args], { from: 'user' })
  return said.join('\n')
}

async function isRight (text: string, user: string, password: string): Promise<boolean> {
  const entry = parsePasswords(text).passwords.get(user)
  assert.ok(entry, user)
  return await isPassword(Buffer.from(password), entry.hash)
}

test('a file that mosquitto_passwd made is read as it stands, both of its formats', async () => {
  assert.deepEqual(parsePasswords(FOREIGN).problems, [])
  assert.deepEqual(await Promise.all([isRight(FOREIGN, 'cam-1', 'secret'), isRight(FOREIGN, 'cam-2', 'geheim')]), [true, true])
  assert.deepEqual(await Promise.all([isRight(FOREIGN, 'cam-1', 'geheim'), isRight(FOREIGN, 'cam-2', 'secret')]), [false, false])
  for (const { text } of parsePasswords(FOREIGN).passwords.values()) {
    const hash = parseHash(text)
    assert.equal(hash === undefined ? '' : formatHash(hash), text)
  }
})

test('a line that is no entry is a problem with its number, and no hash is in the message', () => {
  const hash = formatHash({ kind: 'sha512', salt: Buffer.alloc(12, 1), hash: Buffer.alloc(64, 2) })
  const bad = ['nobody', 'cam-1:secret', `a b:${hash}`, `a/b:${hash}`, `+:${hash}`, `:${hash}`, 'cam-1:$7$0$AAAA$AAAA',
    'cam-1:$argon2id$v=19$m=47104,t=1,p=1$AA$AA', `cam-1:${hash.replace('$6$', '$7$999999999$')}`]
  const { passwords, problems } = parsePasswords(['# names', '', ...bad, `twice:${hash}`, `twice:${hash}`].join('\n'))
  assert.deepEqual(problems.map(({ line }) => line), [...bad.map((_line, at) => at + 3), bad.length + 4])
  assert.deepEqual([...passwords.keys()], ['twice'])
  assert.ok(problems.every(({ message }) => !message.includes('AAA') && !message.includes('secret')))
})

test('an entry is added, changed in its place and removed, and the other lines stay as they are', async () => {
  const hash = async (password: string) => formatHash(await hashPassword(password, 1))
  const added = withPassword(`# site\n${FOREIGN}`, 'cam-3', await hash('three'))
  const changed = withPassword(added, 'cam-1', await hash('one'))
  assert.equal(await isRight(changed, 'cam-1', 'one'), true)
  assert.deepEqual(changed.split('\n').map((line) => line.split(':')[0]), ['# site', 'cam-1', 'cam-2', 'cam-3', ''])
  assert.equal(withPassword(withPassword(changed, 'cam-1', undefined), 'cam-3', undefined),
    `# site\n${FOREIGN.split('\n')[1]}\n`)
})

test('sluice passwd makes a file for its owner alone, keeps the rights of one that is there, and says what comes next', async (t) => {
  const file = join(await tempDirectory(t), 'passwords')
  assert.match(await passwd('one\nmore\n', file, 'cam-1'), /cam-1 has a password in .*SIGHUP/)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await chmod(file, 0o640)
  await passwd('zwei\r\n', '--iterations', '7', file, 'cam-2')
  const text = await readFile(file, 'utf8')
  assert.deepEqual(await Promise.all([isRight(text, 'cam-1', 'one'), isRight(text, 'cam-2', 'zwei')]), [true, true])
  assert.match(text, /^cam-2:\$7\$7\$/m)
  assert.equal((await stat(file)).mode & 0o777, 0o640)
  await passwd('', '--delete', file, 'cam-1')
  assert.deepEqual([...parsePasswords(await readFile(file, 'utf8')).passwords.keys()], ['cam-2'])
})

test('sluice passwd refuses an empty password, a name for no topic and a user who is not there, and changes nothing', async (t) => {
  const file = join(await tempDirectory(t), 'passwords')
  await writeFile(file, FOREIGN)
  await assert.rejects(passwd('\n', file, 'cam-1'), /the password is empty/)
  await assert.rejects(passwd('x\n', file, 'cam/1'), /"cam\/1" is no user name/)
  await assert.rejects(passwd('', '--delete', file, 'cam-9'), /has no user cam-9/)
  await assert.rejects(passwd('x\n', '--iterations', '0', file, 'cam-1'), /--iterations 0 is not a count/)
  await assert.rejects(passwd('x\n', file, 'cam-1', 'password'), /too many arguments/)
  assert.equal(await readFile(file, 'utf8'), FOREIGN)
})

test('a service lets in whom its password file names, and at SIGHUP ends the sessions of whom it names no more', async (t) => {
  const cwd = await tempDirectory(t)
  const file = join(cwd, 'passwords')
  await writeFile(file, FOREIGN)
  const env = { SLUICE_AUTH_PASSWORD_FILE: file, SLUICE_AUTH_ANONYMOUS: 'never' }
  const { lines, process: service, stderr, stdout } = await startService(t, [], { cwd, env })
  const port = Number(/mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(lines[0] ?? '')?.[1])
  assert.doesNotMatch(lines[3] ?? '', /may publish as any device/)
  const [goes, stays] = await Promise.all([
    connectDevice(t, port, { username: 'cam-1', password: 'secret' }),
    connectDevice(t, port, { username: 'cam-2', password: 'geheim' })
  ])
  assert.equal(await connackOf(t, port, {}), 5)
  await passwd('', '--delete', file, 'cam-1')
  service.kill('SIGHUP')
  await eventually(() => !goes.connected)
  assert.equal(await connackOf(t, port, { username: 'cam-1', password: 'secret' }), 4)
  await writeFile(file, 'cam-2\n')
  service.kill('SIGHUP')
  await eventually(() => /auth\.passwordFile: line 1 is not user:hash/.test(stderr() + stdout()))
  await stays.publishAsync('devices/cam-2/status', 'online', { qos: 1 })
})

test('a password file or an ACL file that cannot be used keeps a service from starting, with the line and the cure', async (t) => {
  const cwd = await tempDirectory(t)
  const [passwords, acl] = [join(cwd, 'passwords'), join(cwd, 'acl')]
  await writeFile(passwords, 'cam-1:plain\n')
  await writeFile(acl, 'user cam-1\ntopic deny x\n')
  const env = { SLUICE_AUTH_PASSWORD_FILE: passwords, SLUICE_AUTH_ACL_FILE: acl }
  const ports = ['--mqtt-listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0']
  const { code, stderr, stdout } = await runSluice(t, ['serve', ...ports], { cwd, env })
  assert.equal(code, 78)
  assert.match(stdout + stderr, /auth\.passwordFile: line 1 has no password of cam-1 .* with sluice passwd/)
  assert.match(stdout + stderr, /auth\.aclFile: line 2 has deny/)
})
