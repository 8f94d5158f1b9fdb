import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Config } from '../bridge/config/config.ts'
import { readConfig } from '../bridge/config/read-config.ts'
import { catalogue, runtimeCatalogue } from '../bridge/metric-catalogue.ts'

interface Service {
  readonly image?: string
  readonly build?: string
  readonly profiles?: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: object
  readonly restart?: string
  readonly stop_grace_period?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
}

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFile(join(root, path), 'utf8')
const { services, volumes } = parse(await read('docker-compose.yml')) as
  { services: Record<string, Service>, volumes: Record<string, unknown> }
const dockerfile = await read('Dockerfile')
const all = Object.entries(services)

/** What the process in the container finds in its environment where nobody set anything outside. */
function environment (): Record<string, string> {
  const [, block = ''] = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile) ?? []
  const image = [...block.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  const given = Object.entries(services['sluice']?.environment ?? {})
    .map(([name, value]) => [name, value.replace(/^\$\{\w+:-(.*)\}$/, '$1')])
  return Object.fromEntries([...image, ...given])
}

function configuration (): Config {
  return readConfig({ env: environment() })
}

test('every image is pinned to a version', () => {
  for (const [name, { image = '', build }] of all) {
    if (image === 'sluice') continue // built here: by the service of that name, and used by the simulator
    assert.equal(build, undefined, name)
    assert.match(image, /^[\w./-]+:v?\d+\.\d+\.\d+$/, name)
  }
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image)
  assert.equal(bases.length, 2)
  for (const image of bases) assert.match(image, /^node:\d+\.\d+\.\d+-bookworm-slim$/)
})

test('every port is published on this machine alone', () => {
  const ports = all.flatMap(([, { ports = [] }]) => ports)
  assert.ok(ports.length >= 5)
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/)
  assert.equal(new Set(ports.map((port) => port.split(':')[1])).size, ports.length)
})

test('the configuration in the container is one that Sluice starts with, on the ports that are published', () => {
  const { dataDir, mqtt, http, auth, s3, shutdown } = configuration()
  assert.deepEqual([dataDir, auth.anonymous, s3.endpoint, s3.local], ['/data', 'always', 'http://s3:9000', false])
  assert.deepEqual(services['sluice']?.ports, [`127.0.0.1:1883:${mqtt.listen.port}`, `127.0.0.1:8080:${http.listen.port}`])
  assert.match(dockerfile, new RegExp(`127\\.0\\.0\\.1:${http.listen.port}/livez`))
  assert.ok(Number.parseInt(services['sluice']?.stop_grace_period ?? '') * 1000 > shutdown.graceMs)
})

test('the image alone does not start: who may publish is for the operator to say', () => {
  const { SLUICE_AUTH_ANONYMOUS, SLUICE_HTTP_TOKEN, ...image } = environment()
  assert.ok(SLUICE_AUTH_ANONYMOUS !== undefined && SLUICE_HTTP_TOKEN !== undefined)
  assert.throws(() => readConfig({ env: image }), /auth\.anonymous[^]*http\.tokenFile/)
})

test('Sluice, the store, the bucket and the simulator are given the same credentials and bucket', () => {
  const { s3: { accessKeyId, secretAccessKey, bucket } } = configuration()
  const plain = (name: string, variable: string) =>
    services[name]?.environment?.[variable]?.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
  assert.deepEqual([plain('s3', 'RUSTFS_ACCESS_KEY'), plain('s3', 'RUSTFS_SECRET_KEY')], [accessKeyId, secretAccessKey])
  assert.deepEqual([plain('simulator', 'AWS_ACCESS_KEY_ID'), plain('simulator', 'AWS_SECRET_ACCESS_KEY')], [accessKeyId, secretAccessKey])
  assert.equal(plain('bucket', 'S3_USER'), `${accessKeyId}:${secretAccessKey}`)
  assert.match(JSON.stringify(services['bucket']), new RegExp(`http://s3:9000/${bucket}\\b`))
  assert.match(JSON.stringify(services['simulator']), new RegExp(`--s3-bucket=${bucket}\\b`))
})

test('Prometheus scrapes the service by its name and port', async () => {
  const { scrape_configs: [job] } = parse(await read('dashboards/provisioning/prometheus.yml'))
  assert.deepEqual(job.static_configs, [{ targets: [`sluice:${configuration().http.listen.port}`] }])
})

