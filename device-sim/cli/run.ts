// What `run` does between its flags and its exit code.

import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { SimulatorError } from '../errors.ts'
import { followStore, type Following } from '../judge/follow.ts'
import type { Verdict } from '../judge/inspection.ts'
import { Manifest, type RunFile } from '../judge/manifest.ts'
import { probeStore } from '../judge/store-probe.ts'
import { chooseStore, type StoreChoice, type StoreFlags } from '../judge/store-choice.ts'
import { createStoreControl, type StoreControl } from '../judge/store-control.ts'
import { verify } from '../judge/verify.ts'
import { formatCsv, formatJson } from '../report/files.ts'
import { formatPage } from '../report/page.ts'
import { startMetrics, type Metrics } from '../report/metrics.ts'
import { hasHeld, judgeOutcome, needsStore, type Outcome } from '../report/outcome.ts'
import type { Report } from '../report/report.ts'
import { formatOutcome } from '../report/text.ts'
import { runSimulation } from '../run/simulation.ts'
import { runUplink } from '../run/uplink.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { EXIT, exitCodeOf, type ExitCode, type Shell } from './exit.ts'
import { showLive, type Live } from './live.ts'
import { loadOptions, readScenarioFlags, saveOptions, type Flags } from './options.ts'
import { readTimeout } from './verify.ts'

export interface RunFlags extends Flags, StoreFlags {
  /** A preset's name or a file, as it was given or saved. */
  readonly scenario?: string
  readonly verify?: true
  readonly verifyTimeout?: string
  readonly runFile?: string
  readonly out?: string
  readonly json?: true
  readonly html?: string
  readonly metricsPort?: string
  readonly quiet?: true
}

interface Surroundings {
  readonly shell: Shell
  readonly signal: AbortSignal
}

/** A run and, if asked for, its verdict; gives the exit code. Throws a SimulatorError where it cannot be. */
export async function runCommand (
  named: string | undefined, given: RunFlags, { shell, signal }: Surroundings
): Promise<ExitCode> {
  const flags = await loadOptions({ ...given, ...(named !== undefined && { scenario: named }) }) as RunFlags
  await saveOptions(flags)
  const scenario = await readScenarioFlags(flags.scenario, flags)
  const timeoutMs = readTimeout(flags.verifyTimeout)
  const store = await chooseStoreFor(scenario, flags, shell)
  const control = controlOf(store)
  const files = await openOutputs(flags)
  const live = showLive(scenario, { shell, isQuiet: flags.quiet === true, control })
  let metrics: Metrics | undefined // it keeps the process alive until it is closed
  let restore: (() => Promise<void>) | undefined
  try {
    if (flags.metricsPort !== undefined) metrics = await startMetrics(flags.metricsPort)
    if (scenario.uplink !== undefined) restore = await control?.clear()
    if (flags.verify === true && store !== undefined) await probeStore(store.access, signal)
    const record: Live['progress'] = (progress) => { metrics?.record(progress) }
    const report = await simulate({ scenario, flags, store, live, record }, signal)
    await live.end()
    const write = async (verdict: Verdict | undefined, notJudged?: string): Promise<Outcome> => {
      const judged = judgeOutcome(report, verdict, scenario.thresholds)
      const outcome = notJudged === undefined ? judged : { ...judged, notJudged }
      await writeOutputs(outcome, files, { flags, shell })
      return outcome
    }
    // What a worker did at the last, only the run file knows.
    const isWhole = !signal.aborted && report.faults.length === 0
    const judging = flags.verify === true && store !== undefined && isWhole
      ? judge(report, { store, timeoutMs, live }, signal)
      : undefined
    const verdict = await judging?.catch(async (error: unknown) => {
      // What was measured is known all the same.
      if (error instanceof SimulatorError) await write(undefined, error.message)
      throw error
    })
    const outcome = await write(verdict)
    if (signal.aborted) return EXIT.interrupted
    const [fault] = report.faults
    if (fault !== undefined) return exitCodeOf(fault)
    return hasHeld(outcome) ? EXIT.ok : EXIT.notHeld
  } finally {
    await live.end()
    metrics?.close()
    await restore?.().catch((cause: unknown) => { shell.tell(String(cause)) }) // the run is judged all the same
  }
}

