// The real service on a bad machine, under a real Prometheus and Alertmanager: a disk that is slow, a line that is too
// thin, a processor that stops, a crash again and again, and an end.

import { test } from 'node:test'
import type { RuleOptions } from '../../dashboards/rules/rules.ts'
import { eventually } from '../helpers/eventually.ts'
import { BadMachine } from './monitoring-site.ts'
import { startDistantStore } from './monitoring-store.ts'
import { hurried, startWatch, type Watch } from './monitoring-watch.ts'
import { missing } from './peers.ts'

const skip = missing('prometheus', 'prometheus-alertmanager')
const noTrace = missing('strace')

/** A stop as long as the usual limit would be longer than the second between two scrapes has room for. */
const rules: RuleOptions = { ...hurried, thresholds: { ...hurried.thresholds, eventLoopSeconds: 0.2 } }

interface Scene {
  readonly machine: BadMachine
  readonly watch: Watch
  readonly heard: Watch['heard']
}

test('on a bad machine each alert fires in its trouble and ends after it', { skip, timeout: 230_000 }, async (t) => {
  const { endpoint } = await startDistantStore(t)
  const machine = await BadMachine.make(t, endpoint)
  const watch = await startWatch(t, [machine.target], rules)
  const scene = { machine, watch, heard: watch.heard }
  await t.test('a disk on which every sync takes more than a second', { skip: noTrace }, () => slowDisk(scene))
  await t.test('a processor that stops, and a line that is too thin all the while', () => stutter(scene))
  await t.test('a crash again and again, an end, and a line that is wide enough', () => crashes(scene))
})

async function slowDisk ({ machine, heard }: Scene): Promise<void> {
  await machine.startOnSlowDisk()
  await heard('SluicePubackSlow', 'firing', 90_000)
  await machine.restart()
  await heard('SluicePubackSlow', 'resolved')
}

async function stutter ({ machine, heard }: Scene): Promise<void> {
  await machine.restart()
  await machine.stutter(heard('SluiceEventLoopLagging', 'firing'))
  await heard('SluiceEventLoopLagging', 'resolved')
  await heard('SluiceIngestAboveAllowance', 'firing')
}

async function crashes ({ machine, watch: { ask }, heard }: Scene): Promise<void> {
  machine.line = '200Mbit'
  for (let crash = 0; crash < 4; crash++) {
    const before = await startOf(machine, ask)
    await machine.restart()
    await eventually(async () => await startOf(machine, ask) > before,
      { timeoutMs: 15_000, everyMs: 200, what: 'a start that Prometheus saw' })
  }
  await heard('SluiceCrashLooping', 'firing')
  await machine.stop()
  await heard('SluiceDown', 'firing')
  await machine.restart()
  await heard('SluiceDown', 'resolved')
  await heard('SluiceIngestAboveAllowance', 'resolved')
  await heard('SluiceCrashLooping', 'resolved', 90_000)
}

async function startOf ({ target }: BadMachine, ask: Watch['ask']): Promise<number> {
  const [start] = await ask('process_start_time_seconds{instance=~"$instance"}', target)
  return start?.points[0]?.[1] ?? 0
}
