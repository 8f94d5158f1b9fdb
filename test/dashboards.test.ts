import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { assemble, type DashboardJson } from '../dashboards/assemble.ts'
import { fleet } from '../dashboards/fleet.ts'
import { slo } from '../dashboards/slo.ts'
import { uplink } from '../dashboards/uplink.ts'
import { problemsOf } from './helpers/promql.ts'

const dashboards = [fleet, uplink, slo].map(assemble)
const panelsOf = ({ panels }: DashboardJson) => panels.flatMap((panel) => panel.type === 'row' ? panel.panels : [panel])
const panels = dashboards.flatMap(panelsOf)
const root = resolve(import.meta.dirname, '..')

test('every panel has a question for a title, a unit, and says what is good and what to do if not', () => {
  for (const { title, description, fieldConfig } of panels) {
    assert.match(title, /\?$/, title)
    assert.match(description, /\*\*Good:\*\* \S+/, title)
    assert.match(description, /\*\*If not:\*\* \S+/, title)
    assert.ok(fieldConfig.defaults.unit.length > 0, title)
  }
  for (const titles of dashboards.map((dashboard) => panelsOf(dashboard).map(({ title }) => title))) {
    assert.deepEqual([...new Set(titles)], titles)
  }
})

test('every query asks for metrics, labels and values of the catalogue, and draws counters as rates', () => {
  for (const { title, targets } of panels) {
    assert.ok(targets.length > 0, title)
    for (const { expr } of targets) assert.deepEqual(problemsOf(expr), [], `${title}\n${expr}`)
  }
  for (const { name, target } of dashboards.flatMap(({ annotations }) => annotations.list)) {
    assert.deepEqual(problemsOf(target.expr), [], name)
  }
})

test('what is wrong with a query is found', () => {
  const scope = 'job=~"$job",instance=~"$instance"'
  const wrong = {
    [`sum(sluice_images_total{${scope}})`]: /not in the catalogue/,
    [`sum(sluice_upload_bytes_total{${scope}})`]: /not inside rate/,
    [`rate(sluice_spool_messages{${scope}}[$__rate_interval])`]: /is a gauge/,
    [`rate(sluice_upload_bytes_total{${scope}}[5m])`]: /fixed time/,
    [`rate(sluice_ingest_refused_total{${scope},reason="bad"}[$__rate_interval])`]: /no series with/,
    [`sum by (device) (sluice_spool_messages{${scope}})`]: /label device/,
    'sluice_spool_messages{}': /heed \$job/
  }
  for (const [expr, message] of Object.entries(wrong)) assert.match(problemsOf(expr).join('\n'), message, expr)
})

test('panels stand inside the grid and none over another', () => {
  for (const dashboard of dashboards) {
    const panels = panelsOf(dashboard)
    const open = dashboard.panels.filter((panel) => panel.type !== 'row')
    const rows = dashboard.panels.filter((panel) => panel.type === 'row')
    for (const { x, y, w, h } of panels.map(({ gridPos }) => gridPos)) {
      assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24)
    }
    const taken = new Set<string>()
    for (const { gridPos: { x, y, w, h } } of [...open, ...rows]) {
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          const cell = `${column},${line}`
          assert.ok(!taken.has(cell), cell)
          taken.add(cell)
        }
      }
    }
    const ids = [...dashboard.panels, ...panels].map(({ id }) => id)
    assert.equal(new Set(ids).size, rows.length + panels.length)
  }
})

test('time series start at 0, and limits are drawn as dashed lines', () => {
  const series = panels.filter(({ type }) => type === 'timeseries')
  for (const { title, fieldConfig } of series) assert.equal(fieldConfig.defaults['min'], 0, title)
  const limited = series.filter(({ fieldConfig }) => JSON.stringify(fieldConfig.overrides).includes('"dash"'))
  assert.deepEqual(limited.map(({ title }) => title), [
    'Is the memory budget large enough?',
    'Are there file descriptors left?',
    'Does as much go out as comes in?',
    'How much of the spool is used?',
    'How long has the oldest image waited?',
    'How much of the allowance is used?',
    'How many puts are in flight?',
    'Does the disk hold out?',
    'What share of the images is in time?',
    'How old are images when they reach the store?'
  ])
  const burning = series.find(({ title }) => title === 'How fast is the budget used up?')
  assert.match(JSON.stringify(burning?.fieldConfig.defaults['thresholds']), /"value":1}.*"value":3}.*"value":6}.*"value":14.4}/)
})