test('Prometheus has the rules, and tells Alertmanager, which tells the mail catcher, by their names and ports', async () => {
  const { rule_files: rules, alerting } = parse(await read('dashboards/provisioning/prometheus.yml'))
  const mounted = services['prometheus']?.volumes?.find((mount) => mount.startsWith('./dashboards/generated/rules.yml:'))
  assert.equal(mounted, `./dashboards/generated/rules.yml:${rules[0]}:ro`)
  assert.deepEqual(alerting.alertmanagers[0].static_configs, [{ targets: ['alertmanager:9093'] }])
  assert.ok(services['alertmanager']?.ports?.includes('127.0.0.1:9093:9093'))
  const { route, receivers } = parse(await read('dashboards/provisioning/alertmanager.yml'))
  assert.equal(receivers[0].name, route.receiver)
  assert.equal(receivers[0].email_configs[0].smarthost, 'mail:1025')
})

test('every metric that is named beside the sources is one of ours', async () => {
  const names = new Set(Object.values({ ...catalogue, ...runtimeCatalogue }).map(({ name }) => name))
  const files = ['docker-compose.yml', 'dashboards/provisioning/prometheus.yml', 'dashboards/provisioning/alertmanager.yml', 'dashboards/generated/rules.yml']
  let found = 0
  for (const file of files) {
    for (const [name] of (await read(file)).replaceAll(/(instance|job):[\w:]+/g, '').matchAll(/\b(sluice|nodejs|process)_\w+/g)) {
      found++
      assert.ok(names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, '')), `${file}: ${name}`)
    }
  }
  assert.ok(found > 40)
})

test('Grafana starts with the first dashboard, from the folder where they are mounted', async () => {
  const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? ''
  assert.ok(services['grafana']?.volumes?.includes(`./dashboards/generated:${dirname(home)}:ro`))
  await stat(join(root, 'dashboards/generated', basename(home)))
})

test('what needs no root has none, and writes to its volumes alone', () => {
  for (const [name, service] of all) {
    if (['s3', 'bucket'].includes(name)) continue // not tried with the store's image
    assert.equal(service.read_only, true, name)
    assert.deepEqual(service.cap_drop, ['ALL'], name)
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
  }
})

test('everything that is mounted exists, and every volume is declared', async () => {
  for (const mount of all.flatMap(([, { volumes = [] }]) => volumes)) {
    const [source = ''] = mount.split(':')
    if (source.startsWith('.')) {
      await stat(join(root, source))
      assert.match(mount, /:ro$/)
    } else {
      assert.ok(source in volumes, source)
    }
  }
})

test('what runs for good has a health check and comes back after a restart', () => {
  const lasting = all.filter(([, { profiles, restart }]) => profiles === undefined && restart !== 'on-failure')
  assert.deepEqual(lasting.map(([name]) => name), ['sluice', 's3', 'prometheus', 'alertmanager', 'mail', 'grafana'])
  for (const [name, { restart, healthcheck }] of lasting) {
    assert.equal(restart, 'unless-stopped', name)
    assert.ok(healthcheck !== undefined || name === 'sluice', name) // Sluice's is in its image
  }
  assert.match(dockerfile, /^HEALTHCHECK /m)
})

test('the image runs a supported Node, not as root, is stopped by the signal Sluice drains on, and holds no data', async () => {
  const { engines } = JSON.parse(await read('package.json'))
  const [, major = ''] = /^FROM node:(\d+)/m.exec(dockerfile) ?? []
  assert.ok(Number(major) >= Number(/\d+/.exec(engines.node)?.[0]))
  assert.match(dockerfile, /^USER node$/m)
  assert.match(dockerfile, /^STOPSIGNAL SIGTERM$/m)
  assert.match(dockerfile, /^VOLUME \/data$/m)
  assert.match(await read('.dockerignore'), /^\*$/m)
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '))
  for (const source of copied) assert.match(await read('.dockerignore'), new RegExp(`^!${source}$`, 'm'), source)
})

const compose = spawnSync('docker-compose', ['version']).status === 0

test('docker-compose accepts the file', { skip: compose ? false : 'docker-compose is not installed' }, () => {
  const { status, stderr } = spawnSync('docker-compose', ['config', '--quiet'], { cwd: root, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})
