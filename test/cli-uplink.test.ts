import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createSwitchableLog, reload } from '../bridge/cli/reload.ts'
import type { Config } from '../bridge/config/config.ts'
import { resolveConfig } from '../bridge/config/read-config.ts'
import type { UplinkJson } from '../bridge/http/uplink.ts'
import { runSluice } from './helpers/command.ts'
import { startSite } from './helpers/http.ts'

type Command = (...args: string[]) => ReturnType<typeof runSluice>

async function startUplinkCommand (t: TestContext): Promise<Command> {
  const { url } = await startSite(t)
  return (...args) => runSluice(['uplink', ...args, '--url', url])
}

test('an operator limits, pauses and resumes uploads, and reads what holds now and what comes next', async (t) => {
  const uplink = await startUplinkCommand(t)
  const limited = await uplink('limit', '6Mbit', '--for', '1h', '--reason', 'the backup')
  assert.match(limited.stdout, /^now +6 Mbit\/s, set by an operator +until \d{4}-/)
  assert.match(limited.stdout, /^reason +the backup$/m)
  assert.match(limited.stdout, /^next +800 Mbit\/s, the usual share$/m)
  const paused = await uplink('pause', '--for', '30m')
  assert.match(paused.stdout, /^now +paused by an operator +until /)
  assert.match(paused.stdout, /^ordered +6Mbit after the pause +until /m)
  const { limit } = JSON.parse((await uplink('resume', '--json')).stdout) as UplinkJson
  assert.deepEqual([limit.source, limit.reason], ['override', 'the backup'])
  assert.match((await uplink('limit', '30%')).stdout, /^now +300 Mbit\/s, set by an operator$/m)
  assert.match((await uplink('limit', 'default')).stdout, /^now +800 Mbit\/s, the usual share$/m)
  assert.equal((await uplink('show')).code, 0)
})

test('a limit that is none is a usage error with what to write instead', async (t) => {
  const { code, stdout, stderr } = await (await startUplinkCommand(t))('limit', '6')
  assert.deepEqual([code, stdout], [64, ''])
  assert.match(stderr, /"6" is not a rate in bits per second; write it like 6Mbit/)
})

test('help for the uplink leads with examples', async (t) => {
  const { code, stdout } = await (await startUplinkCommand(t))('--help')
  assert.equal(code, 0)
  assert.match(stdout, /^Examples:\n {2}\$ sluice uplink show\n {2}\$ sluice uplink limit 6Mbit --for 1h/)
})

test('a reload hands a changed line, timetable, order, lanes and concurrency to the running service, once, and no more waits for a restart', () => {
  const lines: string[] = []
  const log = createSwitchableLog({ level: 'info', format: 'json', destination: { write: (line) => lines.push(line) } })
  const running = resolveConfig({})
  const applied: Array<Config['uplink']> = []
  const reloaded = { running, log, configureUplink: (uplink: Config['uplink']) => { applied.push(uplink) } }
  const flags = {
    'uplink.share': '40%',
    'uplink.schedule': 'all 22:00-06:00 off',
    'uplink.timeZone': 'Europe/Berlin',
    'uplink.concurrency': '3',
    'uplink.order': 'newest',
    'uplink.lanes': 'alarm=80%,normal=20%',
    'uplink.laneRules': 'gate-*=alarm',
    'uplink.retryShare': '5%'
  }
  const first = reload({ flags }, running, reloaded)
  const second = reload({ flags: { ...flags, 'uplink.timeout': '30s' } }, first, reloaded)
  reload({ flags: { 'uplink.share': '140%' } }, second, reloaded)
  assert.deepEqual(applied.map(({ share, schedule, timeZone }) => [share, schedule.length, timeZone]), [[0.4, 1, 'Europe/Berlin']])
  assert.match(lines.join(''), new RegExp(`${[
    'share', 'schedule', 'concurrency', 'order', 'lanes', 'laneRules', 'retryShare', 'timeZone'
  ].map((name) => `uplink.${name}`).join(', ')} hold from now on`))
  assert.deepEqual(lines.map((line) => /restart to apply ([^"]+)/.exec(line)?.[1]).filter(Boolean), ['uplink.timeout'])
  assert.match(lines.at(-1) ?? '', /configuration not applied: uplink\.share/)
})
