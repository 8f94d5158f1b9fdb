// The rules as they are shipped, with the hours and days they are about, in promtool's own time.

import assert from 'node:assert/strict'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { stringify } from 'yaml'
import { startService } from '../helpers/process.ts'
import { makeDirectory, missing, run } from './peers.ts'
import { provisioning } from './monitoring-watch.ts'

const skip = missing('promtool')
const rules = resolve(import.meta.dirname, '../../dashboards/generated/rules.yml')

/** A value a minute, in promtool's notation: `a+bxn` goes on n times by b. */
type Values = Readonly<Record<string, string>>
/** Whether an alert fires at a minute. */
type Expected = readonly [minute: number, alert: string, fires: boolean]

function series (values: Values) {
  return Object.entries(values).map(([name, values]) => {
    const [metric = '', labels = ''] = name.split('{')
    return { series: `${metric}{${['job="sluice"', 'instance="a"', labels.replace('}', '')].filter((label) => label !== '').join(',')}}`, values }
  })
}

async function assertFires (t: TestContext, values: Values, expected: readonly Expected[]): Promise<void> {
  const directory = await makeDirectory(t)
  await cp(rules, join(directory, 'rules.yml'))
  const file = join(directory, 'test.yml')
  await writeFile(file, stringify({
    rule_files: ['rules.yml'],
    evaluation_interval: '1m',
    tests: [{
      interval: '1m',
      input_series: series(values),
      promql_expr_test: expected.map(([minute, alert, fires]) => ({
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
        eval_time: `${minute}m`,
        exp_samples: fires ? [{ labels: '{}', value: 1 }] : []
      }))
    }]
  }))
  const { code, stdout, stderr } = await run('promtool', ['test', 'rules', file])
  assert.equal(code, 0, stdout + stderr)
}

test('promtool accepts the rules and the configuration', { skip }, async (t) => {
  const checked = await run('promtool', ['check', 'rules', rules])
  assert.equal(checked.code, 0, checked.stderr)
  assert.match(checked.stdout, /SUCCESS: 3\d rules found/)
  const directory = await makeDirectory(t)
  const file = join(directory, 'prometheus.yml')
  const text = await readFile(join(provisioning, 'prometheus.yml'), 'utf8')
  await writeFile(file, text.replace('/etc/prometheus/rules.yml', rules))
  const { code, stdout, stderr } = await run('promtool', ['check', 'config', file])
  assert.equal(code, 0, stdout + stderr)
})

test('amtool accepts the routes', { skip: missing('amtool') }, async () => {
  const { code, stderr } = await run('amtool', ['check-config', join(provisioning, 'alertmanager.yml')])
  assert.equal(code, 0, stderr)
})

