import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { catalogue, type MetricSpec } from '../bridge/metric-catalogue.ts'
import { metricsPage } from '../dashboards/metrics-page.ts'

test('docs/metrics.md tells of every family with its labels and all their values', async () => {
  assert.equal(await readFile(join(import.meta.dirname, '../docs/metrics.md'), 'utf8'), metricsPage)
  for (const { name, labels } of Object.values<MetricSpec>(catalogue)) {
    const row = metricsPage.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? ''
    for (const word of [name, ...Object.entries(labels).flat(2)]) assert.ok(row.includes(word), `${name}: ${word}`)
  }
})
