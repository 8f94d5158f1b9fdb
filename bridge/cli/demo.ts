// `sluice demo`: a minute in which the store goes away and nothing is lost, seen from outside. The
// fleet is the simulator's, the numbers are the service's own API, and the proof reads every object
// back from the store.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Report } from '../../device-sim/report/report.ts'
import type { StoreAccess } from '../../device-sim/judge/bucket.ts'
import { formatBytes, formatCount } from '../amounts.ts'
import type { Bridge } from '../bridge.ts'
import { formatAddress } from '../config/address.ts'
import { readConfig } from '../config/read-config.ts'
import { within } from '../deadline.ts'
import { createLog } from '../log.ts'
import type { Status } from '../status.ts'
import { createApi } from './api.ts'
import { addExamples } from './examples.ts'
import { EXIT, type ExitCode } from './exit.ts'
import type { Finish, Shell } from './shell.ts'

/** 10 images/s of 100 kB come in, 2.4 MB/s may go out: 12 s of outage are made up for in 9. */
const FLEET = { count: 20, rate: '0.5/s', size: '100KB', prefix: 'demo-' }
const FLEET_DURATION = '35s'
const SETTINGS = {
  'mqtt.listen': '127.0.0.1:0',
  'http.listen': '127.0.0.1:0',
  'uplink.capacity': '100Mbit',
  'uplink.share': '20%',
  'spool.limit': '1GB',
  'log.level': 'error'
}
const OUTAGE = { fromMs: 10_000, toMs: 22_000 }
const PLAY_MS_MAX = 120_000
const VERIFY_MS_MAX = 30_000
const CLOSE_MS_MAX = 3_000

export function addDemo (program: Command, shell: Shell, finish: Finish): void {
  const command = program.command('demo')
    .description('a simulated fleet, an outage of the store, and the proof that nothing was lost; about a minute')
  addExamples(command, ['sluice demo']).action(async () => { finish(await demo(shell)) })
}

async function demo (shell: Shell): Promise<ExitCode> {
  const stop = new AbortController()
  shell.onSignal(() => { stop.abort() })
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-demo-'))
  try {
    return await perform(dataDir, shell, stop.signal)
  } catch (error) {
    if (stop.signal.aborted) return EXIT.interrupted
    throw error
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function perform (dataDir: string, shell: Shell, signal: AbortSignal): Promise<ExitCode> {
  const { startBridge } = await import('../bridge.ts')
  const { verify } = await import('../../device-sim/judge/verify.ts')
  const { formatVerdictLines } = await import('../../device-sim/report/text.ts')
  const config = readConfig({ flags: { ...SETTINGS, dataDir } })
  const bridge = await startBridge(config, { log: createLog(config.log), version: shell.version })
  const stage = { bridge, shell }
  try {
    shell.print(`A service of its own, and ${FLEET.count} simulated devices that send 10 images/s for 35 s.`)
    shell.print(`Watch it at http://${formatAddress(bridge.http)}/. From second 10 to 22 the store is gone.`)
    const report = await play(stage, signal)
    signal.throwIfAborted()
    shell.print('Now every object is read back from the store and compared with what the devices sent.')
    const verdict = await verify(report.evidence, await readAccess(dataDir), { timeoutMs: VERIFY_MS_MAX }, signal)
    const { ledger } = await readStatus(stage)
    const isEven = ledger.exact && ledger.acknowledged === ledger.uploaded && ledger.uploaded === verdict.found
    shell.print(formatReport(report))
    for (const line of formatVerdictLines(verdict)) shell.print(line)
    shell.print(`ledger       ${formatCount(ledger.acknowledged)} acknowledged = ${formatCount(ledger.uploaded)} uploaded` +
      `${isEven ? ': nothing was lost' : ': this does not add up'}`)
    return verdict.held && isEven ? EXIT.ok : EXIT.notHeld
  } finally {
    await bridge.close(AbortSignal.timeout(CLOSE_MS_MAX))
  }
}

interface Stage {
  readonly bridge: Bridge
  readonly shell: Shell
}

/** The fleet, the outage and the running commentary side by side, until nothing waits any more. */
async function play (stage: Stage, signal: AbortSignal): Promise<Report> {
  const { runSimulation } = await import('../../device-sim/run/simulation.ts')
  const { readScenario } = await import('../../device-sim/scenario/read-scenario.ts')
  return await within(PLAY_MS_MAX, signal, async (curtain) => {
    let isSending = true
    const { host, port } = stage.bridge.mqtt
    const scenario = readScenario({ flags: { devices: FLEET, duration: FLEET_DURATION, host, port } })
    const fleet = runSimulation(scenario, {}, curtain).finally(() => { isSending = false })
    const show = [cutStore(stage.bridge, curtain), narrate(stage, () => isSending, curtain)]
    const [report] = await Promise.all([fleet, ...show])
    return report
  })
}

async function cutStore ({ localStore }: Bridge, signal: AbortSignal): Promise<void> {
  if (await paused(OUTAGE.fromMs, signal)) return
  await localStore?.faults.set({ outage: true })
  await paused(OUTAGE.toMs - OUTAGE.fromMs, signal)
  await localStore?.faults.clear()
}

/** A line a second: how it stands, what devices have a PUBACK for, what is in the store, what waits. */
async function narrate (stage: Stage, isSending: () => boolean, signal: AbortSignal): Promise<void> {
  for (let second = 1; !await paused(1000, signal); second++) {
    const { verdict, ledger, backlog } = await readStatus(stage)
    stage.shell.print([
      `${second} s`.padStart(5),
      verdict.word.padEnd(14),
      `acknowledged ${formatCount(ledger.acknowledged)}`.padEnd(18),
      `in the store ${formatCount(ledger.uploaded)}`.padEnd(18),
      `waiting ${formatCount(backlog.count)} (${formatBytes(backlog.bytes)})`
    ].join('  '))
    if (!isSending() && backlog.count === 0) return
  }
}

async function readStatus ({ bridge, shell }: Stage): Promise<Status> {
  const api = createApi({ url: `http://${formatAddress(bridge.http)}` }, shell)
  return await api.ask('GET', '/api/v1/status') as Status
}

async function readAccess (dataDir: string): Promise<StoreAccess> {
  return JSON.parse(await readFile(join(dataDir, 'local-store.json'), 'utf8')) as StoreAccess
}

function formatReport ({ counts, fromSend }: Report): string {
  return `devices      took ${formatCount(counts.captured)} images and hold ${formatCount(counts.acknowledged)} PUBACKs, ` +
    `half of them within ${fromSend.p50.toFixed(0)} ms, 99 of 100 within ${fromSend.p99.toFixed(0)} ms, outage included`
}

/** True where the signal came first. */
async function paused (ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => {}) // aborted: told below
  return signal.aborted
}