test('percentiles of finished images are never shown without the oldest that still waits', () => {
  const latency = panels.filter(({ type, targets }) =>
    type === 'timeseries' && targets.some(({ expr }) => expr.startsWith('histogram_quantile') && expr.includes('sluice_e2e_latency_seconds')))
  assert.equal(latency.length, 1)
  for (const { targets } of latency) {
    assert.ok(targets.some(({ expr }) => expr.includes('sluice_spool_oldest_message_timestamp_seconds')))
  }
})

test('each dashboard is found by its fixed address, is not edited in Grafana, and asks which Prometheus and which Sluice', () => {
  assert.deepEqual(dashboards.map(({ uid }) => uid), ['sluice-fleet', 'sluice-uplink', 'sluice-slo'])
  for (const { editable, tags, templating } of dashboards) {
    assert.equal(editable, false)
    assert.deepEqual(tags, ['sluice'])
    assert.deepEqual(templating.list.map(({ name }) => name), ['datasource', 'job', 'instance', 'page'])
  }
  for (const { title, datasource, targets } of panels) {
    for (const { uid } of [datasource, ...targets.map((target) => target['datasource'] as typeof datasource)]) {
      assert.equal(uid, '$datasource', title)
    }
  }
})

test('each dashboard leads to the two others with the same time and the same Sluice, and to the status page', () => {
  const uids = dashboards.map(({ uid }) => uid)
  for (const { uid, links } of dashboards) {
    const others = uids.filter((other) => other !== uid).map((other) => `/d/${other}`)
    assert.deepEqual(links.map(({ url }) => url), [...others, '$page'])
    for (const { url, keepTime, includeVars } of links) {
      assert.deepEqual([keepTime, includeVars], url === '$page' ? [false, false] : [true, true])
    }
  }
})

test('the files in the tree are what the sources say, and a drift is named', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'dashboards-'))
  t.after(() => rm(directory, { recursive: true }))
  await cp(join(root, 'dashboards/generated'), join(directory, 'dashboards/generated'), { recursive: true })
  const check = () => spawnSync(process.execPath,
    ['--import', import.meta.resolve('tsx'), join(root, 'dashboards/main.ts'), '--check'], { cwd: directory, encoding: 'utf8' })
  assert.equal(check().status, 0)
  for (const name of ['fleet.json', 'uplink.json', 'slo.json', 'rules.yml']) {
    const file = join(directory, 'dashboards/generated', name)
    await writeFile(file, (await readFile(file, 'utf8')).replace('sluice_', 'sluce_'))
  }
  const { status, stderr } = check()
  assert.equal(status, 1)
  const named = [...stderr.matchAll(/dashboards\/generated\/(\S+) .*npm run dashboards/g)].map(([, name]) => name)
  assert.deepEqual(named, ['fleet.json', 'uplink.json', 'slo.json', 'rules.yml'])
})

test('Grafana is provisioned with the data source and the folder that the dashboards ask for', async () => {
  const provisioned = async (path: string) => parse(await readFile(join(root, 'dashboards/provisioning', path), 'utf8'))
  const { datasources } = await provisioned('grafana/datasources/prometheus.yml')
  assert.deepEqual(datasources.map(({ type, url }: { type: string, url: string }) => [type, url]), [['prometheus', 'http://prometheus:9090']])
  const { providers } = await provisioned('grafana/dashboards/sluice.yml')
  assert.equal(providers[0].allowUiUpdates, false)
  const { scrape_configs: jobs } = await provisioned('prometheus.yml')
  assert.deepEqual(jobs.map(({ job_name: name }: { job_name: string }) => name), ['sluice'])
})
