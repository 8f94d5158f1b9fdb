import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { connectDevice } from './helpers/mqtt.ts'
import { startService } from './helpers/process.ts'
import { tempDirectory } from './helpers/sluice.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
const NOBODY = 65_534

interface Container {
  readonly image?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly volumes?: readonly string[]
  readonly privileged?: boolean
}

test('our containers are read-only, have no capability, gain no privilege, and write to the data volume alone', async () => {
  const { services } = parse(await read('docker-compose.yml')) as { services: Record<string, Container> }
  const ours = Object.entries(services).filter(([, { image }]) => image === 'sluice')
  assert.deepEqual(ours.map(([name]) => name).sort(), ['simulator', 'sluice'])
  for (const [name, container] of ours) {
    const { read_only: isReadOnly, cap_drop: dropped, security_opt: options } = container
    const { volumes = [], privileged = false } = container
    assert.deepEqual([isReadOnly, dropped, options, privileged], [true, ['ALL'], ['no-new-privileges:true'], false], name)
    assert.ok(volumes.every((volume) => volume.endsWith(':/data') || volume.endsWith(':ro')), name)
  }
  const users = [...(await read('Dockerfile')).matchAll(/^USER (\S+)/gm)].map(([, user = '']) => user)
  assert.ok(users.length === 1 && /^[1-9]\d*:[1-9]\d*$/.test(users[0] ?? ''), `the image runs as ${users.join(', ') || 'root'}`)
})

test('systemd takes the unit as it stands, and finds little that it could do', async (t) => {
  const version = await run('systemd-analyze', ['--version']).then(({ stdout }) => Number(/\d+/.exec(stdout)?.[0]), () => 0)
  if (version < 250) return t.skip('systemd-analyze 250 or later is not here')
  const unit = join(await tempDirectory(t), 'sluice.service')
  await writeFile(unit, (await read('systemd/sluice.service')).replace('/opt/sluice/bridge/sluice', join(root, 'bridge/sluice')))
  await run('systemd-analyze', ['verify', '--man=no', unit])
  const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--threshold=20', '--no-pager', unit])
  assert.match(stdout, /Overall exposure level for sluice\.service: [01]\./)
})

test('it runs as nobody, without a capability or a way to one, where only its data directory can be written', async (t) => {
  const directory = await tempDirectory(t)
  await chmod(directory, 0o755) // mkdtemp lets its owner alone through
  const dataDir = join(directory, 'data')
  await mkdir(dataDir)
  const isolate = ['unshare', '--mount', 'sh', '-c',
    `mount --make-rprivate / && mount --bind ${dataDir} ${dataDir} && mount -o remount,bind,ro / && ` +
    `exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`, 'sh']
  const canIsolate = process.getuid?.() === 0 &&
    await run(isolate[0] ?? '', [...isolate.slice(1), 'true']).then(() => true, () => false)
  if (!canIsolate) return t.skip('needs root, and the right to mount')
  await chown(dataDir, NOBODY, NOBODY)
  const service = await startService(t, { dataDir, under: isolate })
  const status = await readFile(`/proc/${service.pid}/status`, 'utf8')
  assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m)
  assert.match(status, /^CapEff:\t0+$/m)
  assert.match(status, /^NoNewPrivs:\t1$/m)
  const device = await connectDevice(t, service.mqttPort)
  await device.publishAsync('devices/cam-1/images', Buffer.from('ffd8ffe000104a4649460001', 'hex'), { qos: 1 })
  assert.equal((await service.kill('SIGTERM')).code, 0)
})