test('promtool has nothing against what the service exposes of its own', { skip }, async (t) => {
  const service = await startService(t)
  const text = await (await fetch(`${service.url}/metrics`)).text()
  const own = text.split('\n').filter((line) => /^(# (HELP|TYPE) )?sluice_/.test(line)).join('\n')
  const file = join(await makeDirectory(t), 'metrics.txt')
  await writeFile(file, `${own}\n`)
  const { code, stdout, stderr } = await run('sh', ['-c', `promtool check metrics < ${file}`])
  assert.equal(code, 0, stdout + stderr)
})

test('an hour without a store: the fast burn calls within ten minutes and ends with the trouble, the slow one hours after', { skip }, (t) =>
  assertFires(t, {
    sluice_slo_objective_ratio: '0.99x960',
    'sluice_slo_messages_total{verdict="good"}': '0+600x420 252000x60 252600+600x480',
    'sluice_slo_messages_total{verdict="late"}': '0x420 600+600x60 37200x480',
    'sluice_spool_messages{state="waiting"}': '0x420 600+600x60 0x480',
    sluice_upload_last_success_timestamp_seconds: '0+60x420 25200x60 28860+60x480',
    process_start_time_seconds: '0x960',
    'sluice_upload_paused{reason="operator"}': '0x960',
    'sluice_upload_paused{reason="schedule"}': '0x960'
  }, [
    [419, 'SluiceSLOErrorBudgetBurnFast', false],
    [432, 'SluiceSLOErrorBudgetBurnFast', true],
    [525, 'SluiceSLOErrorBudgetBurnFast', false],
    [424, 'SluiceUploadsStalled', false],
    [430, 'SluiceUploadsStalled', true],
    [484, 'SluiceUploadsStalled', false],
    [600, 'SluiceSLOErrorBudgetBurnSlow', true],
    [860, 'SluiceSLOErrorBudgetBurnSlow', false]
  ]))

test('uploads that an operator paused are no stalled uploads, and are called forgotten after an hour', { skip }, (t) =>
  assertFires(t, {
    'sluice_spool_messages{state="waiting"}': '10x120',
    sluice_upload_last_success_timestamp_seconds: '0x120',
    process_start_time_seconds: '0x120',
    'sluice_upload_paused{reason="operator"}': '0x10 1x70 0x30'
  }, [
    [10, 'SluiceUploadsStalled', true],
    [40, 'SluiceUploadsStalled', false],
    [65, 'SluiceUploadsPausedForLong', false],
    [73, 'SluiceUploadsPausedForLong', true],
    [83, 'SluiceUploadsPausedForLong', false]
  ]))

test('a volume that fills within a day is called an hour ahead, and not once there is room', { skip }, (t) =>
  assertFires(t, {
    sluice_spool_disk_size_bytes: '100000000000x520',
    sluice_spool_disk_free_bytes: '45000000000-50000000x300 80000000000x200'
  }, [[90, 'SluiceDiskFillingUp', false], [200, 'SluiceDiskFillingUp', true], [310, 'SluiceDiskFillingUp', false]]))

test('a spool that fills within four hours is called, and not while it will last longer', { skip }, (t) =>
  assertFires(t, {
    sluice_spool_limit_bytes: '20000000000x400',
    sluice_spool_disk_used_bytes: '0+40000000x300 12000000000-100000000x60'
  }, [[240, 'SluiceSpoolWillFill', false], [280, 'SluiceSpoolWillFill', true], [330, 'SluiceSpoolWillFill', false]]))

test('a fleet above the allowance is called; a timetable that catches up at night, and no limit at all, are not', { skip }, async (t) => {
  const fleet = { 'sluice_ingest_bytes_total{format="raw"}': '0+480000000x3000' } // 8 MB/s
  const called = (minute: number, fires: boolean): Expected => [minute, 'SluiceIngestAboveAllowance', fires]
  const allowance = 'sluice_upload_rate_limit_bytes_per_second'
  await assertFires(t, { ...fleet, [allowance]: '4750000x3000' }, [called(10, false), called(60, true), called(2900, true)])
  await assertFires(t, { ...fleet, [allowance]: '4750000x720 15000000x720 4750000x720 15000000x720' }, [called(1500, false), called(2100, false)])
  await assertFires(t, { ...fleet, [allowance]: '0x3000' }, [called(2000, false)])
})

test('three starts in half an hour are one too many; and a service that is not there at all is down', { skip }, (t) =>
  assertFires(t, { process_start_time_seconds: '100x5 200x5 300x5 400x80' }, [
    [8, 'SluiceCrashLooping', false],
    [20, 'SluiceCrashLooping', true],
    [60, 'SluiceCrashLooping', false],
    [5, 'SluiceDown', true]
  ]))

test('one write that fails is called at once, and no longer after ten minutes', { skip }, (t) =>
  assertFires(t, {
    'sluice_spool_errors_total{op="write"}': '0x10 1x40',
    'sluice_spool_errors_total{op="read"}': '0x50'
  }, [[9, 'SluiceSpoolErrors', false], [12, 'SluiceSpoolErrors', true], [25, 'SluiceSpoolErrors', false]]))

test('on a good day nothing fires', { skip }, async (t) => {
  const alerts = [...(await readFile(rules, 'utf8')).matchAll(/alert: (\w+)/g)].map(([, name = '']) => name)
  assert.equal(alerts.length, 19)
  await assertFires(t, {
    up: '1x600',
    process_start_time_seconds: '0x600',
    nodejs_eventloop_lag_p99_seconds: '0.012x600',
    sluice_slo_objective_ratio: '0.99x600',
    'sluice_slo_messages_total{verdict="good"}': '0+2000x600',
    'sluice_slo_messages_total{verdict="late"}': '0+1x600',
    'sluice_ingest_messages_total{format="raw",result="accepted"}': '0+2000x600',
    'sluice_ingest_messages_total{format="raw",result="refused"}': '0+1x600',
    'sluice_ingest_bytes_total{format="raw"}': '0+240000000x600',
    'sluice_ingest_paused{reason="spool_full"}': '0x600',
    'sluice_mqtt_puback_delay_seconds_bucket{le="0.05"}': '0+2000x600',
    'sluice_mqtt_puback_delay_seconds_bucket{le="+Inf"}': '0+2000x600',
    sluice_mqtt_connections: '1000x100 950x100 1000x400',
    'sluice_spool_messages{state="waiting"}': '3 9 1 4 2 8x590',
    'sluice_spool_bytes{state="waiting"}': '700000 2100000 300000 900000 400000 2000000x590',
    sluice_spool_oldest_message_timestamp_seconds: '0x600',
    sluice_spool_limit_bytes: '20000000000x600',
    sluice_spool_disk_used_bytes: '64000000x300 128000000x300',
    sluice_spool_disk_size_bytes: '100000000000x600',
    sluice_spool_disk_free_bytes: '60000000000-1000000x600',
    'sluice_spool_errors_total{op="write"}': '0x600',
    'sluice_upload_attempts_total{result="success"}': '0+2000x600',
    'sluice_upload_attempts_total{result="retryable"}': '0+10x600',
    'sluice_upload_messages_total{result="failed"}': '0x600',
    'sluice_upload_paused{reason="operator"}': '0x600',
    sluice_upload_rate_limit_bytes_per_second: '4750000x600',
    sluice_upload_last_success_timestamp_seconds: '0+60x600'
  }, alerts.flatMap((alert) => [[30, alert, false], [130, alert, false], [590, alert, false]] as const))
})
