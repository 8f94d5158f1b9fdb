// The dashboard's queries, asked of a real Prometheus that scrapes a real exposition.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { BridgeEvent } from '../../bridge/events.ts'
import { createMetrics, type Metrics } from '../../bridge/metrics.ts'
import { assemble } from '../../dashboards/assemble.ts'
import { site } from '../../dashboards/site.ts'
import { eventually } from '../helpers/eventually.ts'
import { entryWith, levelsWith, upload } from '../helpers/exposition.ts'
import { freePort } from './peers.ts'

const missing = ['prometheus', 'promtool'].filter((name) => spawnSync(name, ['--version']).status !== 0)
const skip = missing.length > 0 ? `${missing.join(' and ')} not installed` : false
const provisioning = resolve(import.meta.dirname, '../../dashboards/provisioning/prometheus.yml')

/** A bad day in small: more comes in than goes out, and of everything that can go wrong a little does. */
function badDay (): BridgeEvent[] {
  const entry = entryWith()
  const { deviceId, imageId } = entry
  const image = { deviceId, imageId, format: 'raw' } as const
  return [
    { kind: 'connect-refused', result: 'unsupported_protocol', remote: '', detail: '' },
    { kind: 'client-disconnected', clientId: 'c', reason: 'keepalive' },
    { kind: 'publish-received', qos: 1 },
    { kind: 'publish-acknowledged', seconds: 0.012 },
    { kind: 'image-taken', entry, format: 'raw', seconds: 0.01 },
    { kind: 'image-taken', entry, format: 'json', seconds: 0.01 },
    { kind: 'image-refused', ...image, reason: 'not_an_image', detail: '' },
    { kind: 'image-withheld', ...image, reason: 'spool_full', detail: '' },
    { kind: 'spool-written', entries: 2, bytes: 500_000, seconds: 0.008 },
    { kind: 'spool-read', seconds: 0.002 },
    { kind: 'spool-fault', operation: 'write', cause: new Error() },
    { kind: 'put-started', entry, attempt: 1, waitedSeconds: 12 },
    { kind: 'put-ended', entry, seconds: 0.4, outcome: 'stored', detail: '' },
    { kind: 'put-ended', entry, seconds: 5, outcome: 'timeout', detail: '' },
    { kind: 'entry-uploaded', entry, upload, seconds: 12.4 },
    { kind: 'entry-failed', entry, failure: { failedAt: 0, reason: '', detail: '', attempts: 1 } },
    { kind: 'http-request', route: '/readyz', code: 200, seconds: 0.001 }
  ]
}

async function serve (t: TestContext, metrics: Metrics): Promise<number> {
  const server = createServer((_request, response) => {
    metrics.text().then((text) => response.setHeader('content-type', metrics.contentType).end(text), () => response.destroy())
  }).listen(0, '127.0.0.1')
  t.after(() => { server.close(); server.closeAllConnections() })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Runs Prometheus with the configuration of the repository, target and pace aside; gives its address. */
async function startPrometheus (t: TestContext, target: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'prometheus-'))
  const configuration = (await readFile(provisioning, 'utf8'))
    .replace('sluice:8080', `127.0.0.1:${target}`)
    .replace(/scrape_interval: \w+/, 'scrape_interval: 500ms')
    .replace(/scrape_timeout: \w+/, 'scrape_timeout: 500ms')
  await writeFile(join(directory, 'prometheus.yml'), configuration)
  const address = `127.0.0.1:${await freePort()}`
  const prometheus = spawn('prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${address}`, '--log.level=error'
  ], { stdio: ['ignore', 'ignore', 'inherit'] })
  t.after(async () => {
    const exited = once(prometheus, 'exit')
    if (prometheus.exitCode === null && prometheus.kill('SIGTERM')) await exited
    await rm(directory, { recursive: true })
  })
  return `http://${address}`
}

/** What a panel with one query shows. */
async function show (prometheus: string, title: string): Promise<number> {
  const panel = assemble(site).panels.find((panel) => panel.title === title)
  assert.ok(panel !== undefined && panel.type !== 'row', title)
  const [value = NaN] = await ask(prometheus, panel.targets[0]?.expr ?? '')
  return value
}

type Sample = [at: number, value: string]

async function ask (prometheus: string, expr: string): Promise<number[]> {
  const query = expr
    .replaceAll('$__rate_interval', '4s').replaceAll('$__range', '1m')
    .replaceAll('$job', 'sluice').replaceAll('$instance', '.+')
  const response = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query }).toString()}`)
  const answer = await response.json() as { error?: string, data?: { result: Array<{ value: Sample }> } }
  assert.equal(answer.error, undefined, query)
  return (answer.data?.result ?? []).map(({ value }) => Number(value[1]))
}

test('the configuration of Prometheus is what promtool accepts', { skip }, () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'config', provisioning], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})

test('every panel of the dashboard gets an answer from a real Prometheus', { skip, timeout: 60_000 }, async (t) => {
  let sentBytes = 0
  const levels = levelsWith()
  const metrics = createMetrics({ ...levels, uplink: () => ({ ...levels.uplink(), sentBytes }) },
    { version: '0', configHash: '0', slo: { targetMs: 10_000, objective: 0.99 } })
  const day = setInterval(() => {
    for (const event of badDay()) metrics.observe(event)
    sentBytes += 300_000
  }, 100)
  t.after(() => { clearInterval(day) })
  const prometheus = await startPrometheus(t, await serve(t, metrics))
  await eventually(async () => {
    const [scrapes = 0] = await ask(prometheus, 'count_over_time(sluice_build_info[1m])').catch(() => [])
    return scrapes >= 10
  }, { timeoutMs: 30_000, what: 'ten scrapes' })

  const { panels, annotations } = assemble(site)
  const unanswered: string[] = []
  let asked = 0
  for (const { title, targets } of panels.flatMap((panel) => panel.type === 'row' ? panel.panels : [panel])) {
    for (const { expr } of targets) {
      const values = await ask(prometheus, expr)
      asked++
      if (values.length === 0 || values.some((value) => !Number.isFinite(value))) unanswered.push(`${title} ${expr} = ${values.join()}`)
    }
  }
  assert.deepEqual(unanswered, [])
  t.diagnostic(`${asked} queries`)
  for (const { target } of annotations.list) await ask(prometheus, target.expr)

  assert.equal(await show(prometheus, 'Devices connected?'), 1000)
  assert.equal(await show(prometheus, 'Images waiting?'), 1214)
  assert.equal(await show(prometheus, 'Ledger exact?'), 0)
  assert.equal(await show(prometheus, 'How full is the spool?'), 0.017)
  assert.ok(within(await show(prometheus, 'Oldest waiting?'), 60, 120))
  assert.ok(within(await show(prometheus, 'PUBACK delay (p99)?'), 0.01, 0.025)) // of the bucket of 12 ms
  assert.ok(within(await show(prometheus, 'How many come in?'), 10, 20)) // two every 100 ms, where the machine is free
})

function within (value: number, low: number, high: number): boolean {
  return value >= low && value <= high * 1.1
}
