import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { catalogue, runtimeCatalogue, type MetricSpec } from '../bridge/metric-catalogue.ts'
import { assemble } from '../dashboards/assemble.ts'
import { readCommand, UsageError } from '../dashboards/command.ts'
import { fleet } from '../dashboards/fleet.ts'
import { flowRecordings, sloRecordings } from '../dashboards/rules/recordings.ts'
import { alertsOf, defaults, rulesYaml } from '../dashboards/rules/rules.ts'
import { slo } from '../dashboards/slo.ts'
import { unused } from '../dashboards/unused.ts'
import { uplink } from '../dashboards/uplink.ts'
import { runSluice } from './helpers/command.ts'

const root = resolve(import.meta.dirname, '..')
const runbooks = join(root, 'docs/runbooks')
const alerts = alertsOf(defaults)
const recordings = [...flowRecordings(defaults), ...sloRecordings(defaults)]
const dashboards = [fleet, uplink, slo].map(assemble)
const questions = new Set(dashboards.flatMap(({ panels }) => panels)
  .flatMap((panel) => panel.type === 'row' ? panel.panels : [panel]).map(({ title }) => title))
const specs = new Map<string, MetricSpec>(
  [...Object.values(catalogue), ...Object.values(runtimeCatalogue)].map((spec) => [spec.name, spec]))

test('there is an alert for everything that is worth a call or a mail', () => {
  assert.deepEqual(alerts.map(({ name }) => name.replace('Sluice', '')).sort(), [
    'BacklogGrowing', 'CrashLooping', 'DiskFillingUp', 'Down', 'EventLoopLagging', 'ImagesFailed', 'IngestAboveAllowance',
    'IngestPaused', 'MassDisconnect', 'MessagesRefused', 'PubackSlow', 'SLOErrorBudgetBurnFast', 'SLOErrorBudgetBurnSlow',
    'SpoolErrors', 'SpoolNearlyFull', 'SpoolWillFill', 'UploadErrorRatioHigh', 'UploadsPausedForLong', 'UploadsStalled'
  ])
  for (const { name, summary, description } of alerts) {
    assert.match(summary, /^[A-Z][^{}]+\.$/, name) // the same sentence every time
    assert.match(description, /\{\{ \$(value|labels)/, name)
  }
})

test('rules ask for metrics of the catalogue, for labels that they have, and for series that other rules make', () => {
  const made = new Set(recordings.map(({ record }) => record))
  const all = [...alerts, ...recordings.map(({ record, expr }) => ({ name: record, expr }))]
  for (const { name: of, expr } of all) {
    for (const [series = ''] of expr.matchAll(/(?:instance|job):[\w:]+/g)) assert.ok(made.has(series), `${of}: ${series}`)
    const plain = expr.replaceAll(/(?:instance|job):[\w:]+/g, '')
    for (const [, name = '', matchers = ''] of plain.matchAll(/\b((?:sluice|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)) {
      const spec = specs.get(name) ?? specs.get(name.replace(/_bucket$/, ''))
      assert.ok(spec !== undefined, `${of}: ${name}`)
      assert.match(matchers, /job="sluice"/, `${of}: ${name}`)
      for (const [, label = '', values = ''] of matchers.matchAll(/(\w+)!?=~?"([^"]+)"/g)) {
        if (label === 'job') continue
        for (const value of values.split('|')) assert.ok(value === '.+' || spec.labels[label]?.includes(value), `${of}: ${label}=${value}`)
      }
    }
  }
})

test('each metric of the catalogue is used by a panel or a rule, or it is said why not', () => {
  const text = JSON.stringify(dashboards) + rulesYaml(defaults)
  for (const [key, { name }] of Object.entries(catalogue)) {
    const isUsed = new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(text)
    assert.equal(isUsed, !(key in unused), name)
  }
})

test('each alert has a runbook: what it means, what it does to whom, where to look, what to do', async () => {
  const pages = (await readdir(runbooks)).filter((name) => name.startsWith('Sluice'))
  assert.deepEqual(pages.sort(), alerts.map(({ name }) => `${name}.md`).sort())
  for (const page of pages) {
    const text = await readFile(join(runbooks, page), 'utf8')
    assert.deepEqual([...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading), ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'], page)
    const [, , diagnosis = ''] = text.split(/^## .+$/m).slice(1)
    assert.match(diagnosis, /`(sluice|curl|top|df) /, page)
    const panels = [...text.matchAll(/\*\*(.+?\?)\*\*/g)].map(([, title = '']) => title)
    assert.ok(panels.length > 0, page)
    for (const title of panels) assert.ok(questions.has(title), `${page}: no panel asks ${title}`)
    for (const [, other = ''] of text.matchAll(/\b(Sluice[A-Z]\w+)\b/g)) assert.ok(pages.includes(`${other}.md`), `${page}: ${other}`)
  }
})

test('the commands of the runbooks are commands of sluice', async () => {
  const commands = new Set<string>()
  for (const page of await readdir(runbooks)) {
    const text = await readFile(join(runbooks, page), 'utf8')
    for (const [, words = ''] of text.matchAll(/`sluice ([a-z]+(?: [a-z]+)?)/g)) commands.add(words)
  }
  assert.ok(commands.size >= 8, [...commands].join())
  for (const words of commands) {
    const [command = '', ...more] = words.split(' ')
    const { code, stdout } = await runSluice([command, ...more, '--help'])
    assert.equal(code, 0, words)
    assert.match(stdout, new RegExp(`Usage: sluice ${words}`), words)
  }
})

test('job, objective, thresholds and the length of a minute are options of the generator', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'))
  t.after(() => rm(folder, { recursive: true }))
  const { status, stderr } = spawnSync(process.execPath, [
    '--import', import.meta.resolve('tsx'), join(root, 'dashboards/main.ts'), '--to', folder, '--job', 'site-.+', '--objective', '0.995',
    '--minute', '1', '--threshold', 'spoolRatio=0.7', '--runbooks', 'https://wiki.example/sluice/'
  ], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const rules = await readFile(join(folder, 'rules.yml'), 'utf8')
  assert.match(rules, /job=~"site-\.\+"/)
  assert.match(rules, /\* 0 \+ 0\.005$/m)
  assert.match(rules, /ratio_rate1h\n +expr: .*\[60s\]/)
  assert.match(rules, /used_per_limit:ratio > 0\.7/)
  assert.match(rules, /runbook_url: https:\/\/wiki\.example\/sluice\/SluiceDown\.md/)
})

test('a mistake in an option is named, with what would be right', () => {
  const wrong = {
    '--threshold full=1 --to x': /no threshold 'full', but backlogMinutes/,
    '--objective 99 --to x': /--objective 99: .*1 at most/,
    '--minute none --to x': /--minute none: write a number/,
    '--job other': /--to/,
    '--chekc': /chekc/
  }
  for (const [args, message] of Object.entries(wrong)) {
    assert.throws(() => readCommand(args.split(' ')), (error) => error instanceof UsageError && message.test(error.message), args)
  }
})
