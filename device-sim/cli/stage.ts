// A run with all that goes on beside it: the run file, the line to the store, and whoever watches.

import { join } from 'node:path'
import { SimulatorError } from '../errors.ts'
import { followStore, type Following } from '../judge/follow.ts'
import { Manifest, type RunFile } from '../judge/manifest.ts'
import type { StoreChoice } from '../judge/store-choice.ts'
import { createStoreControl, type StoreControl } from '../judge/store-control.ts'
import type { Fault, Report } from '../report/report.ts'
import { runSimulation, type Watch } from '../run/simulation.ts'
import { runUplink } from '../run/uplink.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { Live } from './live.ts'
import type { RunFlags } from './options.ts'

export interface Staging {
  readonly scenario: Scenario
  readonly flags: RunFlags
  readonly store: StoreChoice | undefined
  readonly live: Live
  readonly record: Live['progress']
}

/** The report is not valid where the line to the store could not be turned as the scenario says. */
export async function stageRun (staging: Staging, signal: AbortSignal): Promise<Report> {
  const { scenario, store, live, record } = staging
  const ended = new AbortController()
  const faults: Fault[] = []
  const note = createNotes(staging)
  let following: Following | undefined
  let turning: Promise<void> | undefined
  const watch: Watch = {
    begun: note.begun,
    started: (startedAt, controls) => {
      note.started(startedAt)
      live.begin(controls)
      if (store !== undefined) following = followStore(store.access, startedAt, ended.signal)
      turning = turnLine(staging, startedAt, { signal: ended.signal, fail: (fault) => { faults.push(fault) } })
    },
    progress: (progress) => {
      live.progress(progress)
      record(progress)
    },
    stored: () => following?.stored()
  }
  const report = await runSimulation(scenario, watch, signal).finally(async () => {
    ended.abort()
    await Promise.all([turning, following?.ended])
  })
  const whole = { ...report, isValid: report.isValid && faults.length === 0, faults: [...report.faults, ...faults] }
  note.ended(whole)
  return whole
}

export function controlOf (store: StoreChoice | undefined): StoreControl | undefined {
  return store?.control === undefined ? undefined : createStoreControl(store.control)
}

/** What fails while the run lasts is a fault of it; what fails at its end is only told. */
async function turnLine (
  { scenario: { uplink }, store, live }: Staging, startedAt: number, { signal, fail }: {
    readonly signal: AbortSignal
    readonly fail: (fault: Fault) => void
  }
): Promise<void> {
  const control = controlOf(store)
  if (uplink === undefined || control === undefined) return
  try {
    await runUplink(uplink, { control, startedAt }, signal)
  } catch (cause) {
    if (!(cause instanceof SimulatorError)) throw cause
    live.tell(cause.message)
    const message = `the line to the store was not turned as the scenario says: ${cause.message}`
    if (!signal.aborted) fail({ code: cause.code, message })
  }
}

interface Notes {
  readonly begun: NonNullable<Watch['begun']>
  started (startedAt: number): void
  ended (report: Report): void
}

/** The run file, where one is wanted. */
function createNotes ({ scenario, flags, store, live }: Staging): Notes {
  let manifest: Manifest | undefined
  let head: RunFile | undefined
  return {
    begun (run, startedAt) {
      if (flags.verify !== true && flags.runFile === undefined) return []
      const { endpoint, bucket = '', region } = store?.access ?? {}
      const access = store && { endpoint, bucket, region }
      head = { run, startedAt, scenario: scenario.name, store: access, s3File: store?.file }
      manifest = openManifest(flags.runFile, run, { live, processes: scenario.workers })
      manifest?.write(head)
      return manifest?.linesPaths ?? []
    },
    started (startedAt) {
      if (head === undefined) return
      head = { ...head, measuredFrom: startedAt + scenario.warmupMs }
      manifest?.write(head)
    },
    ended ({ evidence, samples, ...summary }) {
      if (head === undefined || manifest === undefined) return
      manifest.write(head, summary)
      live.tell(`run file     ${manifest.path}: npm run simulate -- verify --run ${manifest.path}`)
    }
  }
}

/** Where nobody chose the place and it cannot be written, as in a read-only container, the run goes on without. */
function openManifest (path: string | undefined, run: string, { live, processes }: {
  readonly live: Live
  readonly processes: number
}): Manifest | undefined {
  if (path !== undefined) return new Manifest(path, processes)
  try {
    return new Manifest(join('data', 'runs', `${run}.json`), processes)
  } catch (error) {
    if (!(error instanceof SimulatorError)) throw error
    live.tell(`this run cannot be judged later: ${error.message}`)
    return undefined
  }
}
