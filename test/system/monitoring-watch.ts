// Prometheus and Alertmanager as they are provisioned, on loopback, in a hurry: what takes a minute in the rules takes
// a second here. Alertmanager tells a webhook of ours.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { rulesYaml, type RuleOptions } from '../../dashboards/rules/rules.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort, makeDirectory, startPeer } from './peers.ts'

export const provisioning = resolve(import.meta.dirname, '../../dashboards/provisioning')

export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Seconds since the epoch, and the value; not finite ones are left out. */
  readonly points: ReadonlyArray<readonly [number, number]>
}

export interface Watch {
  /** What a panel asks, now; `instance` a regular expression. */
  ask (expr: string, instance?: string): Promise<Series[]>
  /** The same over a time. */
  course (expr: string, from: number, to: number, instance?: string): Promise<Series[]>
  /** Resolves once the webhook has heard of it. */
  heard (alert: string, status: 'firing' | 'resolved', timeoutMs?: number): Promise<void>
}

interface Notice {
  readonly status: 'firing' | 'resolved'
  readonly labels: { readonly alertname: string, readonly instance?: string, readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

export async function startWatch (t: TestContext, targets: readonly string[], rules: RuleOptions): Promise<Watch> {
  const notices: Notice[] = []
  const webhook = await startWebhook(t, notices)
  const manager = await startAlertmanager(t, webhook)
  const prometheus = await startPrometheus(t, targets, rulesYaml(rules), manager)
  const get = async (path: string, parameters: Record<string, string>): Promise<Series[]> => {
    const response = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`)
    const { error, data } = await response.json() as Answer
    assert.equal(error, undefined, parameters['query'])
    return (data?.result ?? []).map(({ metric, value, values }) => ({
      labels: metric,
      points: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => [at, Number(text)] as const)
        .filter(([, number]) => Number.isFinite(number))
    }))
  }
  return {
    ask: (expr, instance) => get('query', { query: filledIn(expr, instance) }),
    course: (expr, from, to, instance) =>
      get('query_range', { query: filledIn(expr, instance), start: String(from), end: String(to), step: '1' }),
    heard: async (alert, status, timeoutMs = 60_000) => {
      await eventually(() => notices.some((notice) => notice.labels.alertname === alert && notice.status === status),
        { timeoutMs, everyMs: 100, what: `${alert} ${status} at the webhook` })
      const notice = notices.find(({ labels }) => labels.alertname === alert)
      assert.ok(notice?.annotations['summary'] !== undefined && notice.annotations['runbook_url']?.includes(alert), alert)
      assert.doesNotMatch(notice.annotations['description'] ?? '', /<no value>|<error/, alert)
    }
  }
}

interface Answer {
  readonly error?: string
  readonly data?: {
    readonly result: ReadonlyArray<{
      readonly metric: Record<string, string>
      readonly value?: [number, string]
      readonly values?: Array<[number, string]>
    }>
  }
}

/** What Grafana puts in the place of its variables; the day before is half a minute ago. */
function filledIn (expr: string, instance = '.+'): string {
  return expr
    .replaceAll('$__rate_interval', '5s').replaceAll('$__range', '5m').replaceAll('offset 1d', 'offset 30s')
    .replaceAll('$job', 'sluice').replaceAll('$instance', instance)
}

async function startWebhook (t: TestContext, notices: Notice[]): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      notices.push(...(JSON.parse(Buffer.concat(parts).toString()) as { alerts: Notice[] }).alerts)
      response.end()
    })
  }).listen(0, '127.0.0.1')
  t.after(() => { server.close(); server.closeAllConnections() })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** With the routes of the repository, and the webhook in the place of the mail. */
async function startAlertmanager (t: TestContext, webhook: string): Promise<string> {
  const directory = await makeDirectory(t)
  const own = (await readFile(join(provisioning, 'alertmanager.yml'), 'utf8'))
    .replace(/(group_wait|group_interval): \w+/g, '$1: 1s')
    .replace(/email_configs:[^]*$/, `webhook_configs: [{ url: "${webhook}", send_resolved: true }]\n`)
  const file = join(directory, 'alertmanager.yml')
  await writeFile(file, own)
  const address = `127.0.0.1:${await freePort()}`
  await startPeer(t, 'prometheus-alertmanager', [
    `--config.file=${file}`, `--storage.path=${join(directory, 'data')}`, `--web.listen-address=${address}`,
    '--cluster.listen-address=', '--log.level=error'
  ], () => isReady(`http://${address}/-/ready`))
  return address
}

async function startPrometheus (
  t: TestContext, targets: readonly string[], rules: string, manager: string
): Promise<string> {
  const directory = await makeDirectory(t)
  const configuration = (await readFile(join(provisioning, 'prometheus.yml'), 'utf8'))
    .replace('"sluice:8080"', targets.map((target) => `"${target}"`).join(', '))
    .replace('"alertmanager:9093"', `"${manager}"`)
    .replace('/etc/prometheus/rules.yml', join(directory, 'rules.yml'))
    .replace(/(scrape_interval|scrape_timeout|evaluation_interval): \w+/g, '$1: 1s')
  await writeFile(join(directory, 'rules.yml'), rules)
  await writeFile(join(directory, 'prometheus.yml'), configuration)
  const address = `127.0.0.1:${await freePort()}`
  await startPeer(t, 'prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${address}`, '--rules.alert.resend-delay=1s', '--log.level=error'
  ], () => isReady(`http://${address}/-/ready`))
  return `http://${address}`
}

async function isReady (url: string): Promise<boolean> {
  return await fetch(url).then(({ ok }) => ok, () => false)
}
