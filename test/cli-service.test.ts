import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { eventually } from './helpers/eventually.ts'
import { jpegOf } from './helpers/jpeg.ts'
import { runSluice, startService, tempDirectory } from './helpers/sluice.ts'

async function send (url: string, device: string, id: string): Promise<Buffer> {
  const image = jpegOf(5_000)
  const query = new URLSearchParams({ device, id })
  const response = await fetch(`${url}/api/v1/images?${query}`,
    { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: new Uint8Array(image) })
  assert.equal(response.status, 201, await response.text())
  return image
}

/** Takes connections and never says a word. */
async function startSilentStore (t: TestContext): Promise<Readonly<Record<string, string>>> {
  const server = createServer((socket) => { socket.on('error', () => {}).resume() }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { server.close() })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { SLUICE_S3_ENDPOINT: endpoint, SLUICE_S3_ACCESS_KEY_ID: 'key', SLUICE_S3_SECRET_ACCESS_KEY: 'secret' }
}

test('a start says where devices connect, where the page is, where images land, what is not safe and what to do', async (t) => {
  const { lines, url, process, ended } = await startService(t)
  assert.equal(lines.length, 5)
  assert.match(lines[0] ?? '', /mqtt:\/\/127\.0\.0\.1:\d+ /)
  assert.match(lines[2] ?? '', /data\/objects\/images/)
  assert.match(lines[3] ?? '', /any program on this machine may publish/)
  assert.match(lines[4] ?? '', /mosquitto_pub -p \d+ -t devices\/cam-1\/images -q 1 -f photo\.jpg$/)
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  process.kill('SIGTERM')
  const { code, stdout } = await ended
  assert.equal(code, 0)
  assert.match(stdout, /no image stays behind: everything acknowledged is in the store\n$/)
})

test('an image that was sent is in the status, in the list and on the disk as a file', async (t) => {
  const cwd = await tempDirectory(t)
  const { url } = await startService(t, [], { cwd })
  const sent = await send(url, 'cam-1', 'one')
  const listed = await eventually(async () => {
    const { stdout } = await runSluice(t, ['images', 'list', '--state', 'uploaded', '--json', '--url', url])
    return (JSON.parse(stdout) as { images: Array<{ key: string }> }).images[0]
  }, { timeoutMs: 15_000 })
  assert.deepEqual(await readFile(join(cwd, 'data/objects/images', listed.key)), sent)
  const status = await runSluice(t, ['status', '--url', url])
  assert.match(status.stdout, /^KEEPING UP: /)
  assert.match(status.stdout, /^1 acknowledged = 1 uploaded \+ 0 waiting \+ 0 failed \+ 0 dropped$/m)
  const shown = await runSluice(t, ['images', 'show', 'cam-1:one', '--url', url])
  assert.match(shown.stdout, new RegExp(`^key +${listed.key}$`, 'm'))
  const unknown = await runSluice(t, ['images', 'show', 'cam-1:two', '--url', url])
  assert.equal(unknown.code, 64)
  const late = await runSluice(t, ['images', 'delete', 'cam-1:one', '--url', url])
  assert.match(late.stderr, /cam-1:one is uploaded: nothing of it is kept here/)
})

test('an image is deleted only on a second word, and the ledger says so', async (t) => {
  const { url } = await startService(t, ['--uplink-concurrency', '1'], { env: await startSilentStore(t) })
  for (const id of ['one', 'two']) await send(url, 'cam-1', id)
  const asked = await runSluice(t, ['images', 'delete', 'cam-1:two', '--url', url])
  assert.equal(asked.code, 64)
  assert.match(asked.stderr, /cam-1:two is waiting; .* add --yes/)
  const deleted = await runSluice(t, ['images', 'delete', 'cam-1:two', '--yes', '--url', url])
  assert.deepEqual([deleted.code, deleted.stdout], [0, 'cam-1:two is deleted\n'])
  const { stdout } = await runSluice(t, ['status', '--url', url])
  assert.match(stdout, /^2 acknowledged = 0 uploaded \+ 1 waiting \+ 0 failed \+ 1 dropped$/m)
})

test('a stop says how many images stay on disk, and ends with 0 once the grace is over', async (t) => {
  const { url, process, ended } = await startService(t, ['--shutdown-grace', '300ms'], { env: await startSilentStore(t) })
  await send(url, 'cam-1', 'one')
  await send(url, 'cam-1', 'two')
  process.kill('SIGINT')
  const { code, stdout } = await ended
  assert.equal(code, 0)
  assert.match(stdout, /^2 images stay on disk and are uploaded after the next start$/m)
})

