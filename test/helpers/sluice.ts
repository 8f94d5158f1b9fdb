import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from './eventually.ts'

const BINARY = join(import.meta.dirname, '../../bridge/sluice')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  stdout (): string
  stderr (): string
}

export interface SluiceOptions {
  readonly cwd?: string
  /** Beside PATH, the only variables that the process sees. */
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs it in its own place, such as `strace -D`. */
  readonly under?: readonly string[]
}

export async function tempDirectory (t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 10 })) // a service may still write there
  return directory
}

/** The real binary, in a directory of its own unless it is told another; killed with the test. */
export async function startSluice (
  t: TestContext, args: readonly string[], options: SluiceOptions = {}
): Promise<Running> {
  const cwd = options.cwd ?? await tempDirectory(t)
  const env = { PATH: process.env['PATH'], ...options.env }
  const [command = BINARY, ...rest] = [...options.under ?? [], BINARY, ...args]
  const child = spawn(command, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.stderr += text })
  const ended = once(child, 'close').then(([code, signal]) =>
    ({ code: code as number | null, signal: signal as NodeJS.Signals | null, ...said }))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { process: child, ended, stdout: () => said.stdout, stderr: () => said.stderr }
}

export async function runSluice (
  t: TestContext, args: readonly string[], options: SluiceOptions = {}
): Promise<Ended> {
  return await (await startSluice(t, args, options)).ended
}

/** A service on free ports that is up: its five lines, and where it answers. */
export async function startService (
  t: TestContext, args: readonly string[] = [], options: SluiceOptions = {}
): Promise<Running & { lines: readonly string[], url: string }> {
  const ports = ['--mqtt-listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0']
  const running = await startSluice(t, ['serve', ...ports, ...args], options)
  const up = async () => running.stdout().split('\n').length > 5
  const start = eventually(up, { what: 'the five lines of a start', timeoutMs: 30_000 })
  const outcome = await Promise.race([start, running.ended])
  if (outcome !== true) throw new Error(`the service has ended: ${running.stderr()}`)
  const lines = running.stdout().trimEnd().split('\n')
  const url = /http:\/\/[^/]+/.exec(lines[1] ?? '')?.[0] ?? ''
  return { ...running, lines, url }
}
