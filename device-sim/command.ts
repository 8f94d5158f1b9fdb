// What the command does between its flags and its exit code.

import { open, type FileHandle } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import type { StoreAccess } from './bucket.ts'
import { SimulatorError } from './errors.ts'
import type { Verdict } from './inspection.ts'
import { DEFAULTS, type SimulationOptions } from './options.ts'
import { formatProgress, formatReport, type Report } from './report.ts'
import { runSimulation, type Watch } from './simulation.ts'
import { chooseStore, type Environment, type StoreFlags } from './store-choice.ts'
import { formatVerdict, verify } from './verify.ts'

/** sysexits.h; 99 is what load tools say when a threshold did not hold, 130 what shells say of SIGINT. */
export const EXIT = { ok: 0, usage: 64, unavailable: 69, notHeld: 99, interrupted: 130 } as const

/** The command line, in base units. */
export interface Flags extends StoreFlags {
  readonly host: string
  readonly port: number
  readonly devices: number
  readonly count?: number
  readonly duration?: number
  readonly limit?: number
  readonly rate: number
  readonly size: number
  readonly images?: string
  readonly prefix: string
  readonly topicPrefix: string
  readonly ids: boolean
  readonly format: 'raw' | 'json'
  readonly inflight: number
  readonly deviceQueue: number
  readonly seed: number
  readonly ramp: number
  readonly drainTimeout: number
  readonly verify?: true
  readonly verifyTimeout: number
  readonly manifest?: string
  readonly out?: string
  readonly json?: true
  readonly quiet?: true
}

export interface Surroundings {
  /** For the report: standard output. */
  readonly print: (text: string) => void
  /** For the lines on the way there: standard error. */
  readonly tell: (line: string) => void
  readonly env: Environment
}

/** A run and, if asked for, its verdict; gives the exit code. Throws a SimulatorError where it cannot be. */
export async function runCommand (
  flags: Flags, { print, tell: speak, env }: Surroundings, signal: AbortSignal
): Promise<number> {
  const tell = flags.quiet === true ? () => {} : speak
  const printText = flags.json === true ? () => {} : print
  const store = flags.verify === true ? await chooseStore(flags, env) : undefined
  const out = await openFile(flags.out)
  const report = await runWithManifest(flags, tell, signal)
  printText(formatReport(report))
  const verdict = store === undefined ? undefined : await judge(report, { store, flags, tell }, signal)
  if (verdict !== undefined) printText(formatVerdict(verdict))
  const { evidence, ...summary } = report
  const json = JSON.stringify({ ...summary, verdict }, undefined, 2)
  if (flags.json === true) print(json)
  await out?.writeFile(`${json}\n`)
  await out?.close()
  if (signal.aborted) return EXIT.interrupted
  return verdict?.held === false ? EXIT.notHeld : EXIT.ok
}

async function runWithManifest (
  flags: Flags, tell: (line: string) => void, signal: AbortSignal
): Promise<Report> {
  const manifest = (await openFile(flags.manifest))?.createWriteStream()
  const report = await runSimulation({
    ...readOptions(flags),
    progress: (progress) => tell(formatProgress(progress)),
    acknowledged: (image) => { // in whole ms
      const [plannedAt, ackedAt] = [Math.round(image.plannedAt), Math.round(image.ackedAt)]
      manifest?.write(`${JSON.stringify({ ...image, plannedAt, ackedAt })}\n`)
    }
  }, signal)
  if (manifest !== undefined) await finished(manifest.end())
  return report
}

function readOptions (flags: Flags): Partial<SimulationOptions> & Watch {
  const { devices, count = devices, limit = Infinity, duration } = flags
  return {
    ...flags,
    devices: count,
    limit,
    durationMs: duration ?? (limit === Infinity ? DEFAULTS.durationMs : Infinity),
    ratePerSecond: flags.rate,
    rampPerSecond: flags.ramp,
    drainMs: flags.drainTimeout
  }
}

interface Judging {
  readonly store: StoreAccess
  readonly flags: Flags
  readonly tell: (line: string) => void
}

// Undefined where it was interrupted: the manifest can be judged another time, a guess cannot.
async function judge (
  { evidence }: Report, { store, flags, tell }: Judging, signal: AbortSignal
): Promise<Verdict | undefined> {
  if (signal.aborted) return undefined
  try {
    return await verify(evidence, store, {
      timeoutMs: flags.verifyTimeout,
      progress: (found, acknowledged) => tell(`verify found=${found} acknowledged=${acknowledged}`)
    }, signal)
  } catch (cause) {
    if (signal.aborted) return undefined
    throw cause
  }
}

// Before the run, so that a mistyped path does not cost its result.
async function openFile (path: string | undefined): Promise<FileHandle | undefined> {
  if (path === undefined) return undefined
  return await open(path, 'w').catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `${path} cannot be written: ${String(cause)}`)
  })
}