test('a stop asked for twice in one breath, as by Ctrl-C under npm, is one stop', async (t) => {
  const { url, process, ended } = await startService(t, ['--shutdown-grace', '300ms'], { env: await startSilentStore(t) })
  await send(url, 'cam-1', 'one')
  process.kill('SIGINT')
  process.kill('SIGTERM')
  const { code, stdout } = await ended
  assert.equal(code, 0)
  assert.match(stdout, /^1 image stays on disk and is uploaded after the next start$/m)
})

test('a second signal does not wait: 75, and the image is there after the next start', async (t) => {
  const cwd = await tempDirectory(t)
  const env = await startSilentStore(t)
  const { url, process, ended, stderr } = await startService(t, [], { cwd, env })
  await send(url, 'cam-1', 'one')
  await eventually(async () => (await (await fetch(`${url}/api/v1/images?state=uploading`)).text()).includes('one'))
  process.kill('SIGTERM')
  await eventually(() => stderr().includes('SIGTERM'))
  const asking = setInterval(() => { process.kill('SIGTERM') }, 100)
  t.after(() => { clearInterval(asking) })
  assert.equal((await ended).code, 75)
  const again = await startService(t, [], { cwd, env })
  const { stdout } = await runSluice(t, ['images', 'show', 'cam-1:one', '--url', again.url])
  assert.match(stdout, /^bytes +\d+$/m)
})

test('a fault that nobody caught is one line in the log, and ends with 70', async (t) => {
  const planted = "process.once('SIGUSR2', () => { throw new TypeError('planted') })"
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(planted)}` }
  const { process, ended, stderr } = await startService(t, [], { env })
  const before = stderr().split('\n').length
  process.kill('SIGUSR2')
  const { code } = await ended
  assert.equal(code, 70)
  const lines = stderr().split('\n').slice(before - 1).filter((line) => line !== '')
  assert.equal(lines.length, 1, lines.join('\n'))
  assert.match(lines[0] ?? '', /internal error: planted/)
})

test('a reload applies the level of the log and the share of the line, names what needs a restart, and takes nothing from a bad file', async (t) => {
  const cwd = await tempDirectory(t)
  const file = join(cwd, 'sluice.yaml')
  await writeFile(file, 'uplink:\n  share: 20%\n')
  const { process, stderr, url } = await startService(t, [], { cwd })
  await appendFile(file, '  timeout: 30s\nlog: { level: debug }\n')
  process.kill('SIGHUP')
  await eventually(() => stderr().includes('log.level is debug from now on'))
  await eventually(() => stderr().includes('restart to apply uplink.timeout'))
  await writeFile(file, 'uplink:\n  share: 40%\n  timeout: 30s\n')
  process.kill('SIGHUP')
  await eventually(() => stderr().includes('uplink.share holds from now on'))
  const { limit } = await (await fetch(`${url}/api/v1/uplink`)).json() as { limit: { bytesPerSecond: number } }
  assert.equal(limit.bytesPerSecond, 9_500_000)
  await appendFile(file, 'mqtt: { maxPacketSize: huge }\n')
  process.kill('SIGHUP')
  await eventually(() => stderr().includes('configuration not applied: mqtt.maxPacketSize: \\"huge\\" is not a size'))
  assert.equal((await fetch(`${url}/livez`)).status, 200)
})

test('the commands show the token where the service asks for one, and need none where they may read its data directory', async (t) => {
  const cwd = await tempDirectory(t)
  await writeFile(join(cwd, 'token'), 'opensesame\n')
  const env = { ...await startSilentStore(t), SLUICE_HTTP_TOKEN_FILE: 'token' }
  const { url } = await startService(t, ['--uplink-concurrency', '1'], { cwd, env })
  for (const id of ['one', 'two', 'three']) await send(url, 'cam-1', id)
  const near = await runSluice(t, ['images', 'delete', 'cam-1:three', '--yes', '--url', url], { cwd })
  assert.deepEqual([near.code, near.stderr], [0, ''])
  assert.equal((await stat(join(cwd, 'data', 'operator.token'))).mode & 0o777, 0o600)
  const elsewhere = await tempDirectory(t)
  const without = await runSluice(t, ['images', 'delete', 'cam-1:two', '--yes', '--url', url], { cwd: elsewhere })
  assert.equal(without.code, 77)
  assert.match(without.stderr, /token/i)
  const args = ['images', 'delete', 'cam-1:two', '--yes', '--url', url, '--token-file', 'token']
  const withOne = await runSluice(t, args, { cwd })
  assert.equal(withOne.code, 0)
})
