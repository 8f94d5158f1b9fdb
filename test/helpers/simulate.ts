import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { runProgram } from '../../device-sim/cli/program.ts'
import type { Report } from '../../device-sim/report/report.ts'
import { runSimulation, type Watch } from '../../device-sim/run/simulation.ts'
import { readScenario } from '../../device-sim/scenario/read-scenario.ts'
import type { Scenario } from '../../device-sim/scenario/scenario.ts'
import type { Tree } from '../../device-sim/scenario/tree.ts'

const SPAWN_MS_MAX = 60_000

/** Three devices that take twelve small images in well under a second, unless the tree says otherwise. */
export function smallScenario ({ devices, ...rest }: Tree & { readonly devices?: Tree } = {}): Scenario {
  const group = { count: 3, rate: '20/s', size: '16KB', ...devices }
  return readScenario({ flags: { limit: 12, drainTimeout: '5s', ...rest, devices: group } })
}

export async function simulate (
  tree: Tree & { readonly devices?: Tree }, watch: Watch = {}, signal?: AbortSignal
): Promise<Report> {
  return await runSimulation(smallScenario(tree), watch, signal)
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The command with these arguments, in this process; without a terminal. */
export async function runSimulator (args: readonly string[], signal = new AbortController().signal): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runProgram(args, {
    print: (text) => { out.push(text) }, tell: (text) => { err.push(text) }, env: {}, terminal: undefined
  }, signal)
  return { code, stdout: out.join('\n'), stderr: err.join('\n') }
}

/** The same as people start it, in a process of its own; one that does not end by itself is killed. */
export async function spawnSimulator (args: readonly string[], cwd?: string): Promise<Ended> {
  const main = join(import.meta.dirname, '../../device-sim/main.ts')
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: SPAWN_MS_MAX, killSignal: 'SIGKILL', ...(cwd !== undefined && { cwd }) })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.stderr += text })
  const [code] = await once(child, 'close') as [number]
  return { code, ...said }
}
