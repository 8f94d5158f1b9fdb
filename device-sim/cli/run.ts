// What `run` does between its flags and its exit code.

import { open, type FileHandle } from 'node:fs/promises'
import type { Option } from 'commander'
import { SimulatorError } from '../errors.ts'
import type { Verdict } from '../judge/inspection.ts'
import { probeStore } from '../judge/store-probe.ts'
import { chooseStore, type StoreChoice } from '../judge/store-choice.ts'
import { verify } from '../judge/verify.ts'
import { formatCsv, formatJson } from '../report/files.ts'
import { formatPage } from '../report/page.ts'
import { startMetrics, type Metrics } from '../report/metrics.ts'
import { hasHeld, judgeOutcome, needsStore, type Outcome } from '../report/outcome.ts'
import type { Report } from '../report/report.ts'
import { formatOutcome } from '../report/text.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { EXIT, exitCodeOf, type ExitCode, type Shell } from './exit.ts'
import { showLive, type Live } from './live.ts'
import { loadOptions, readScenarioFlags, saveOptions, type RunFlags } from './options.ts'
import { controlOf, stageRun } from './stage.ts'
import { readTimeout } from './verify.ts'

interface Surroundings {
  /** All that may be said on the command line, and in a file of --load-options. */
  readonly options: readonly Option[]
  readonly shell: Shell
  readonly signal: AbortSignal
}

/** A run and, if asked for, its verdict; gives the exit code. Throws a SimulatorError where it cannot be. */
export async function runCommand (
  named: string | undefined, given: RunFlags, { options, shell, signal }: Surroundings
): Promise<ExitCode> {
  const flags = await loadOptions({ ...given, ...(named !== undefined && { scenario: named }) }, options) as RunFlags
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
    const report = await stageRun({ scenario, flags, store, live, record }, signal)
    await live.end()
    const write = async (verdict: Verdict | undefined, notJudged?: string): Promise<Outcome> => {
      const judged = judgeOutcome(report, verdict, scenario.thresholds)
      const outcome = notJudged === undefined ? judged : { ...judged, notJudged }
      await writeOutputs(outcome, files, { flags, shell })
      return outcome
    }
    // What a worker did at the last, only the run file knows.
    const isWhole = !signal.aborted && report.faults.every(({ code }) => code !== 'FAULT')
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
    await restore?.().catch((cause: Error) => { shell.tell(cause.message) }) // the run is judged all the same
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
