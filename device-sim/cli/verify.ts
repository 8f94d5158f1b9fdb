import { readRun } from '../judge/manifest.ts'
import { probeStore } from '../judge/store-probe.ts'
import { chooseStore, type StoreFlags } from '../judge/store-choice.ts'
import { verify } from '../judge/verify.ts'
import { SimulatorError } from '../errors.ts'
import { formatVerdictLines } from '../report/text.ts'
import { parseDurationMs } from '../units.ts'
import { EXIT, type ExitCode, type Shell } from './exit.ts'

export interface VerifyFlags extends StoreFlags {
  readonly run: string
  readonly verifyTimeout?: string
  readonly json?: true
}

/** Judges a run that has ended, or crashed, from what it left on disk. */
export async function verifyCommand (
  flags: VerifyFlags, { print, tell, env }: Shell, signal: AbortSignal
): Promise<ExitCode> {
  const { file, evidence } = await readRun(flags.run)
  const { endpoint, bucket, region } = file.store ?? {}
  const isNamed = flags.s3File !== undefined || flags.s3Endpoint !== undefined
  const { access } = await chooseStore({
    ...(!isNamed && file.s3File !== undefined && { s3File: file.s3File }),
    ...(!isNamed && file.s3File === undefined && endpoint !== undefined && { s3Endpoint: endpoint }),
    ...(bucket !== undefined && { s3Bucket: bucket }),
    ...(region !== undefined && { s3Region: region }),
    ...flags
  }, env)
  await probeStore(access, signal)
  tell(`run ${file.run} (${file.scenario}) had ${evidence.acknowledged.length} images PUBACKed and ` +
    `${evidence.unacknowledged.size} sent without a PUBACK`)
  try {
    const verdict = await verify(evidence, access, {
      timeoutMs: readTimeout(flags.verifyTimeout),
      progress: (found, acknowledged) => { tell(`verify found=${found} acknowledged=${acknowledged}`) }
    }, signal)
    print(flags.json === true ? JSON.stringify(verdict, undefined, 2) : formatVerdictLines(verdict).join('\n'))
    return verdict.held ? EXIT.ok : EXIT.notHeld
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    throw error
  }
}

export function readTimeout (text = '5m'): number {
  const ms = parseDurationMs(text)
  if (ms === undefined) throw new SimulatorError('USAGE', `--verify-timeout: wanted a time such as 5m, got "${text}"`)
  return ms
}