async function chooseStoreFor (scenario: Scenario, flags: RunFlags, { env }: Shell): Promise<StoreChoice | undefined> {
  const blind = scenario.thresholds.find(needsStore)
  if (blind !== undefined && flags.verify !== true) {
    throw new SimulatorError('USAGE', `--threshold ${blind.text} is about what is in the store; add --verify`)
  }
  if (flags.verify !== true && scenario.uplink === undefined) return undefined
  const store = await chooseStore(flags, env)
  if (scenario.uplink !== undefined && store.control === undefined) {
    throw new SimulatorError('USAGE', `${scenario.name} turns the line to the store, and this store cannot be turned; start one with ` +
      '`npm run simulate -- store`, point the service at it and name its file with --s3-file, or say --no-uplink')
  }
  return store
}

function controlOf (store: StoreChoice | undefined): StoreControl | undefined {
  return store?.control === undefined ? undefined : createStoreControl(store.control)
}

interface Staging {
  readonly scenario: Scenario
  readonly flags: RunFlags
  readonly store: StoreChoice | undefined
  readonly live: Live
  readonly record: Live['progress']
}

async function simulate ({ scenario, flags, store, live, record }: Staging, signal: AbortSignal): Promise<Report> {
  const ended = new AbortController()
  const beside: Array<Promise<void>> = []
  let manifest: Manifest | undefined
  let following: Following | undefined
  let head: RunFile | undefined
  try {
    const report = await runSimulation(scenario, {
      begun: (run, startedAt) => {
        if (flags.verify !== true && flags.runFile === undefined) return []
        const { endpoint, bucket = '', region } = store?.access ?? {}
        const access = store && { endpoint, bucket, region }
        head = { run, startedAt, scenario: scenario.name, store: access, s3File: store?.file }
        manifest = openManifest(flags.runFile, run, { live, processes: scenario.workers })
        manifest?.write(head)
        return manifest?.linesPaths ?? []
      },
      started: (startedAt, controls) => {
        if (head !== undefined) {
          head = { ...head, measuredFrom: startedAt + scenario.warmupMs }
          manifest?.write(head)
        }
        live.begin(controls)
        if (store !== undefined) following = followStore(store.access, startedAt, ended.signal)
        const control = controlOf(store)
        if (scenario.uplink !== undefined && control !== undefined) {
          beside.push(runUplink(scenario.uplink, control, ended.signal)
            .catch((cause: unknown) => { live.tell(String(cause)) }))
        }
      },
      progress: (progress) => {
        live.progress(progress)
        record(progress)
      },
      stored: () => following?.stored()
    }, signal)
    const { evidence, samples, ...summary } = report
    if (head !== undefined) manifest?.write(head, summary)
    if (manifest !== undefined) live.tell(`run file     ${manifest.path}: npm run simulate -- verify --run ${manifest.path}`)
    return report
  } finally {
    ended.abort()
    await Promise.all([...beside, following?.ended])
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

// Undefined where it was interrupted: the run file can be judged another time, a guess cannot.
async function judge ({ evidence }: Report, { store, timeoutMs, live }: {
  readonly store: StoreChoice
  readonly timeoutMs: number
  readonly live: Live
}, signal: AbortSignal): Promise<Verdict | undefined> {
  try {
    return await verify(evidence, store.access, {
      timeoutMs,
      progress: (found, acknowledged) => { live.tell(`verify found=${found} acknowledged=${acknowledged}`) }
    }, signal)
  } catch (cause) {
    if (signal.aborted) return undefined
    throw cause
  }
}

interface Outputs {
  readonly out: FileHandle | undefined
  readonly html: FileHandle | undefined
}

async function openOutputs ({ out, html }: RunFlags): Promise<Outputs> {
  return { out: out === '-' ? undefined : await openFile('out', out), html: await openFile('html', html) }
}

async function writeOutputs (outcome: Outcome, { out, html }: Outputs, { flags, shell }: {
  readonly flags: RunFlags
  readonly shell: Shell
}): Promise<void> {
  const isJson = flags.json === true || flags.out === '-'
  shell.print(isJson ? formatJson(outcome) : formatOutcome(outcome))
  await out?.writeFile(flags.out?.endsWith('.csv') === true ? formatCsv(outcome) : `${formatJson(outcome)}\n`)
  await out?.close()
  await html?.writeFile(formatPage(outcome))
  await html?.close()
}

// Before the run, so that a mistyped path does not cost its result.
async function openFile (flag: string, path: string | undefined): Promise<FileHandle | undefined> {
  if (path === undefined) return undefined
  return await open(path, 'w').catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `--${flag}: ${path} cannot be written: ${String(cause)}`)
  })
}
